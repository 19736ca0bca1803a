"""List the files of clients that were scored, with progress; show one; watch until all are done; score now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commands.client import states, tables
from commands.client.batch_progress import pace, share
from commands.client.drift import show_drift
from commands.client.output import acted, as_json, end_of, listing, values
from commands.client.status_api import Client, Json
from commands.client.target import BAD, FINE, command, find, parser

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

COLUMNS = (
    "name",
    "id",
    "state",
    "done",
    "modelVersion",
    "rows",
    "rejectedRows",
    "output",
    "reason",
    "lastModifiedAt",
)


@command
def main(arguments: list[str]) -> int:
    made = parser("batches", __doc__)
    made.add_argument("batch", nargs="?", help="one batch's id (default: the list)")
    made.add_argument("--only", metavar="STATE", help=states.choices("batch"))
    made.add_argument("--dataset")
    made.add_argument("--most", type=int, default=20, metavar="N", help="how many at most (default: 20)")
    made.add_argument("--watch", action="store_true", help="progress bars until nothing is being scored")
    made.add_argument("--rows", type=int, metavar="N", help="with BATCH: its first N scored rows")
    made.add_argument(
        "--score-now", action="store_true", help="score files that wait, without waiting for the clock"
    )
    made.add_argument("--approve", metavar="ID", help="have a held batch scored as it is; needs --reason")
    made.add_argument("--reason", default="", help="with --approve: why")
    given = made.parse_args(arguments)
    if given.approve and not given.reason:
        made.error("--approve needs a --reason")
    if given.rows and not given.batch:
        made.error("--rows needs a BATCH")
    client = find(given).client
    if given.score_now:
        done = "Files that wait are being collected. `./dev batches --watch` shows them."
        return acted(client, "batches", given_json=given.json, done=done)
    if given.approve:
        done = f"{given.approve} is scored as it is."
        path = f"batches/{given.approve}/approve"
        return acted(client, path, reason=given.reason, given_json=given.json, done=done)
    if given.rows:
        return _rows(client, given.batch, given.rows, given_json=given.json)
    if given.watch:
        return _watch(client, given.batch)
    if given.batch:
        batch = client.get(f"batches/{given.batch}")
        if given.json:
            as_json(batch)
        else:
            values(batch)
            show_drift(batch)
        return end_of(batch)
    found = client.listed("batches", most=given.most, state=given.only, dataset=given.dataset)
    shown = found if given.json else [{**batch, "done": f"{share(batch):.0%}"} for batch in found]
    return listing("Batches", shown, COLUMNS, given_json=given.json)


def _rows(client: Client, batch: str, most: int, *, given_json: bool) -> int:
    found = client.get(f"batches/{batch}/rows", maxpagesize=most)
    if given_json:
        as_json(found)
        return FINE
    records = [dict(zip(found["columns"], row["cells"], strict=True)) for row in found["rows"][:most]]
    tables.show(f"First rows of {batch}", records, found["columns"])
    return FINE


# --- watching -------------------------------------------------------------------------------------------------


def _watch(client: Client, only: str | None) -> int:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    bars: dict[str, TaskID] = {}
    known: dict[str, Json] = {}
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[pace]}"),
    )
    with Progress(*columns, console=tables.console()) as progress:
        for _ in client.changes("status"):
            for batch in _followed(client, only, known):
                known[batch["id"]] = batch
                _draw(progress, bars, batch)
            if not any(states.is_going(batch) for batch in known.values()):
                break
    if not known:
        print("Nothing is being scored. Drop a file of clients: ./dev drop --scoring FILE")
    return BAD if any(states.is_bad(batch) for batch in known.values()) else FINE


def _followed(client: Client, only: str | None, known: dict[str, Json]) -> list[Json]:
    """The batch requested; else all that are under way, and those that were a moment ago."""
    if only:
        return [client.get(f"batches/{only}")]
    newest = client.listed("batches", most=50)
    return [batch for batch in newest if states.is_going(batch) or batch["id"] in known]


def _draw(progress: Progress, bars: dict[str, Any], batch: Json) -> None:
    if batch["id"] not in bars:
        bars[batch["id"]] = progress.add_task(batch["name"], total=1.0, pace="")
    beside = (
        pace(batch)
        if states.is_going(batch)
        else batch.get("output") or batch.get("reason") or batch["state"]
    )
    progress.update(bars[batch["id"]], completed=share(batch), pace=beside)
