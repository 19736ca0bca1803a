"""Show what became of one file: upload, dataset version, run, model; or the batch it was scored in."""

from __future__ import annotations

import json

from commands import app, tables
from commands.arguments import parser, running

LISTED = ("name", "state", "rows", "reason", "updated")
UNTOLD = ("links", "history")


def main(arguments: list[str]) -> int:
    made = parser("trace", __doc__)
    made.add_argument("name", help="a file: incoming/clients.csv, scoring/clients.csv, or only clients.csv")
    made.add_argument("--json", action="store_true", help="the app's answer as it is")
    given = made.parse_args(arguments)
    answer = app.get(running(given.state), f"trace/{given.name}")
    if given.json:
        print(json.dumps(answer, indent=1))
        return 0
    for kind, link in answer.items():
        title = kind.replace("_", " ").capitalize()
        if isinstance(link, list):
            tables.show(title, link, LISTED)
        elif isinstance(link, dict):
            rows = [{"what": key, "value": value} for key, value in link.items() if key not in UNTOLD]
            tables.show(title, rows, ("what", "value"))
    return 0
