"""List what happened, newest first; or go on as it happens. `./dev events serve` starts Event Grid alone."""

from __future__ import annotations

import json

from commands.client import tables
from commands.client.event_line import COLUMNS, row
from commands.client.output import listing
from commands.client.status_api import Client, Json
from commands.client.target import FINE, command, find, parser
from commands.stack import alone


def main(arguments: list[str]) -> int:
    return alone.run("events", arguments[1:]) if arguments[:1] == ["serve"] else _list(arguments)


@command
def _list(arguments: list[str]) -> int:
    made = parser("events", __doc__)
    made.add_argument("--dataset")
    made.add_argument("--since", metavar="TIME", help="only later than this, such as 2026-11-24T09:00:00Z")
    made.add_argument("--most", type=int, default=30, metavar="N", help="how many at most (default: 30)")
    made.add_argument(
        "--follow", action="store_true", help="then each as it happens, one a line, until Ctrl-C"
    )
    given = made.parse_args(arguments)
    client = find(given).client
    found = client.listed("events", most=given.most, dataset=given.dataset, since=given.since)
    if given.follow:
        return _follow(client, found, given_json=given.json)
    shown = found if given.json else [row(event) for event in found]
    return listing("Events", shown, COLUMNS, given_json=given.json)


def _follow(client: Client, found: list[Json], *, given_json: bool) -> int:
    printed: set[str] = set()
    _print_new(found, printed, given_json=given_json)
    try:
        for _ in client.changes("status"):
            _print_new(client.listed("events", most=100), printed, given_json=given_json)
    except KeyboardInterrupt:
        return FINE
    return FINE


def _print_new(newest: list[Json], printed: set[str], *, given_json: bool) -> None:
    """Prints those not printed yet, oldest first."""
    for event in reversed(newest):
        if event["id"] in printed:
            continue
        printed.add(event["id"])
        if given_json:
            print(json.dumps(event, ensure_ascii=False), flush=True)
        else:
            shown = row(event)
            words = "  ".join(
                filter(None, (shown["time"][:19], f"{shown['what']:<18}", shown["about"], shown["reason"]))
            )
            tables.console().print(words, markup=False, soft_wrap=True)
