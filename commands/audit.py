"""List the audit trail: who requested what, newest first; with --verify, check its hash chain entry by entry."""

from __future__ import annotations

from commands.client import tables
from commands.client.output import as_json, listing
from commands.client.status_api import Json
from commands.client.target import BAD, FINE, command, find, parser
from shared.domain.audit import broken_at

COLUMNS = ("sequence", "recordedAt", "action", "caller", "scope", "reason")
EVERYTHING = 10**12


@command
def main(arguments: list[str]) -> int:
    made = parser("audit", __doc__)
    made.add_argument("--most", type=int, default=30, metavar="N", help="how many at most (default: 30)")
    made.add_argument(
        "--verify", action="store_true", help="compute the hashes of all entries again, from the first"
    )
    given = made.parse_args(arguments)
    client = find(given, scope="admin").client
    if given.verify:
        return _verify(client.listed("audit", most=EVERYTHING), given_json=given.json)
    return listing("Audit", client.listed("audit", most=given.most), COLUMNS, given_json=given.json)


def _verify(newest_first: list[Json], *, given_json: bool) -> int:
    """The exit code is for scripts that guard the record."""
    entries = [
        {name: value for name, value in entry.items() if name != "sequence"} for entry in newest_first[::-1]
    ]
    broken = broken_at(entries)
    if given_json:
        as_json({"entries": len(entries), "brokenAt": broken})
    elif broken is None:
        tables.console().print(
            f"All {len(entries):,} entries are as they were written, and none is missing between them."
        )
    else:
        tables.console().print(
            f"Entry {broken} is not what was written, or one before it is missing: hold it against a copy of the"
            f" table from before. The {broken:,} before it are in order."
        )
    return FINE if broken is None else BAD
