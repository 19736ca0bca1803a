"""Upload CSV files as anybody would, with azure-storage-blob: to train on, to score, or what calls brought."""

from __future__ import annotations

from pathlib import Path

from commands.stack.arguments import parser, running
from commands.stack.errors import StackError
from commands.stack.upload import upload


def main(arguments: list[str]) -> int:
    made = parser("drop", __doc__)
    made.add_argument("file", type=Path, nargs="+", metavar="FILE", help="a CSV file")
    what = made.add_mutually_exclusive_group()
    what.add_argument("--scoring", action="store_true", help="clients to score, not to train on")
    what.add_argument("--outcomes", action="store_true", help="what calls brought, to join to the scores")
    made.add_argument(
        "--batch",
        metavar="ID",
        help="with --outcomes: whose clients were called (default: the column `batch`)",
    )
    made.add_argument("--name", help="the blob's name (default: the file's)")
    given = made.parse_args(arguments)
    if given.name and len(given.file) > 1:
        raise StackError("--name is for one file.")
    if given.batch and not given.outcomes:
        raise StackError("--batch goes with --outcomes.")
    missing = [str(file) for file in given.file if not file.is_file()]
    if missing:
        raise StackError(f"there is no file {', '.join(missing)}.")
    container = "scoring" if given.scoring else "outcomes" if given.outcomes else "incoming"
    stack = running(given.state, "storage")
    for file in given.file:
        name = "/".join([*([given.batch] if given.batch else []), given.name or file.name])
        upload(stack, container, name, file)
        follow = "outcomes --files" if given.outcomes else f"trace {container}/{name}"
        print(f"{container}/{name}  ({file.stat().st_size:,} bytes)   follow it: ./dev {follow}")
    return 0
