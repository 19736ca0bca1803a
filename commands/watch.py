"""Watch everything as it happens: what answers, runs with their steps, batches with progress, the newest events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from commands.client import states, tables
from commands.client.batch_progress import pace, share
from commands.client.event_line import COLUMNS, row
from commands.client.output import as_json
from commands.client.status_api import Client, Json
from commands.client.target import BAD, FINE, command, find, parser
from commands.client.timeline import steps

if TYPE_CHECKING:
    from rich.console import Group, RenderableType

WIDE = 60


@command
def main(arguments: list[str]) -> int:
    made = parser("watch", __doc__)
    made.add_argument(
        "--until-quiet",
        action="store_true",
        help="end when nothing is under way (1: something needs a person)",
    )
    given = made.parse_args(arguments)
    client = find(given).client
    try:
        last = _json_lines(client, given.until_quiet) if given.json else _live(client, given.until_quiet)
    except KeyboardInterrupt:
        return FINE
    return BAD if given.until_quiet and last.get("attentionCount") else FINE


def _json_lines(client: Client, until_quiet: bool) -> Json:
    status: Json = {}
    for status in _changes(client, until_quiet):
        as_json(status)
    return status


def _live(client: Client, until_quiet: bool) -> Json:
    from rich.live import Live

    status: Json = {}
    with Live(console=tables.console(), auto_refresh=False, transient=False) as live:
        for status in _changes(client, until_quiet):
            live.update(picture(status, client.listed("events", most=8)), refresh=True)
    return status


def _changes(client: Client, until_quiet: bool) -> Iterator[Json]:
    for status in client.changes("status"):
        yield status
        if until_quiet and is_quiet(status):
            return


def is_quiet(status: Json) -> bool:
    """Nothing arrives, gathers, trains, is released or scored."""
    return not states.going(status.get("stateCounts", {}))


def picture(status: Json, events: list[Json]) -> Group:
    """One frame: all of it, read once."""
    from rich.console import Group

    parts: list[RenderableType] = [_headline(status)]
    parts += [_run(run) for run in status["runs"] if states.is_going(run)]
    parts += [_batch(batch) for batch in status["batches"] if states.is_going(batch)]
    if events:
        parts.append(tables.table("What happened", [row(event) for event in events], COLUMNS))
    return Group(*parts)


def _headline(status: Json) -> RenderableType:
    from rich.text import Text

    served = [
        f"model {row['serving']['version']} answers for {row['dataset']}"
        for row in status["datasets"]
        if row.get("serving")
    ]
    text = Text("; ".join(served) or "no model answers yet", style="bold")
    if status.get("paused"):
        text.append("   PAUSED", style="yellow bold")
    if status.get("attentionCount"):
        text.append(f"   {status['attentionCount']} waiting for a person", style="red")
    return text


def _run(run: Json) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    batch = run.get("batch")
    does = f"scoring {batch}" if batch else f"training on {run.get('dataset')} {run.get('version')}"
    return Group(Text(f"\n{does}  ({run['id']})", style="bold"), steps(run))


def _batch(batch: Json) -> RenderableType:
    from rich.text import Text

    if batch["state"] != "scoring":
        return Text.assemble((f"\nscoring {batch['name']}", "bold"), "  waits for its turn")
    done = round(share(batch) * WIDE)
    return Text.assemble(
        (f"\nscoring {batch['name']}", "bold"), f"  {share(batch):.0%}  {pace(batch)}\n  ",
        ("━" * done, "blue"), ("─" * (WIDE - done), "dim"),
    )  # fmt: skip
