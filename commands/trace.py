"""Draw what became of a file: the timeline of its trace, then upload, dataset version, run, model, deployment, batches;
from scores or outcomes, back."""

from __future__ import annotations

from typing import Any

from commands.client import tables, trace_timeline
from commands.client.output import as_json, end_of
from commands.client.status_api import Json
from commands.client.target import command, find, parser

CAPTIONS = {"firstUpload": "Same rows as", "uploads": "Made of"}
LISTED = ("name", "state", "rows", "reason", "lastModifiedAt")
SHOWN = {
    "upload": ("rows", "rejectedRows", "repeatedRows", "replacedBy", "sha256"),
    "dataset": ("rows", "postponedBecause"),
    "run": (),
    "model": (),
    "deployment": ("endpoint", "trafficPercent", "releasedAt"),
    "batch": ("rows", "rejectedRows", "modelVersion", "output"),
    "outcome": ("rows", "rejectedRows", "blankRows", "repeatedRows", "faults"),
}
"""What is shown of each kind besides name, state and reason."""


@command
def main(arguments: list[str]) -> int:
    made = parser("trace", __doc__)
    made.add_argument(
        "name",
        help="such as incoming/clients.csv or outcomes/called.csv, or the name alone; or a SHA-256 of file or content",
    )
    given = made.parse_args(arguments)
    answer = find(given).client.get(f"lineage/{given.name}")
    if given.json:
        as_json({**answer, **trace_timeline.as_json(answer)})
    else:
        _draw(answer)
        for kind, link in answer.items():
            _print(CAPTIONS.get(kind, kind.capitalize()), link)
    first = answer.get("outcome") or answer.get("batch") or answer.get("upload") or {}
    return end_of(first)


def _draw(answer: Json) -> None:
    timeline = trace_timeline.drawn(answer)
    if timeline is not None:
        out = tables.console()
        out.print(timeline, soft_wrap=True)
        out.print()


def _print(caption: str, link: Any) -> None:
    if isinstance(link, list):
        tables.show(caption, link, LISTED)
    elif isinstance(link, dict):
        _print_link(caption, link)


def _print_link(caption: str, link: Json) -> None:
    from rich.text import Text

    line = Text.assemble(
        (f"{caption:<13}", "bold"), str(link.get("name") or link.get("id")), "  ",
        tables.cell("state", link), f"  {tables.ago(str(link.get('lastModifiedAt', '')))}",
    )  # fmt: skip
    out = tables.console()
    out.print(line)
    for name in (*SHOWN.get(str(link.get("kind")), ()), "reason"):
        if link.get(name) not in (None, ""):
            shown = tables.ago(str(link[name])) if name in tables.MOMENTS else tables.text(link[name])
            out.print(Text(f"{'':13}{tables.words(name)}: {shown}", style="dim"))
    for step in link.get("steps") or []:
        out.print(Text(f"{'':13}{step['name']}: {step['status'].lower()}", style="dim"))
