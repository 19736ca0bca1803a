"""The replay for people: a line for each month as it goes, and tables at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from commands.backtest.figures import Scored, of_month
from commands.backtest.results import FLOW, LABELS, RETRAINED
from commands.backtest.walk import Walked

if TYPE_CHECKING:
    from rich.table import Table

Json = dict[str, Any]
COLUMNS = (
    ("auc", "AUC", ".4f"),
    ("logLoss", "log loss", ".4f"),
    ("logLossOfRows", "of all rows", ".4f"),
    ("alift", "ALIFT", ".4f"),
    ("ece", "ECE", ".3f"),
    ("reached", "deposits with 30 %", ",.0f"),
    ("calls10", "calls at 10", ",d"),
    ("profit10", "profit at 10", ",.0f"),
    ("calls20", "calls at 20", ",d"),
    ("profit20", "profit at 20", ",.0f"),
)
"""A figure's name, its heading, and how it is written."""
MET = {True: "[green]met[/]", False: "[red]missed[/]", None: "not measured"}


def line(walked: Walked, *, of: int, left: float) -> str:
    """What happened in a month, and about how many seconds all others will take."""
    clients = walked.called.clients
    name = FLOW if FLOW in walked.scores else RETRAINED
    said, learned = walked.scores[name], walked.learned[name]
    month = of_month(
        Scored(number=clients.number, answers=walked.called.answers, probabilities=said.probabilities)
    )
    by = f" by model {said.notes['modelVersion']}" if "modelVersion" in said.notes else ""
    told = f"log loss {month['logLoss']:.4f}{by}" if month.get("logLoss") is not None else "not scored"
    verdict = f"; {learned['what']} {learned['state']}" if learned else ""
    return (
        f"  month {clients.number:2} of {of}  {clients.month}  {len(clients):6,} clients  {told}{verdict}"
        f"   {_clock(left)} left"
    )


def show(found: Json) -> None:
    """Everything on one screen or two."""
    from rich.console import Console

    console = Console()
    last = len(found["months"])
    console.print(
        _policies(found, "late", f"Months {found['from']} to {last}"), _policies(found, "all", "All months")
    )
    if "flow" in found["titles"]:
        console.print(_months(found["months"]), *_verdicts(found["months"]), _goals(found))
    console.print(
        f"{found['source']}, {found['rows']:,} rows (SHA-256 {found['sha256'][:12]}...), in {_clock(found['seconds'])}."
    )


def written(figures: Json, name: str, form: str) -> str:
    """A figure as it stands in a table; a dash where there is none."""
    value = figures.get(name)
    return "-" if value is None else format(value, form)


def _policies(found: Json, span: str, title: str) -> Table:
    """A column for each policy: so it fits on a screen of 80 letters."""
    policies = found[span]
    table = _table(title, ["", *(LABELS[name] for name in policies)])
    for figure, heading, form in COLUMNS:
        table.add_row(heading, *(written(figures, figure, form) for figures in policies.values()))
    return table


def _months(months: Sequence[Json]) -> Table:
    headings = ["", "clients", "deposits", "model", "log loss", "plain", "profit", "plain", "its answers"]
    table = _table("The flow, month by month", headings)
    for month in months:
        flow, plain = month["policies"][FLOW], month["policies"][RETRAINED]
        answered, learned = month["flow"]["answered"], month["flow"]["learned"]
        table.add_row(
            f"{month['number']} {month['month']}", f"{month['clients']:,}", f"{month['deposits']:,}",
            str(answered.get("modelVersion", "-")), written(flow, "logLoss", ".3f"), written(plain, "logLoss", ".3f"),
            written(flow, "profit10", ",.0f"), written(plain, "profit10", ",.0f"),
            f"{learned['what']} {learned['state']}",
        )  # fmt: skip
    table.columns[-1].justify = "left"
    return table


def _verdicts(months: Sequence[Json]) -> list[str]:
    """A line for each month, with the reason."""
    learned = [(month["number"], month["flow"]["learned"]) for month in months]
    return [
        f"  {number:2} {it['what']} {it['state']}: {it.get('reason', 'no reason given')}"
        for number, it in learned
    ]


def _goals(found: Json) -> Table:
    table = _table("Goals", ["", "measured", ""])
    for goal in found["goals"]:
        table.add_row(
            goal["goal"], "-" if goal["measured"] is None else f"{goal['measured']:,g}", MET[goal["met"]]
        )
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    from rich.table import Table

    made = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        made.add_column(column, justify="right" if place else "left")
    return made


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02} min"
