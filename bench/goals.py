"""Goals and whether they are met, as every measure shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

WORDS = {True: "[green]met[/]", False: "[red]missed[/]", None: "not measured here"}


def goals_table(results: dict[str, Any]) -> Table:
    """results: with `goals`, each with what was `measured` (None: nothing to say in a number) and whether it is `met`"""
    from rich.table import Table

    made = Table(title="Goals", title_justify="left")
    for column in ("goal", "measured", ""):
        made.add_column(column, justify="right" if column == "measured" else "left")
    for goal in results["goals"]:
        measured = "-" if goal["measured"] is None else f"{goal['measured']:,g}"
        made.add_row(goal["goal"], measured, WORDS[goal["met"]])
    return made


def machine_line(results: dict[str, Any]) -> str:
    """What it ran on, and what else ran there."""
    machine = results["machine"]
    return (
        f"{machine['cores']} cores, Python {machine['python']}, {machine['platform']},"
        f" load {machine['loadBefore']} -> {machine['loadAfter']}."
    )
