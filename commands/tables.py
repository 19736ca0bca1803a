"""Records as tables on the screen; only columns that hold something are shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def show(title: str, records: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print `records`; an empty list is one line."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not records:
        console.print(f"[bold]{title}[/bold]  none\n")
        return
    filled = [name for name in columns if any(record.get(name) not in (None, "") for record in records)]
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for name in filled:
        table.add_column(name.replace("_", " "), overflow="fold")
    for record in records:
        table.add_row(*(Text(text(record.get(name))) for name in filled))
    console.print(table)


def text(value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
