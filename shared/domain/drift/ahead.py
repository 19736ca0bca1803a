"""How many clients a model is likely to be asked about until its next retrain, by the pace so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

DAY = timedelta(days=1)
LEAST_MADE = 3
"""Models, whose two intervals say how often one comes."""


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """What is likely to come before the next retrain."""

    clients: int
    days: float


def ahead(made: Sequence[datetime], scored: Sequence[tuple[datetime, int]], now: datetime) -> Ahead | str:
    """Or why it cannot be said.

    made: when the dataset's newest models were made, in any order
    scored: of the batches that the serving model scored, when each came and how many rows it has
    """
    if len(made) < LEAST_MADE:
        return f"it takes {LEAST_MADE} models to say how often one comes, and so far there are {len(made)}"
    if not scored:
        return "the model has scored no batch yet, and so it is not known how many clients it is asked about"
    usual = median((later - earlier) / DAY for earlier, later in pairwise(sorted(made))) * DAY
    left = usual - (now - max(made))
    if left <= timedelta(0):
        left = usual  # overdue: nobody knows when; one interval more is counted
    known = max(now - min(when for when, _ in scored), DAY)
    clients = sum(rows for _, rows in scored) * (left / known)
    return Ahead(clients=round(clients), days=round(left / DAY, 2))
