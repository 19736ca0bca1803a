"""Upload CSV files as anybody would, with azure-storage-blob: to train on, or with --scoring to score."""

from __future__ import annotations

from pathlib import Path

from commands.stack.arguments import parser, running
from commands.stack.errors import StackError
from commands.stack.upload import upload


def main(arguments: list[str]) -> int:
    made = parser("drop", __doc__)
    made.add_argument("file", type=Path, nargs="+", metavar="FILE", help="a CSV file")
    made.add_argument("--scoring", action="store_true", help="clients to score, not to train on")
    made.add_argument("--name", help="the blob's name (default: the file's)")
    given = made.parse_args(arguments)
    if given.name and len(given.file) > 1:
        raise StackError("--name is for one file.")
    missing = [str(file) for file in given.file if not file.is_file()]
    if missing:
        raise StackError(f"there is no file {', '.join(missing)}.")
    container = "scoring" if given.scoring else "incoming"
    connection_string = running(given.state, "storage").connection_string
    for file in given.file:
        name = given.name or file.name
        upload(connection_string, container, name, file)
        print(
            f"{container}/{name}  ({file.stat().st_size:,} bytes)   follow it: ./dev trace {container}/{name}"
        )
    return 0
