"""List the training runs; show one with its steps; wait for one to end; retrain a dataset now."""

from __future__ import annotations

from commands.client import states, tables
from commands.client.output import acted, as_json, end_of, listing, values
from commands.client.status_api import Client, Json
from commands.client.target import command, find, parser
from commands.client.timeline import steps, took

COLUMNS = ("id", "dataset", "version", "state", "took", "reason", "lastModifiedAt")


@command
def main(arguments: list[str]) -> int:
    made = parser("runs", __doc__)
    made.add_argument("run", nargs="?", help="one run's name (default: the list)")
    made.add_argument("--only", metavar="STATE", help=states.choices("run"))
    made.add_argument("--dataset")
    made.add_argument("--most", type=int, default=20, metavar="N", help="how many at most (default: 20)")
    made.add_argument("--wait", action="store_true", help="with RUN: wait until it is over")
    made.add_argument("--retrain", metavar="DATASET", help="train on what has gathered, now")
    given = made.parse_args(arguments)
    if given.wait and not given.run:
        made.error("--wait needs a RUN")
    client = find(given).client
    if given.retrain:
        done = "A run is due. `./dev watch` shows it."
        return acted(client, f"datasets/{given.retrain}/retrain", given_json=given.json, done=done)
    if given.run:
        return _one(client, given.run, wait=given.wait, given_json=given.json)
    found = client.listed("runs", most=given.most, state=given.only, dataset=given.dataset)
    shown = found if given.json else [{**run, "took": took(run)} for run in found]
    return listing("Runs", shown, COLUMNS, given_json=given.json)


def _one(client: Client, name: str, *, wait: bool, given_json: bool) -> int:
    run: Json = {}
    for run in client.changes(f"runs/{name}"):
        if not wait or not states.is_going(run):
            break
        if not given_json:
            tables.console().print(steps(run))
    if given_json:
        as_json(run)
    else:
        values(run)
        tables.console().print(steps(run))
    return end_of(run)
