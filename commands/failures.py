"""List the dead letters: what failed as often as it may; show one; or have one, or all that wait, tried again."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime

from commands.client import states
from commands.client.output import acted, as_json, end_of, listing, values
from commands.client.status_api import Client, Json
from commands.client.target import FINE, command, find, parser
from commands.stack.errors import StackError

COLUMNS = ("id", "queue", "about", "state", "reason", "lastModifiedAt")
WAITS = "dead-lettered"
MOST = 10_000


@command
def main(arguments: list[str]) -> int:
    made = parser("failures", __doc__)
    made.add_argument("failure", nargs="?", help="one failure's id (default: the list)")
    made.add_argument("--only", metavar="STATE", help=states.choices("failure"))
    made.add_argument("--most", type=int, default=20, metavar="N", help="how many at most (default: 20)")
    made.add_argument("--retry", action="store_true", help="with FAILURE: have its step tried again")
    made.add_argument("--retry-all", action="store_true", help="the same of all that wait for a person")
    made.add_argument("--since", metavar="TIME", help="with --retry-all: only what was given up from this on")
    made.add_argument("--until", metavar="TIME", help="with --retry-all: only what was given up before this")
    made.add_argument(
        "--dry-run", action="store_true", help="with --retry-all: say what it would try, and try nothing"
    )
    made.add_argument("--reason", default="", help="why; written to the audit trail")
    given = made.parse_args(arguments)
    if (given.since or given.until or given.dry_run) and not given.retry_all:
        made.error("--since, --until and --dry-run go with --retry-all")
    if given.retry and not given.failure:
        made.error("--retry needs a FAILURE; --retry-all tries all again that wait")
    client = find(given).client
    if given.retry_all:
        return _retry_all(client, given)
    if given.retry:
        done = "It is tried again. `./dev failures` shows what came of it."
        path = f"failures/{given.failure}/retry"
        return acted(client, path, reason=given.reason, given_json=given.json, done=done)
    if given.failure:
        found = client.get(f"failures/{given.failure}")
        if given.json:
            as_json(found)
        else:
            values(found)
        return end_of(found)
    listed = client.listed("failures", most=given.most, state=given.only)
    return listing("Failures", listed, COLUMNS, given_json=given.json)


def _retry_all(client: Client, given: Namespace) -> int:
    span = [_moment(given.since), _moment(given.until)]
    listed = client.listed("failures", most=MOST, state=WAITS)
    waiting = [failure for failure in listed if _is_within(failure, *span)]
    if given.dry_run:
        done = f"{len(waiting)} would be tried again; nothing was."
        listing("Would be tried again", waiting, COLUMNS, given_json=given.json)
        return _said(done, given)
    for number, failure in enumerate(waiting, 1):
        client.post(f"failures/{failure['id']}/retry", {"reason": given.reason} if given.reason else {})
        if not given.json and number % 100 == 0:
            print(f"{number} of {len(waiting)}")
    if given.json:
        ids: Json = {"value": [failure["id"] for failure in waiting]}
        as_json(ids)
    return _said(
        f"{len(waiting)} tried again. `./dev failures --only {WAITS}` shows what fails again.", given
    )


def _said(sentence: str, given: Namespace) -> int:
    if not given.json:
        print(sentence)
    return FINE


def _moment(text: str | None) -> datetime | None:
    """A time without a zone is UTC, as in the API; raises: StackError"""
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise StackError(f"{text!r} is no time; write it as 2026-11-24T09:00:00Z") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _is_within(failure: Json, since: datetime | None, until: datetime | None) -> bool:
    at = datetime.fromisoformat(failure["lastModifiedAt"])
    return (since is None or since <= at) and (until is None or at < until)
