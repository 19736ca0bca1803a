"""Writes docs/replay.md, and the README's section on it, from bench/results/replay.json: `python docs/replay_page.py`.

With `--check` nothing is written; the exit code is 1 when one of them, or the picture, is not what the results give.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import kept
from kept import ROOT

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from commands.backtest import picture
from commands.backtest.report import COLUMNS, written
from commands.backtest.results import FLOW, RETRAINED

RESULTS = ROOT / "bench" / "results" / "replay.json"
README, PAGE = ROOT / "README.md", ROOT / "docs" / "replay.md"
BEGIN, END = "<!-- replay -->", "<!-- /replay -->"
SHORT = ("auc", "logLoss", "reached", "profit10", "profit20")
HEADINGS = {
    "auc": "AUC", "logLoss": "log loss", "reached": "deposits with 30 % called",
    "profit10": "profit", "profit20": "profit, a call at 20",
}  # fmt: skip
INTRODUCTION = """\
# A bank's past, replayed

Written by `python docs/replay_page.py` from one run of `./dev replay` ([its figures](../bench/results/replay.json)).

The data are the calls of a bank in the order of time, a drop for each month. Each month's clients are dropped into
`scoring` without the answer, and scored by the model that is live; then the month is dropped into `incoming` with its
answers, and the replay waits until the flow came to rest. So what is measured is what the flow would have said at the time.
A policy is handed lists without answers, and a month's answers only once all policies have scored it: nothing else reaches
it ([commands/backtest/walk.py](../commands/backtest/walk.py)), and a test that shuffles the future sees nothing change.

- **Profit**: 80 a deposit less 10 a call, where a call is worth it; at a call cost of 20 as well, since at 10 calling
  everybody is nearly best in the later months. **Deposits with 30 %**: when there is time for so much of each list.
- **ALIFT**: area under the cumulative lift curve ([Moro, Cortez, Rita 2014](https://doi.org/10.1016/j.dss.2014.03.001)).
  **ECE**: expected calibration error, ten groups of equally many rows. AUC, ALIFT and log loss are means over months.
- **train once**: a plain LightGBM on the first nine months, never trained again; **retrained**: the same learner on all
  months so far (rate 0.05, 15 leaves, 150 trees), always the newest; the **oracle** calls exactly the deposits.
"""


def wanted() -> dict[Path, str]:
    """What each file should hold."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {
        README: kept.between(README.read_text(encoding="utf-8"), BEGIN, END, section(found)),
        PAGE: page(found),
        RESULTS.with_suffix(".svg"): picture.drawn(found),
    }


def section(found: dict[str, Any]) -> str:
    """What the README says of it."""
    last = found["months"][-1]["number"]
    rows = [
        [found["titles"][name], *(written(figures, figure, _form(figure)) for figure in SHORT)]
        for name, figures in found["late"].items()
    ]
    lines = _table(["", *(HEADINGS[figure] for figure in SHORT)], rows)
    goals = [_judged(goal) for goal in found["goals"]]
    return "\n".join([
        *lines,
        "",
        f"Months {found['from']} to {last} of {found['source']} ({found['rows']:,} rows), {_took(found)}."
        f" {'Goals: ' + '; '.join(goals) if goals else 'The flow itself was not in this run'}."
        " [All figures](docs/replay.md).",
        "",
        "![Profit so far by policy, and log loss of each month](bench/results/replay.svg)",
    ])  # fmt: skip


def _judged(goal: dict[str, Any]) -> str:
    if goal["measured"] is None:
        return f"{goal['goal']}: not measured"
    return f"{goal['goal']}: {goal['measured']:,g}, {'met' if goal['met'] else '**missed**'}"


def page(found: dict[str, Any]) -> str:
    """The whole: both spans with all figures, and each month."""
    last = found["months"][-1]["number"]
    parts = [INTRODUCTION]
    for span, title in (("late", f"Months {found['from']} to {last}"), ("all", "All months")):
        rows = [
            [found["titles"][name], *(written(figures, figure, form) for figure, _, form in COLUMNS)]
            for name, figures in found[span].items()
        ]
        parts += [f"## {title}\n", *_table(["", *(heading for _, heading, _ in COLUMNS)], rows), ""]
    if FLOW in found["titles"]:
        parts += ["## The flow, month by month\n", *_months(found["months"]), ""]
    parts += [
        "![Profit so far by policy, and log loss of each month](../bench/results/replay.svg)",
        "",
        f"{found['source']}, {found['rows']:,} rows, SHA-256 `{found['sha256']}`; {_took(found)}.",
        "",
    ]
    return "\n".join(parts)


def _months(months: Sequence[dict[str, Any]]) -> list[str]:
    headings = ["month", "clients", "deposits", "answered by", "AUC", "log loss", "profit"]
    others = ["retrained: log loss", "profit", "what became of its answers"]
    return _table([*headings, *others], [_month(month) for month in months])


def _month(month: dict[str, Any]) -> list[str]:
    flow, plain = month["policies"][FLOW], month["policies"][RETRAINED]
    answered, learned = month["flow"]["answered"], month["flow"]["learned"]
    by = f"model {answered['modelVersion']}" if "modelVersion" in answered else "-"
    return [
        f"{month['number']} {month['month']}", f"{month['clients']:,}", f"{month['deposits']:,}",
        by + (f" ({answered['recipe']})" if "recipe" in answered else ""),
        written(flow, "auc", ".3f"), written(flow, "logLoss", ".3f"), written(flow, "profit10", ",.0f"),
        written(plain, "logLoss", ".3f"), written(plain, "profit10", ",.0f"),
        f"{learned['what']} {learned['state']}: {learned.get('reason', '')}".replace("|", "\\|").replace("\n", " "),
    ]  # fmt: skip


def _form(figure: str) -> str:
    return next(form for name, _, form in COLUMNS if name == figure)


def _took(found: dict[str, Any]) -> str:
    machine = found["machine"]
    load = f", load {machine['loadBefore'][0]:g} at its start" if machine["loadBefore"] else ""
    return f"replayed in {found['seconds'] / 60:.1f} min on {machine['cores']} cores{load}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    aligned = "|".join(["---", *("---:" for _ in headings[1:])])
    return [f"| {' | '.join(headings)} |", f"|{aligned}|", *(f"| {' | '.join(row)} |" for row in rows)]


if __name__ == "__main__":
    sys.exit(kept.main(__doc__, wanted()))
