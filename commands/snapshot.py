"""Named copies of the whole embedded Azure: save one, list them, go back to one, or run one beside what runs.

`load` puts the state folder back to what it was and starts it: what happened since is gone. `fork` makes another
state folder of it, with other ports, and starts that. `list --json` is for programs.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict
from pathlib import Path

from commands import ROOT
from commands.client.target import FINE
from commands.setup.disk import megabytes
from commands.stack import progress, supervisor
from commands.stack.arguments import default_state
from commands.stack.snapshots import Snapshot, Snapshots
from commands.stack.state import Stack


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    snapshots, began = Snapshots(given.snapshots), time.monotonic()
    if given.what == "list":
        _list(snapshots.all(), is_json=given.json)
    elif given.what == "remove":
        snapshots.remove(given.name)
        print(f"Removed {given.name}.")
    elif given.what == "save":
        made = snapshots.save(Stack(given.state), given.name, replace=given.replace)
        took = time.monotonic() - began
        print(
            f"{made.name}: {megabytes(made.bytes)} of {made.of}, in {took:.1f} s; what runs was paused meanwhile."
        )
        print(f"Back to it: ./dev snapshot load {made.name}")
    else:
        act = snapshots.load if given.what == "load" else snapshots.fork
        stack = act(given.name, given.state.resolve())
        supervisor.up(stack, progress.on_stderr(stack))
        print(
            f"{given.name} runs in {stack.state}, {time.monotonic() - began:.1f} s: ./dev status --state {stack.state}"
        )
    return FINE


def _list(found: list[Snapshot], *, is_json: bool) -> None:
    if is_json:
        print(json.dumps({"value": [asdict(each) for each in found]}, indent=1))
        return
    for each in found:
        print(f"{each.name:<24} {each.taken}  {megabytes(each.bytes):>8}  of {each.of}")
    if not found:
        print("There are none: ./dev snapshot save NAME")


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="./dev snapshot", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--snapshots",
        type=Path,
        default=Path(os.environ.get("CAMPANHA_SNAPSHOTS") or ROOT / ".campanha-snapshots"),
        metavar="DIR",
        help="where they are kept (default: $CAMPANHA_SNAPSHOTS or .campanha-snapshots)",
    )
    verbs = made.add_subparsers(dest="what", required=True, metavar="save|list|load|fork|remove")
    says = {
        "save": "a copy of what there is, under this name; what runs pauses meanwhile",
        "load": "go back to it: the state folder is what it was then, and runs",
        "fork": "run it beside: in another state folder, on other ports",
        "remove": "forget it",
    }
    for verb, what in says.items():
        of = verbs.add_parser(verb, parents=[common], help=what, description=what)
        of.add_argument("name")
        if verb == "fork":
            of.add_argument("--state", type=Path, required=True, metavar="DIR", help="a new folder")
        elif verb != "remove":
            of.add_argument("--state", type=Path, default=default_state(), metavar="DIR",
                            help="the stack's state (default: $CAMPANHA_STATE or .campanha)")  # fmt: skip
        if verb == "save":
            of.add_argument("--replace", action="store_true", help="in place of the one of that name")
    listed = verbs.add_parser("list", parents=[common], help="all there are, with time, size and versions")
    listed.add_argument("--json", action="store_true", help="for programs")
    return made
