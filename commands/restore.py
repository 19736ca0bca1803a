"""Fill empty tables with a backup of the ledger. Stop the app first; when it runs again, it finds what it has missed.
Of the embedded Azure, `./dev down` stops it, and this starts the storage alone.

docs/operations/backup.md has the whole: what comes back by itself, and what to look at.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from commands.client.target import FINE
from commands.stack.arguments import parser
from commands.stack.errors import storage_in_words


@storage_in_words()
def main(arguments: list[str]) -> int:
    made = parser("restore", __doc__)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument("file", type=Path, help="what `./dev backup` wrote")
    made.add_argument("--over", action="store_true", help="go on with a restore that broke off")
    given = made.parse_args(arguments)
    from commands.recovery import file, place

    head, rows = file.read(given.file)
    place.tables_to_fill(given.state).fill(rows, over=given.over)
    print(
        f"{len(rows):,} rows, as they were at {head.taken}, are back. Start the app: it goes on from there."
    )
    return FINE
