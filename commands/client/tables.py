"""Records as tables on the screen; only columns that hold something are shown."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from commands.client import states
from shared.domain.kinds.field import Moment
from shared.kinds import KINDS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

MOMENTS = {"createdAt", "lastModifiedAt", "recordedAt", "time", "deliveredAt", "failingStartedAt"} | {
    part.wire_name for kind in KINDS for part in kind.parts if part.hint is Moment
}
COUNTS = ("rows", "rejectedRows", "waitingUploads", "count", "doneCount", "openCount", "requests", "errors")
NUMBERS = (*COUNTS, "version", "trafficPercent", "pid")
LONG = (
    "reason",
    "doubtedBecause",
    "says",
    "mend",
    "problem",
    "about",
    "description",
    "name",
    "value",
    "values",
    "rule",
    "remedy",
    "log",
    "serving",
    "what",
)
"""Columns that may be folded over several lines."""
UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
FOLDED = 24
SPARED = (
    "output", "id", "queue", "datasetVersion", "rejectedRows", "deployment", "auc", "took", "dataset",
    "releasedAt", "againstServing", "rows", "lastModifiedAt",
)  # fmt: skip
"""Columns that are left out first where there is no room for all."""


def console() -> Console:
    """Where everything is printed; made each time, so that tests can catch it."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def show(title: str, records: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print `records`; an empty list is one line."""
    if not records:
        console().print(f"[bold]{title}[/bold]  none\n")
        return
    console().print(table(title, records, columns))


def table(title: str, records: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Table:
    """The records as a table of rich; on a narrow screen without the columns one can best do without."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    filled = [name for name in columns if any(record.get(name) not in (None, "", []) for record in records)]
    cells = {name: [cell(name, record) for record in records] for name in filled}
    shown = _fitting(filled, {name: _width(name, cells[name]) for name in filled}, console().width)
    made = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for name in shown:
        justify: Literal["left", "right"] = "right" if name in NUMBERS else "left"
        made.add_column(words(name), overflow="fold", justify=justify, no_wrap=name not in LONG)
    for row in zip(*(cells[name] for name in shown), strict=True):
        made.add_row(*row)
    return made


def _width(name: str, cells: Sequence[Text]) -> int:
    """What a column needs, at most; a long one may be folded."""
    widest = max(len(words(name)), *(each.cell_len for each in cells))
    return min(widest, FOLDED) if name in LONG else widest


def _fitting(columns: list[str], widths: Mapping[str, int], room: int) -> list[str]:
    shown = list(columns)
    for name in SPARED:
        if sum(widths[each] + 3 for each in shown) <= room:
            break
        if name in shown[1:]:  # the first says what the row is about
            shown.remove(name)
    return shown


def words(name: str) -> str:
    """A field's name for people: `rejectedRows` is "rejected rows"; `releasedAt`, shown as how long ago, "released"."""
    name = name.removesuffix("At") if name in MOMENTS else name
    return re.sub(r"(?<=[a-z0-9])[A-Z]", lambda found: f" {found[0].lower()}", name)


def cell(name: str, record: Mapping[str, Any]) -> Text:
    """The record's value under the column `name`; never taken for markup."""
    from rich.text import Text

    value = record.get(name)
    if name == "state":
        return Text(text(value), style=states.colour(str(record.get("kind")), str(value)))
    if name in MOMENTS and isinstance(value, str):
        return Text(ago(value))
    if name in COUNTS and isinstance(value, int):
        return Text(f"{value:,}")
    return Text(text(value))


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


def ago(moment: str, now: datetime | None = None) -> str:
    """How long ago `moment` (ISO 8601) was; the text itself when it is none."""
    try:
        seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(moment)).total_seconds()
    except (ValueError, TypeError):
        return moment
    if seconds < 2:
        return "just now"
    unit, long = next(((unit, long) for unit, long in UNITS if seconds >= long), UNITS[-1])
    return f"{seconds // long:.0f} {unit} ago"


def duration(seconds: float) -> str:
    """4.2 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    place = next(n for n, (_, long) in enumerate(UNITS) if seconds >= long)
    (unit, long), (smaller, short) = UNITS[place], UNITS[place + 1]
    many, rest = divmod(int(seconds), long)
    return f"{many} {unit} {rest // short} {smaller}" if rest // short else f"{many} {unit}"


def size(count: float) -> str:
    """Bytes with a unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
