"""Start storage, Event Grid and an Azure ML workspace on 127.0.0.1, and print the variables clients need."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from localazure import faults, strict
from localazure.ending import Ending
from localazure.faults.control import file_of
from localazure.locks import only_one
from localazure.private import private_folder
from localazure.storage.installation import provide
from localazure.storage.node import SetupFailed
from localazure.up.addresses import USUAL, Addresses, PortTaken, choose, exports
from localazure.up.examples import NotMade
from localazure.up.parts import NotStarted, Parts, reap
from localazure.workspace.settings import Settings

EPILOG = """\
It runs until Ctrl-C; STATE keeps what it holds. A Functions app runs beside it by `localazure host --app DIR`, in a
terminal that has read the variables. The first start installs Azurite, and Node when there is none (`localazure setup`).
"""


class InUse(Exception):
    """Two would be in each other's way."""


_PROBLEMS = (InUse, PortTaken, NotStarted, NotMade, SetupFailed, OSError)


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; 1 when a part could not start or ended by itself."""
    given = _arguments(arguments)
    began = time.monotonic()
    state: Path = given.state.resolve()
    try:
        provide()
        ending = Ending().on_signals()
        private_folder(state, may_be_anothers=True)
        with only_one(state / "up.lock", check=lambda: _refuse(state)):
            return _serve(given, state, ending, began)
    except _PROBLEMS as problem:
        _say(str(problem))
        return 1


def _refuse(state: Path) -> None:
    raise InUse(f"another `localazure up` runs in {state}: end that one, or choose another folder by --state")


def _serve(given: argparse.Namespace, state: Path, ending: Ending, began: float) -> int:
    """The exit code, once all has ended. raises: PortTaken"""
    reap(state)  # before: they have the ports
    ports = choose(state, {name: getattr(given, f"{name}_port") for name in USUAL})
    addresses = Addresses(
        state=state,
        ports=ports,
        subscription=given.subscription,
        resource_group=given.resource_group,
        workspace=given.workspace,
    )
    parts = Parts(addresses, given.strict, faults=given.faults)
    try:
        for name in parts.start():
            _say(f"{name} serves, {time.monotonic() - began:.1f} s")
            if ending.wait(0):
                return 0
        _tell(parts, given_json=given.json)
        while not (ended := parts.ended()) and not ending.wait(0.2):
            pass
    except _PROBLEMS as problem:
        _say(str(problem))
        return 1
    finally:
        parts.stop()
    if ended:
        _say(f"{ended} ended by itself; see {parts.log(ended)}")
    return int(ended is not None)


def _say(line: str) -> None:
    print(f"localazure: {line}", file=sys.stderr, flush=True)


def _tell(parts: Parts, *, given_json: bool) -> None:
    """What clients need: on stdout, and in a file that another terminal can read."""
    addresses = parts.addresses
    variables = addresses.environment()
    if parts.faults:
        variables[faults.VARIABLE] = str(file_of(addresses.state))
    file = addresses.write_environment(variables)
    if given_json:
        told = {
            "environment": variables,
            "environment_file": str(file),
            "state": str(addresses.state),
            "storage": addresses.storage,
            "events": addresses.events,
            "workspace": addresses.workspace_settings.base,
        }
        print(json.dumps(told), flush=True)
        return
    print("".join(exports(variables)), end="", flush=True)
    _say(f"up in {addresses.state} until Ctrl-C; in another terminal: source {file}")


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    made = argparse.ArgumentParser(
        prog="localazure up", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )  # fmt: skip
    made.add_argument(
        "--state", type=Path, default=Path(".localazure"), help="folder for all it holds (.localazure)"
    )
    made.add_argument("--json", action="store_true", help="one JSON object on stdout, once all serve")
    for name, usual in USUAL.items():
        made.add_argument(
            f"--{name}-port", type=int, metavar="PORT",
            help=f"default: that of the last start; else {usual}, or a free one when that is taken",
        )  # fmt: skip
    strict.add_option(made)
    made.add_argument(
        "--faults", action="store_true", help="let `localazure faults`, and Python, make calls of it fail"
    )
    made.add_argument("--subscription", default=Settings.subscription)
    made.add_argument("--resource-group", default=Settings.resource_group)
    made.add_argument("--workspace", default=Settings.workspace)
    return made.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
