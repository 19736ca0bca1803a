"""List files with rejected rows; show why, row by row; check a file again, readmit its rejected rows, or discard it."""

from __future__ import annotations

from commands.client import states, tables
from commands.client.output import acted, as_json, end_of, listing
from commands.client.status_api import Json
from commands.client.target import command, find, parser

COLUMNS = ("name", "state", "rows", "wholeFile", "reason", "lastModifiedAt")
VIOLATION = ("line", "column", "value", "rule", "remedy")
DONE = {
    "retry": "It is validated against the contract again. `./dev trace NAME` follows it.",
    "readmit": "Its rejected rows that can be typed join the next dataset version; rules on values are waived.",
    "discard": "Discarded: it needs nobody any more.",
}


@command
def main(arguments: list[str]) -> int:
    made = parser("quarantine", __doc__)
    made.add_argument("name", nargs="?", help="one file (default: the list)")
    made.add_argument("--only", metavar="STATE", help=states.choices("quarantine"))
    made.add_argument("--most", type=int, default=20, metavar="N", help="how many at most (default: 20)")
    doing = made.add_mutually_exclusive_group()
    for action, meaning in (
        ("retry", "check it again"),
        ("readmit", "let its rejected rows in, with the contract's rules on values waived"),
        ("discard", "it needs nobody"),
    ):
        doing.add_argument(f"--{action}", dest="action", action="store_const", const=action, help=meaning)
    made.add_argument(
        "--upload",
        metavar="ID",
        help="an older file of this name: its `upload` in --json (default: the newest)",
    )
    made.add_argument("--reason", help="why; written to the audit trail")
    given = made.parse_args(arguments)
    if given.action and not given.name:
        made.error(f"--{given.action} needs the file's name")
    if given.action in ("readmit", "discard") and not given.reason:
        made.error(f"--{given.action} needs a --reason")
    client = find(given).client
    if given.action:
        path = f"quarantine/{given.name}/{given.action}"
        done = DONE[given.action].replace("NAME", given.name)
        which = {"upload": given.upload}
        return acted(client, path, query=which, reason=given.reason, given_json=given.json, done=done)
    if given.name:
        return _one(client.get(f"quarantine/{given.name}", upload=given.upload), given_json=given.json)
    found = client.listed("quarantine", most=given.most, state=given.only)
    return listing("Quarantine", found, COLUMNS, given_json=given.json)


def _one(found: Json, *, given_json: bool) -> int:
    if given_json:
        as_json(found)
        return end_of(found["upload"])
    upload = found["upload"]
    counted = f"{upload.get('rejectedRows')} rows were rejected, {upload.get('rows')} admitted."
    print(f"{upload['name']}: {upload.get('reason') or counted}\n")
    summary = [{"rule": rule, "count": count} for rule, count in found["violationsByRule"].items()]
    tables.show("Which rules, how often", summary, ("count", "rule"))
    violations = [{**one, "column": one["column"] or "whole line"} for one in found["violations"]]
    tables.show("Faults", violations, VIOLATION)
    print(f"The full report: {found['reportBlob']}" if found["hasMore"] else "These are all.")
    print(f"Mend the file and drop it again, or: ./dev quarantine '{upload['name']}' --readmit --reason WHY")
    return end_of(upload)
