"""Show what serves, what runs, what came last, and what needs a person."""

from __future__ import annotations

import json
from typing import Any

from commands import app, tables
from commands.arguments import parser, running
from commands.parts import PARTS
from commands.stack import Stack

DATASET = ("dataset", "version", "gathering", "run")
SECTIONS = {
    "uploads": ("name", "state", "rows", "rejected", "dataset_version", "updated"),
    "runs": ("id", "state", "dataset", "version", "updated"),
    "models": ("id", "state", "verdict", "reason", "updated"),
    "batches": ("id", "state", "model", "rows", "output", "updated"),
    "failures": ("id", "state", "queue", "reason", "updated"),
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
    datasets = [{**row, **_serving(row)} for row in answer.get("datasets", [])]
    tables.show("Datasets", datasets, (*DATASET, "serving"))
    for name, columns in SECTIONS.items():
        tables.show(name.capitalize(), answer.get(name, []), columns)


def _serving(row: dict[str, Any]) -> dict[str, Any]:
    serving = row.get("serving")
    return {
        "serving": ", ".join(f"{k} {v}" for k, v in serving.items()) if isinstance(serving, dict) else serving
    }
