"""Show what serves, what runs, what came last, and what needs a person."""

from __future__ import annotations

import json
from typing import Any

from commands import app, tables
from commands.arguments import parser, running
from commands.parts import PARTS
from commands.stack import Stack

DATASET = ("dataset", "version", "gathering", "run", "serving")
SECTIONS = {
    "uploads": ("name", "state", "rows", "rejected_rows", "dataset_version", "reason", "updated"),
    "runs": ("id", "state", "reason", "updated"),
    "models": ("id", "state", "deployment", "reason", "updated"),
    "batches": ("name", "state", "rows", "refused_rows", "output", "reason", "updated"),
    "failures": ("about", "state", "queue", "reason", "updated"),
}


def main(arguments: list[str]) -> int:
    made = parser("status", __doc__)
    made.add_argument("--json", action="store_true", help="the app's answer as it is")
    given = made.parse_args(arguments)
    stack = running(given.state)
    answer = app.get(stack, "status")
    if given.json:
        print(json.dumps(answer, indent=1))
    else:
        _print(stack, answer)
    return 0


def _print(stack: Stack, answer: dict[str, Any]) -> None:
    parts = [{"part": name, "pid": process.pid, "log": str(stack.log(name))} for name in PARTS
             if (process := stack.process(name))]  # fmt: skip
    tables.show("Running", parts, ("part", "pid", "log"))
    datasets = [{**row, "serving": _serving(row.get("serving"))} for row in answer.get("datasets", [])]
    tables.show("Datasets", datasets, DATASET)
    for name, columns in SECTIONS.items():
        tables.show(name.capitalize(), answer.get(name, []), columns)


def _serving(released: dict[str, Any] | None) -> str:
    return (
        f"model {released['version']} ({released['endpoint']}/{released['deployment']})" if released else ""
    )
