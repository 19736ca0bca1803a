"""List the dataset versions; show one, with what is in doubt about it; answer for its rows (trust)."""

from __future__ import annotations

from commands.client import states
from commands.client.output import acted, as_json, end_of, listing, values
from commands.client.target import command, find, parser, version_path

COLUMNS = ("id", "state", "rows", "run", "doubtedBecause", "trustedBy", "reason", "lastModifiedAt")


@command
def main(arguments: list[str]) -> int:
    made = parser("datasets", __doc__)
    made.add_argument("version", nargs="?", metavar="DATASET:VERSION", help="one version (default: the list)")
    made.add_argument("--only", metavar="STATE", help=states.choices("dataset"))
    made.add_argument("--dataset")
    made.add_argument("--most", type=int, default=20, metavar="N", help="how many at most (default: 20)")
    made.add_argument(
        "--trust",
        action="store_true",
        help="answer for the rows that came in with this version: training doubts them no more",
    )
    made.add_argument("--retrain", action="store_true", help="with --trust: train with them at once")
    made.add_argument("--reason", help="why; kept in the version's record and the audit trail")
    given = made.parse_args(arguments)
    if given.trust and not (given.version and given.reason):
        made.error("--trust needs the version, DATASET:VERSION, and a --reason")
    path = version_path(made, "dataset version", "datasets", given.version) if given.version else ""
    client = find(given).client
    if given.trust:
        query = {"retrain": "true"} if given.retrain else None
        done = f"The rows of {given.version} are trusted."
        return acted(
            client, f"{path}/trust", query=query, reason=given.reason, given_json=given.json, done=done
        )
    if given.version:
        found = client.get(path)
        if given.json:
            as_json(found)
        else:
            values(found)
        return end_of(found)
    listed = client.listed("datasets", most=given.most, state=given.only, dataset=given.dataset)
    return listing("Dataset versions", listed, COLUMNS, given_json=given.json)
