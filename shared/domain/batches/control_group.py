"""The control group of a list: rows that chance draws, whatever the model says of them.

Who calls only where the model says so learns nothing of the others: the next model sees outcomes of those alone whom the
last one chose. Clients of the control group are called by chance, so what comes of them tells of the whole list. Each
row carries the probability of being in its group (its propensity): weighted by 1/propensity a group stands for the list.

source: Horvitz and Thompson, A generalization of sampling without replacement, JASA 1952; Bottou et al., Counterfactual
reasoning and learning systems, JMLR 2013 (why the propensity has to be logged)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CONTROL, MODEL = "control", "model"
COLUMNS = ("group", "propensity")
"""What the output has besides, where there is a control group."""
SALT = "campanha control 1"


@dataclass(frozen=True, kw_only=True)
class ControlGroup:
    """Which of a batch's rows chance draws: the same ones at each attempt, here or on a cluster."""

    batch: str
    share: float
    """Of the scored rows; fraction of 1."""

    def drawn(self, shard: int, first: int, rows: int) -> Any:
        """By row whether it is drawn, as a mask: `rows` of them, from the shard's `first` on."""
        import numpy as np

        from shared.domain.datasets.row_digest import mixed, seed

        places = np.arange(first, first + rows, dtype=np.uint64) + (np.uint64(shard) << np.uint64(40))
        draws = mixed(mixed(places) ^ seed(f"{SALT} {self.batch}"))
        return (draws >> np.uint64(11)) < np.uint64(int(self.share * 2**53))

    def propensity(self, group: str) -> float:
        """The probability with which a row is in the group that it is in."""
        return self.share if group == CONTROL else round(1 - self.share, 12)
