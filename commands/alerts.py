"""List the alerts: what is the matter now, and what was; show one; or send a test message through every channel."""

from __future__ import annotations

from commands.client import states, tables
from commands.client.output import as_json, listing, values
from commands.client.status_api import Client, Json
from commands.client.target import BAD, FINE, command, find, parser

COLUMNS = (
    "name",
    "severity",
    "state",
    "affectedCount",
    "dataset",
    "says",
    "mend",
    "startedAt",
    "overAt",
    "id",
)
CHANNELS = ("name", "status", "deliveredAt", "failingStartedAt", "problem")
DELIVERIES = ("channel", "outcome", "problem")
NOBODY = "No alert channel is set up: nobody is told. docs/alerts.md says how."


@command
def main(arguments: list[str]) -> int:
    made = parser("alerts", __doc__)
    made.add_argument("alert", nargs="?", help="one alert's id (default: the list)")
    made.add_argument("--only", metavar="STATE", help=states.choices("alert"))
    made.add_argument("--dataset")
    made.add_argument("--most", type=int, default=20, metavar="N", help="how many at most (default: 20)")
    made.add_argument(
        "--test", action="store_true", help="send a test message, and say what came of it where"
    )
    given = made.parse_args(arguments)
    client = find(given).client
    if given.test:
        return _test(client, given_json=given.json)
    if given.alert:
        return _one(client, given.alert, given_json=given.json)
    found = client.listed("alerts", most=given.most, state=given.only, dataset=given.dataset)
    if given.json:
        return listing("Alerts", found, COLUMNS, given_json=True)
    listing("Alerts", found, COLUMNS, given_json=False)
    return _channels(client)


def _one(client: Client, alert: str, *, given_json: bool) -> int:
    found = client.get(f"alerts/{alert}")
    if given_json:
        as_json(found)
    else:
        values(found)
        print(f"docs/runbook.md#{found['name']} says what it means, and how to know that it is over.")
    return BAD if found["state"] == "raised" else FINE


def _channels(client: Client) -> int:
    notifier = client.get("status")["notifier"]
    if notifier["status"] == "none":
        print(NOBODY)
        return FINE
    tables.show("Channels", notifier["channels"], CHANNELS)
    if notifier["status"] == "fail":
        print("Nobody can be told: every channel fails. `./dev alerts --test` tries them again.")
    return BAD if notifier["status"] in ("warn", "fail") else FINE


def _test(client: Client, *, given_json: bool) -> int:
    asked = client.post("alert-channels/test", {})
    operation: Json = {}
    for operation in client.changes(f"operations/{asked['id']}"):
        if operation["status"] in ("Succeeded", "Failed"):
            break
    test = client.get(operation["resourceLocation"].removeprefix("/api/"))
    fine = test["state"] == "over"
    if given_json:
        as_json(test)
    elif not test.get("deliveries"):
        print(NOBODY)
    else:
        tables.show("Test message", test["deliveries"], DELIVERIES)
    return FINE if fine else BAD
