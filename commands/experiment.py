"""Search for a better recipe on a dataset's newest version; without a dataset, the experiments that there were.

What is found challenges the live recipe from the next version on; nothing goes live by it.
"""

from __future__ import annotations

from commands.client import tables
from commands.client.output import acted, listing, values
from commands.client.status_api import Client, Json
from commands.client.target import FINE, command, find, parser

COLUMNS = ("id", "dataset", "version", "state", "recipe", "trials", "reason", "lastModifiedAt")
BEST = ("name", "logLoss", "difference", "low", "high", "drops", "seconds", "ended")


@command
def main(arguments: list[str]) -> int:
    made = parser("experiment", __doc__)
    made.add_argument("dataset", nargs="?", help="the dataset to experiment on, now (default: the list)")
    made.add_argument("--run", metavar="RUN", help="one experiment's run, with its best trials")
    made.add_argument("--most", type=int, default=20, metavar="N", help="how many at most (default: 20)")
    given = made.parse_args(arguments)
    if given.run and given.dataset:
        made.error("give a DATASET or a --run, not both")
    client = find(given).client
    if given.dataset:
        done = "The search is over: `./dev experiment` shows what it found."
        return acted(client, f"datasets/{given.dataset}/experiment", given_json=given.json, done=done)
    if given.run:
        return _one(client, given.run, given_json=given.json)
    runs = client.listed("runs", most=given.most * 10)
    found = [run for run in runs if run.get("pipeline") == "experimentation"][: given.most]
    return listing("Experiments", found, COLUMNS, given_json=given.json)


def _one(client: Client, name: str, *, given_json: bool) -> int:
    run: Json = client.get(f"runs/{name}")
    best = [_trial(trial) for trial in run.get("best", [])]
    if given_json:
        return listing("Trials", best, BEST, given_json=True)
    values(run)
    tables.show("Best trials", best, BEST)
    return FINE


def _trial(trial: Json) -> Json:
    figures = ("logLoss", "difference", "differenceLow", "differenceHigh")
    rounded = {name: round(trial[name], 4) for name in figures if name in trial}
    shown = {**trial, **rounded}
    return {**shown, "low": shown.get("differenceLow"), "high": shown.get("differenceHigh")}
