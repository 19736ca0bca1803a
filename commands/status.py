"""Show open alerts, what serves, what runs, what came last, and what needs a person; pause everything, and go on."""

from __future__ import annotations

from typing import Any

from commands.client import live_settings, states, tables
from commands.client.output import acted, as_json
from commands.client.status_api import Json
from commands.client.target import BAD, FINE, command, find, parser
from commands.stack.parts import PARTS
from commands.stack.state import Stack

ALERTS = ("name", "severity", "affectedCount", "dataset", "says", "mend", "startedAt")
DATASET = ("dataset", "version", "rows", "waitingUploads", "run", "serving", "releasedAt")
SECTIONS = {
    "uploads": ("name", "state", "rows", "rejectedRows", "datasetVersion", "reason", "lastModifiedAt"),
    "runs": ("id", "state", "reason", "lastModifiedAt"),
    "models": ("id", "state", "deployment", "reason", "lastModifiedAt"),
    "batches": (
        "name",
        "state",
        "rows",
        "rejectedRows",
        "modelVersion",
        "output",
        "reason",
        "lastModifiedAt",
    ),
    "failures": ("about", "state", "queue", "reason", "lastModifiedAt"),
}
FLOW = ("step", "doneCount", "openCount", "description")


@command
def main(arguments: list[str]) -> int:
    made = parser("status", __doc__)
    made.add_argument(
        "--check",
        action="store_true",
        help="exit 1 when an alert of severity page is open, something needs a person or everything is paused",
    )
    made.add_argument("--flow", action="store_true", help="also each step of the flow, with counts")
    doing = made.add_mutually_exclusive_group()
    doing.add_argument(
        "--pause",
        metavar="REASON",
        help="begin no run, batch or release until --resume; files that come are taken in",
    )
    doing.add_argument("--resume", action="store_true", help="go on with what has waited")
    given = made.parse_args(arguments)
    target = find(given)
    if given.pause:
        done = f"{live_settings.WHILE_PAUSED} `./dev status --resume` goes on."
        return acted(target.client, "pause", reason=given.pause, given_json=given.json, done=done)
    if given.resume:
        return acted(target.client, "resume", given_json=given.json, done="Going on.")
    answer = target.client.get("status")
    if given.json:
        as_json(answer)
    else:
        _print(target.stack, answer, flow=given.flow)
    return BAD if given.check and not _is_well(answer) else FINE


def _is_well(answer: Json) -> bool:
    return not (_pages(answer) or answer.get("attentionCount") or answer.get("paused"))


def _pages(answer: Json) -> int:
    """How many open alerts need somebody now: those of severity `page`; a `ticket` has time."""
    return sum(alert.get("severity") == "page" for alert in answer.get("openAlerts", []))


def _print(stack: Stack | None, answer: Json, *, flow: bool) -> None:
    if stack:
        parts = [{"part": name, "pid": process.pid, "log": str(stack.log(name))} for name in PARTS
                 if (process := stack.process(name))]  # fmt: skip
        tables.show("Running", parts, ("part", "pid", "log"))
    tables.show("Alerts", answer.get("openAlerts", []), ALERTS)
    tables.show("Datasets", [_dataset(row) for row in answer.get("datasets", [])], DATASET)
    if flow:
        tables.show("Flow", answer.get("flow", []), FLOW)
        mended = [{"what": what, "times": n} for what, n in answer.get("mendedCounts", {}).items()]
        tables.show("Mended by itself", mended, ("what", "times"))
    for name, columns in SECTIONS.items():
        tables.show(name.capitalize(), answer.get(name, []), columns)
    if changed := answer.get("changedSettings"):
        tables.show("Changed settings", list(live_settings.rows(changed)), live_settings.COLUMNS)
    if answer.get("paused"):
        print(f"{live_settings.WHILE_PAUSED} `./dev status --resume` goes on.")
    if pages := _pages(answer):
        print(f"Open alerts of severity page: {pages} (./dev alerts --only raised)")
    if answer.get("attentionCount"):
        print(f"{answer['attentionCount']} waiting for a person:")
        for command, number in states.for_a_person(answer.get("stateCounts", {})).items():
            print(f"  {number:>3}  {command}")


def _dataset(row: Json) -> dict[str, Any]:
    released = row.get("serving")
    if not released:
        return {**row, "serving": ""}
    serving = f"model {released['version']} ({released['endpoint']}/{released['deployment']})"
    return {**row, "serving": serving, "releasedAt": released.get("releasedAt")}
