"""List what happened, newest first, or go on as it happens; `replay` has subscribers told of a span of it once more.

`./dev events serve` starts Event Grid alone.
"""

from __future__ import annotations

import json

from commands.client import tables
from commands.client.event_line import COLUMNS, row
from commands.client.output import acted, as_json, listing
from commands.client.status_api import Client, Json
from commands.client.target import FINE, command, find, parser
from commands.stack import alone


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["serve"]:
        return alone.run("events", arguments[1:])
    return _replay(arguments[1:]) if arguments[:1] == ["replay"] else _list(arguments)


@command
def _replay(arguments: list[str]) -> int:
    """Has the events of a span delivered to subscribers once more, each with the id that it always had."""
    made = parser("events replay", _replay.__doc__)
    made.add_argument("--since", required=True, metavar="TIME", help="from then on: 2026-11-24T09:00:00Z")
    made.add_argument("--until", metavar="TIME", help="before this time (default: now)")
    made.add_argument("--type", metavar="PREFIX", help="only types that begin so, such as Campanha.Model")
    made.add_argument("--subscriber", metavar="NAME", help="only to this one (default: to all)")
    made.add_argument(
        "--dry-run", action="store_true", help="say how many, which and to whom; deliver nothing"
    )
    made.add_argument("--reason", default="", help="why; written to the audit trail")
    given = made.parse_args(arguments)
    span = {"since": given.since, "until": given.until, "type": given.type, "subscriber": given.subscriber}
    span = {name: value for name, value in span.items() if value}
    client = find(given).client
    if given.dry_run:
        return _planned(client.get("events/replay", **span), given_json=given.json)
    done = "They are delivered; `./dev failures` shows what a subscriber did not take."
    return acted(client, "events/replay", reason=given.reason, given_json=given.json, done=done, more=span)


def _planned(plan: Json, *, given_json: bool) -> int:
    if given_json:
        as_json(plan)
        return FINE
    for id_ in plan["ids"]:
        print(id_)
    more = plan["count"] - len(plan["ids"])
    print(
        f"{f'and {more} more; ' if more else ''}{plan['count']} events, to {', '.join(plan['subscribers'])}."
    )
    print("Nothing was delivered: without --dry-run they are, each with this id.")
    return FINE


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
