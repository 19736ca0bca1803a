"""List the training runs; show one with its steps; wait for one to end; retrain a dataset now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from commands import tables
from commands.client import Client, Json
from commands.output import acted, as_json, end_of, listing, values
from commands.target import command, find, parser

COLUMNS = ("id", "dataset", "version", "state", "took", "reason", "updated")
GOING = ("started", "running")
WIDE = 40


@command
def main(arguments: list[str]) -> int:
    made = parser("runs", __doc__)
    made.add_argument("run", nargs="?", help="one run's name (default: the list)")
    made.add_argument("--only", metavar="STATE", help="started, running, accepted, refused or failed")
    made.add_argument("--dataset")
    made.add_argument("--most", type=int, default=20, metavar="N", help="how many at most (default: 20)")
    made.add_argument("--wait", action="store_true", help="with RUN: wait until it is over")
    made.add_argument("--retrain", metavar="DATASET", help="train on what has gathered, now")
    given = made.parse_args(arguments)
    if given.wait and not given.run:
        made.error("--wait needs a RUN")
    client = find(given).client
    if given.retrain:
        done = "A run is due. `./dev watch` shows it."
        return acted(client, f"datasets/{given.retrain}/retrain", given_json=given.json, done=done)
    if given.run:
        return _one(client, given.run, wait=given.wait, given_json=given.json)
    found = client.listed("runs", most=given.most, state=given.only, dataset=given.dataset)
    shown = found if given.json else [{**run, "took": took(run)} for run in found]
    return listing("Runs", shown, COLUMNS, given_json=given.json)


def _one(client: Client, name: str, *, wait: bool, given_json: bool) -> int:
    run: Json = {}
    for run in client.changes(f"runs/{name}"):
        if not wait or run["state"] not in GOING:
            break
        if not given_json:
            tables.console().print(steps(run))
    if given_json:
        as_json(run)
    else:
        values(run)
        tables.console().print(steps(run))
    return end_of(run)


def took(run: Json) -> str:
    """From the first step's begin to the last one's end, or until now."""
    begun = [_moment(step["started"]) for step in run.get("steps") or [] if step.get("started")]
    if not begun:
        return ""
    ended = [_moment(step["ended"]) for step in run["steps"] if step.get("ended")]
    end = datetime.now(UTC) if run["state"] in GOING else max(ended, default=_moment(run["updated"]))
    return tables.duration((end - min(begun)).total_seconds())


def steps(run: Json) -> Any:
    """The steps as bars over a common scale."""
    from rich.text import Text

    begun = [step for step in run.get("steps") or [] if step.get("started")]
    if not begun:
        return Text("no step has started yet", style="dim")
    start = min(_moment(step["started"]) for step in begun)
    spans = {step["name"]: _span(step, start) for step in begun}
    whole = max(1.0, *(end for _, end in spans.values()))
    lines = [_bar(step, spans.get(step["name"]), whole) for step in run["steps"]]
    return Text("\n").join(lines)


def _bar(step: Json, span: tuple[float, float] | None, whole: float) -> Any:
    from rich.text import Text

    begin, end = span or (0.0, 0.0)
    left, right = round(begin / whole * WIDE), round(end / whole * WIDE)
    bar = " " * left + "━" * max(int(span is not None), right - left)
    long = tables.duration(end - begin) if span else ""
    colour = tables.style(str(step["status"]))
    return Text.assemble(
        f"  {step['name']:<12}", (f"{bar:<{WIDE}}", colour), f"  {step['status'].lower():<11} {long}"
    )


def _span(step: Json, start: datetime) -> tuple[float, float]:
    end = _moment(step["ended"]) if step.get("ended") else datetime.now(UTC)
    return (_moment(step["started"]) - start).total_seconds(), (end - start).total_seconds()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
