"""Walk-forward (prequential) evaluation: each month is scored by all who know only the months behind it, then learned from.

source: A. P. Dawid, Statistical theory: the prequential approach, J. R. Statist. Soc. A 147 (1984)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from commands.backtest.history import Called, Clients, Floats
from commands.stack.errors import StackError


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What a policy says to a list of clients."""

    probabilities: Floats | None
    """Of a deposit, by client, in the list's order; None while it has no model: then it calls nobody."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What answered, for the record."""

    def check(self, clients: Clients) -> None:
        """raises: StackError when it is not one probability for each client"""
        found = self.probabilities
        if found is None:
            return
        sound = (
            len(found) == len(clients)
            and np.isfinite(found).all()
            and (found >= 0).all()
            and (found <= 1).all()
        )
        if not sound:
            raise StackError(
                f"{clients.name}: {len(clients)} clients, but not a probability for each of them"
            )


class Policy(Protocol):
    """Whom to call. It is handed lists and, when all have scored a list, its answers: nothing else reaches it."""

    name: str

    def score(self, clients: Clients) -> Scores:
        """By what was learned so far."""
        ...

    def learn(self, called: Called) -> Mapping[str, Any]:
        """Takes a month's answers in; returns what became of that, for the record."""
        ...


@dataclass(frozen=True, kw_only=True)
class Walked:
    """A month that all policies have scored."""

    called: Called
    scores: Mapping[str, Scores]
    learned: Mapping[str, Mapping[str, Any]]
    """What each policy made of the answers."""


def walk(history: Iterable[Called], policies: Sequence[Policy]) -> Iterator[Walked]:
    """Month by month. No policy learns of a month's answers before every policy has scored its clients, nor of a later
    month's clients before it has learned from this one."""
    for called in history:
        scores = {policy.name: policy.score(called.clients) for policy in policies}
        for said in scores.values():
            said.check(called.clients)
        learned = {policy.name: policy.learn(called) for policy in policies}
        yield Walked(called=called, scores=scores, learned=learned)
