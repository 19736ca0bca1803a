"""Copy the ledger into a file, while the app runs: the tables are the one thing that storage cannot bring back.

Blobs have versions and a soft delete; copy them after the ledger, with azcopy. docs/operations/backup.md has the whole.
"""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path

from commands.client.target import FINE
from commands.setup.disk import megabytes
from commands.stack.arguments import parser
from commands.stack.errors import storage_in_words
from shared.package_data import release

CLOCKS_DIFFER = timedelta(seconds=5)
"""Of storage's servers: what was done that shortly before is done again, which costs only work."""


@storage_in_words()
def main(arguments: list[str]) -> int:
    made = parser("backup", __doc__)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument("file", type=Path, help="where to; a file of that name is replaced")
    given = made.parse_args(arguments)
    from commands.recovery import file, place
    from commands.recovery.snapshot import snapshot

    tables = place.tables(given.state)
    cut = tables.time() - CLOCKS_DIFFER
    head = file.Head(taken=cut.isoformat(), release=release())
    rows = file.write(given.file, head, snapshot(tables.present, tables.past, cut=cut))
    print(f"{rows:,} rows as of {head.taken}: {given.file}, {megabytes(given.file.stat().st_size)}")
    return FINE
