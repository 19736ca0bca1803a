"""List what happened, newest first, or go on as it happens; `replay` has subscribers told of a span of it once more.

`./dev events serve` starts Event Grid alone.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator

from commands.client import tables
from commands.client.event_line import COLUMNS, row
from commands.client.output import acted, as_json, listing
from commands.client.status_api import Client, Json
from commands.client.target import FINE, command, find, parser
from commands.stack import alone


def main(arguments: list[str]) -> int:
    return alone.run("events", arguments[1:]) if arguments[:1] == ["serve"] else _events(arguments)


@command
def _events(arguments: list[str]) -> int:
    made = parser("events", __doc__)
    made.add_argument("do", nargs="?", choices=["list", "replay"], default="list")
    made.add_argument("--since", metavar="TIME", help="only later than this, such as 2026-11-24T09:00:00Z")
    listed = made.add_argument_group("list")
    listed.add_argument("--dataset")
    listed.add_argument("--most", type=int, default=30, metavar="N", help="how many at most (default: 30)")
    listed.add_argument(
        "--follow", action="store_true", help="then each as it happens, one a line, until Ctrl-C"
    )
    again = made.add_argument_group("replay: subscribers are told once more, with the ids of then")
    again.add_argument("--until", metavar="TIME", help="only before this time (default: now)")
    again.add_argument("--type", metavar="PREFIX", help="only types that begin so, such as Campanha.Model")
    again.add_argument("--subscriber", metavar="NAME", help="only to this one (default: to all)")
    again.add_argument(
        "--dry-run", action="store_true", help="say how many, which and to whom; deliver nothing"
    )
    again.add_argument("--reason", default="", help="why; written to the audit trail")
    given = made.parse_args(arguments)
    if given.do == "replay" and not given.since:
        made.error("replay needs --since TIME; --dry-run says what it would deliver")
    if given.do == "list" and (given.until or given.type or given.subscriber or given.dry_run):
        made.error("--until, --type, --subscriber and --dry-run go with replay")
    client = find(given).client
    return _replay(client, given) if given.do == "replay" else _list(client, given)


def _replay(client: Client, given: Namespace) -> int:
    span = {"startsAt": given.since, "endsAt": given.until, "type": given.type}
    span = {name: value for name, value in {**span, "subscriber": given.subscriber}.items() if value}
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


def _list(client: Client, given: Namespace) -> int:
    wanted = {"dataset": given.dataset, "since": given.since}
    if given.follow:
        return _follow(client.followed("events", most=given.most, **wanted), given_json=given.json)
    found = client.listed("events", most=given.most, **wanted)
    shown = found if given.json else [row(event) for event in found]
    return listing("Events", shown, COLUMNS, given_json=given.json)


def _follow(events: Iterator[Json], *, given_json: bool) -> int:
    try:
        for event in events:
            if given_json:
                print(json.dumps(event, ensure_ascii=False), flush=True)
            else:
                tables.console().print(_line(event), markup=False, soft_wrap=True)
    except KeyboardInterrupt:
        return FINE
    return FINE


def _line(event: Json) -> str:
    shown = row(event)
    words = (shown["time"][:19], f"{shown['what']:<18}", shown["about"], shown["reason"])
    return "  ".join(filter(None, words))
