"""The replay's results: each month and each policy in figures, and whether the goals are met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from commands.backtest import figures
from commands.backtest.figures import Scored
from commands.backtest.history import Called, Floats
from commands.backtest.walk import Scores, Walked

FIRST = 10
"""The month from which on the policies are compared: by then each has a model."""
EVERYBODY, NOBODY, ORACLE = "everybody", "nobody", "oracle"
ONCE, RETRAINED, FLOW = "once", "retrained", "flow"
TITLES = {
    EVERYBODY: "call everybody",
    NOBODY: "call nobody",
    ONCE: f"train once, on months 1 to {FIRST - 1}",
    RETRAINED: "plain LightGBM, retrained each month",
    FLOW: "Campanha: the flow with its gate",
    ORACLE: "oracle: call exactly the deposits",
}
LABELS = {
    EVERYBODY: "everybody",
    NOBODY: "nobody",
    ONCE: "once",
    RETRAINED: "retrained",
    FLOW: "the flow",
    ORACLE: "oracle",
}
"""The same where there is little room."""
OF_PROBABILITIES = ("logLoss", "logLossOfRows", "ece")
"""What is said only of policies that name probabilities."""

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What the flow is to reach over the months compared."""

    figure: str
    words: str
    bound: float
    at_most: bool = False

    def judged(self, flow: Mapping[str, Any]) -> Json:
        measured = flow.get(self.figure)
        met = None if measured is None else measured <= self.bound if self.at_most else measured >= self.bound
        return {"goal": self.words, "measured": None if measured is None else round(measured, 4), "met": met}


GOALS = (
    Goal(figure="auc", words="mean AUC at least 0.680", bound=0.680),
    Goal(figure="logLoss", words="mean log loss at most 0.612", bound=0.612, at_most=True),
    Goal(figure="profit10", words="profit at least 102,000", bound=102_000),
    Goal(figure="profit20", words="profit at a call cost of 20: at least 60,000", bound=60_000),
    Goal(figure="reached", words="deposits with 30 % of each list called: at least 925", bound=925),
)
"""For the 80 % of the public file that the bounds were measured on; another history has others."""


def of(walked: Sequence[Walked]) -> Json:
    """Figures by month, and over the months from `FIRST` on and over all, by policy."""
    said = {name: [_scored(month, name) for month in walked] for name in _policies(walked)}
    late = {
        name: _over(name, [one for one in months if one.number >= FIRST]) for name, months in said.items()
    }
    return {
        "from": FIRST,
        "titles": {name: TITLES[name] for name in said},
        "late": late,
        "all": {name: _over(name, months) for name, months in said.items()},
        "months": [_month(month, {name: months[place] for name, months in said.items()})
                   for place, month in enumerate(walked)],
        "goals": [goal.judged(late[FLOW]) for goal in GOALS] if FLOW in late else [],
    }  # fmt: skip


def _policies(walked: Sequence[Walked]) -> list[str]:
    there = walked[0].scores if walked else {}
    return [name for name in TITLES if name in there or name in (EVERYBODY, NOBODY, ORACLE)]


def _scored(month: Walked, name: str) -> Scored:
    called = month.called
    return Scored(
        number=called.clients.number,
        answers=called.answers,
        probabilities=month.scores[name].probabilities if name in month.scores else _reference(name, called),
    )


def _reference(name: str, called: Called) -> Floats | None:
    """Rules that ask no model. The oracle is none that anybody could follow."""
    return {EVERYBODY: np.ones_like(called.answers), NOBODY: None, ORACLE: called.answers}[name]


def _over(name: str, months: Sequence[Scored]) -> Json:
    return _said_of(name, figures.over(months))


def _said_of(name: str, found: Json) -> Json:
    left_out = OF_PROBABILITIES if name in (EVERYBODY, NOBODY) else ()
    return {figure: _short(value) for figure, value in found.items() if figure not in left_out}


def _short(value: float | None) -> float | None:
    return round(value, 5) if isinstance(value, float) else value


def _month(month: Walked, said: Mapping[str, Scored]) -> Json:
    clients = month.called.clients
    found: Json = {
        "number": clients.number,
        "month": clients.month,
        "clients": len(clients),
        "deposits": int(month.called.answers.sum()),
        "policies": {name: _said_of(name, figures.of_month(scored)) for name, scored in said.items()},
    }
    if FLOW in month.scores:
        found["flow"] = {"answered": _notes(month.scores[FLOW]), "learned": dict(month.learned[FLOW])}
    return found


def _notes(scores: Scores) -> Json:
    return dict(scores.notes)
