"""Whom to call: the rows of a scored list that are worth a call, best first, as many as can be called.

Memory grows with the rows that are chosen (24 bytes each), or with twice the places where their number is limited, and not
with the list.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from shared.domain.datasets.row_digest import mixed, seed
from shared.domain.kinds.batch import LEFT_OUT

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

NO_SCORE, DO_NOT_CALL, CONTACTED, NOT_WORTH_IT, NO_PLACE = (why.name for why in LEFT_OUT)
SALT = "campanha call list 1"


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Some consecutive rows of a batch."""

    first: int
    """The number of the first; 1 is the batch's first row."""
    probability: Floats
    """NaN where there is none."""
    control: Mask
    """Whether chance drew the row: it is called whatever it is worth."""
    suppressed: Mask
    contacted: Mask

    def __len__(self) -> int:
        return len(self.probability)


@dataclass(kw_only=True)
class CallList:
    """The rows to call, while a batch's rows are gone through in order."""

    batch: str
    places: int
    """How many can be called; 0: any number. The control group has its share of them."""
    control_share: float
    call_cost: float
    deposit_value: float
    left_out: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        of_control = round(self.places * self.control_share)
        self._control = _Best(of_control if self.places else None)
        self._model = _Best(self.places or None)

    def add(self, some: Stretch) -> None:
        worth = some.probability * self.deposit_value - self.call_cost
        numbers = np.arange(some.first, some.first + len(some), dtype=np.int64)
        left = np.ones(len(some), dtype=np.bool_)
        with np.errstate(invalid="ignore"):
            not_worth_it = ~(worth > 0) & ~some.control
        for reason, out in (
            (NO_SCORE, np.isnan(some.probability)),
            (DO_NOT_CALL, some.suppressed),
            (CONTACTED, some.contacted),
            (NOT_WORTH_IT, not_worth_it),
        ):
            self.left_out[reason] += int((left & out).sum())
            left &= ~out
        drawn = left & some.control
        # Which of the control group are called is chance too, or their outcomes would not stand for the list.
        self._control.add(self._draws(numbers[drawn]), numbers[drawn], worth[drawn])
        chosen = left & ~some.control
        self._model.add(worth[chosen], numbers[chosen], worth[chosen])

    def chosen(self) -> tuple[Rows, Floats]:
        """The numbers of those to call and what each is worth, best first; of two that are worth the same, the earlier."""
        numbers, worth = self._control.kept(None)
        free = self.places - len(numbers) if self.places else None
        of_model, worth_of_model = self._model.kept(free)
        seen = self._control.seen + self._model.seen
        numbers, worth = np.concatenate([numbers, of_model]), np.concatenate([worth, worth_of_model])
        self.left_out[NO_PLACE] = seen - len(numbers)
        order = np.lexsort((numbers, -worth))
        return numbers[order], worth[order]

    def _draws(self, numbers: Rows) -> Floats:
        """A number between 0 and 1 for each row, the same at each attempt."""
        drawn = mixed(numbers.astype(np.uint64) ^ seed(f"{SALT} {self.batch}")) >> np.uint64(11)
        return drawn / 2.0**53


class _Best:
    """The rows of the highest rank, at most so many; ties by number."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self.seen = 0
        self._parts: list[tuple[Floats, Rows, Floats]] = []
        self._held = 0

    def add(self, rank: Floats, numbers: Rows, worth: Floats) -> None:
        self.seen += len(numbers)
        self._parts.append((rank, numbers, worth))
        self._held += len(numbers)
        if self._most is not None and self._held > 2 * self._most:
            self._cut(self._most)

    def kept(self, most: int | None) -> tuple[Rows, Floats]:
        """Numbers, and what each is worth."""
        if self._most is not None:
            self._cut(self._most if most is None else min(most, self._most))
        _, numbers, worth = self._joined()
        return numbers, worth

    def _joined(self) -> tuple[Floats, Rows, Floats]:
        nothing = (np.empty(0), np.empty(0, np.int64), np.empty(0))
        rank, numbers, worth = (np.concatenate(column) for column in zip(nothing, *self._parts, strict=False))
        return rank, numbers, worth

    def _cut(self, most: int) -> None:
        rank, numbers, worth = self._joined()
        best = np.lexsort((numbers, -rank))[:most]
        self._parts, self._held = [(rank[best], numbers[best], worth[best])], len(best)
