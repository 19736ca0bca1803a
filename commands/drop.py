"""Upload CSV files as anybody would, with azure-storage-blob: to train on, to score, or what calls brought."""

from __future__ import annotations

import os
import shlex
from argparse import Namespace
from pathlib import Path

from commands.stack.arguments import default_state, parser, running
from commands.stack.errors import StackError
from commands.stack.state import Stack
from commands.stack.upload import upload


def main(arguments: list[str]) -> int:
    made = parser("drop", __doc__)
    made.add_argument("file", type=Path, nargs="+", metavar="FILE", help="a CSV file")
    made.add_argument("--url", help="for a deployed app's address it only says what to do instead")
    made.set_defaults(state=None)
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
    names = [
        "/".join([*([given.batch] if given.batch else []), given.name or file.name]) for file in given.file
    ]
    _not_elsewhere(given, container, names[0])
    stack = running(given.state or default_state(), "storage")
    for file, name in zip(given.file, names, strict=True):
        upload(stack, container, name, file)
        follow = "outcomes --files" if given.outcomes else f"trace {container}/{name}"
        print(f"{container}/{name}  ({file.stat().st_size:,} bytes)   follow it: ./dev {follow}")
    return 0


def _not_elsewhere(given: Namespace, container: str, name: str) -> None:
    """raises: StackError where a deployed app is named, as the other commands are told of one"""
    url = given.url or (None if given.state else os.environ.get("CAMPANHA_URL"))
    if url and not Stack(given.state or default_state()).answers_at(url):
        raise StackError(
            f"a file for {url} goes into its data account, where this command does not write:\n"
            f"az storage blob upload --auth-mode login --overwrite --account-name ACCOUNT --container-name {container}"
            f" --name {shlex.quote(name)} --file {shlex.quote(str(given.file[0]))}\n"
            "(--state DIR drops it into the embedded Azure all the same.)"
        )
