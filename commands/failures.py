"""List the dead letters: what failed as often as it may; show one; or have one, or all that wait, tried again."""

from __future__ import annotations

from commands.client import states
from commands.client.output import acted, as_json, end_of, listing, values
from commands.client.status_api import Client, Json
from commands.client.target import FINE, command, find, parser

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
    made.add_argument("--reason", default="", help="why; written to the audit trail")
    given = made.parse_args(arguments)
    if given.retry and not given.failure:
        made.error("--retry needs a FAILURE; --retry-all tries all again that wait")
    client = find(given).client
    if given.retry_all:
        return _retry_all(client, given.reason, given_json=given.json)
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


def _retry_all(client: Client, reason: str, *, given_json: bool) -> int:
    waiting = client.listed("failures", most=MOST, state=WAITS)
    for number, failure in enumerate(waiting, 1):
        client.post(f"failures/{failure['id']}/retry", {"reason": reason} if reason else {})
        if not given_json and number % 100 == 0:
            print(f"{number} of {len(waiting)}")
    if given_json:
        ids: Json = {"value": [failure["id"] for failure in waiting]}
        as_json(ids)
    else:
        print(f"{len(waiting)} tried again. `./dev failures --only {WAITS}` shows what fails again.")
    return FINE
