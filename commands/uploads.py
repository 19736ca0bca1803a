"""List the files dropped to train on; show one, what learned from it and what that scored; withdraw one."""

from __future__ import annotations

from commands.client import states, tables
from commands.client.drift import show_drift
from commands.client.output import acted, as_json, end_of, listing, values
from commands.client.status_api import Client, Json
from commands.client.target import command, find, parser

COLUMNS = ("name", "state", "rows", "rejectedRows", "datasetVersion", "reason", "lastModifiedAt")
LEARNED = ("id", "state", "deployment", "reason", "lastModifiedAt")
SCORED = ("name", "id", "state", "modelVersion", "rows", "lastModifiedAt")
MOST_MODELS = 10
MODELS_SHOWN_WITH_BATCHES = 3
"""The newest; each is asked for by itself."""


@command
def main(arguments: list[str]) -> int:
    made = parser("uploads", __doc__)
    made.add_argument("name", nargs="?", help="one file (default: the list)")
    made.add_argument("--only", metavar="STATE", help=states.choices("upload"))
    made.add_argument("--dataset")
    made.add_argument("--most", type=int, default=20, metavar="N", help="how many at most (default: 20)")
    made.add_argument(
        "--withdraw", action="store_true", help="take it out: the next dataset version lacks its rows"
    )
    made.add_argument("--retrain", action="store_true", help="with --withdraw: train without it at once")
    made.add_argument(
        "--upload", metavar="ID", help="with --withdraw: an older file of this name (default: the newest)"
    )
    made.add_argument("--reason", help="why; kept in the upload's record and the audit trail")
    given = made.parse_args(arguments)
    if given.withdraw and not (given.name and given.reason):
        made.error("--withdraw needs the file's name and a --reason")
    client = find(given).client
    if given.withdraw:
        query = {"upload": given.upload, **({"retrain": "true"} if given.retrain else {})}
        done = f"{given.name} is withdrawn."
        path = f"uploads/{given.name}/withdraw"
        return acted(client, path, query=query, reason=given.reason, given_json=given.json, done=done)
    if given.name:
        return _one(client, client.get(f"uploads/{given.name}"), given_json=given.json)
    found = client.listed("uploads", most=given.most, state=given.only, dataset=given.dataset)
    return listing("Uploads", found, COLUMNS, given_json=given.json)


def _one(client: Client, upload: Json, *, given_json: bool) -> int:
    if given_json:
        as_json(upload)
        return end_of(upload)
    values(upload)
    show_drift(upload)
    if "models" in upload["links"]:
        models = client.listed("models", most=MOST_MODELS, upload=upload["id"])
        tables.show("Models that learned from it", models, LEARNED)
        for model in models[:MODELS_SHOWN_WITH_BATCHES]:
            batches = client.listed("batches", most=5, model=model["id"])
            tables.show(f"Scored by model {model['id']}", batches, SCORED)
    return end_of(upload)
