"""Deploy the package, smoke-test it, go back to the one before.

deploy    the package that `./dev package` made is kept, by digest, and runs from now on
smoke     does it answer, is it closed to strangers, has it all its functions, does a canary file go round
rollback  the newest package that passed runs again; nothing is built
list      what was deployed, newest first, and how each did

Into Azure where SERVICE_WORK_NAME is set, as `azd env get-values` says it; else into the running embedded Azure.
docs/operations/delivery.md has the whole way.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict
from pathlib import Path

from commands import ROOT
from commands.client import tables
from commands.client.output import as_json
from commands.client.target import BAD, FINE, command
from commands.deployment.delivery import Delivery
from commands.deployment.kept_packages import KeptPackages
from commands.deployment.patience import Patience
from commands.deployment.target import Target
from commands.packaging import libraries
from commands.packaging.manifest import Manifest
from commands.stack.arguments import parser, running
from commands.stack.errors import storage_in_words

COLUMNS = ("at", "release", "state", "back_from", "commit", "sha256")


@command
@storage_in_words()
def main(arguments: list[str]) -> int:
    made = parser("release", __doc__)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument("what", choices=("deploy", "smoke", "rollback", "list"))
    made.add_argument(
        "--package", type=Path, metavar="MANIFEST",
        help="of the package to deploy (default: .package/campanha-$CAMPANHA_PYTHON.json)",
    )  # fmt: skip
    made.add_argument(
        "--smoke", action="store_true", help="deploy: smoke-test it as well, and roll back where that fails"
    )
    made.add_argument(
        "--minutes", type=float, help="how long roles and instances may take (default: 30 in Azure, 1 here)"
    )
    made.add_argument("--json", action="store_true", help="list: for programs")
    given = made.parse_args(arguments)
    delivery = _delivery(given)
    match given.what:
        case "deploy":
            return _deploy(delivery, given)
        case "smoke":
            return FINE if delivery.smoke() else BAD
        case "rollback":
            return FINE if delivery.rollback() else BAD
        case _:
            return _list(delivery, given_json=given.json)


def _deploy(delivery: Delivery, given: argparse.Namespace) -> int:
    file = given.package or ROOT / ".package" / f"campanha-{libraries.wanted()}.json"
    delivery.deploy(Manifest.read(file), file.with_suffix(".zip"))
    if not given.smoke or delivery.smoke():
        return FINE
    delivery.rollback()
    return BAD  # what was to run does not


def _list(delivery: Delivery, *, given_json: bool) -> int:
    found = [asdict(each) for each in reversed(delivery.kept.history().deployments)]
    if given_json:
        as_json({"value": found})
    else:
        shown = [{**each, "commit": each["commit"][:12], "sha256": each["sha256"][:12]} for each in found]
        tables.show("Deployments", shown, COLUMNS)
    return FINE


def _delivery(given: argparse.Namespace) -> Delivery:
    in_azure = bool(os.environ.get("SERVICE_WORK_NAME"))
    minutes = given.minutes or (30 if in_azure else 1)
    patience = (
        Patience(minutes=minutes, say=_say) if in_azure else Patience(minutes=minutes, say=_say, look=0.3)
    )
    target = _azure(patience) if in_azure else _stack(given.state)
    return Delivery(target, KeptPackages(target.storage(), patience), patience, _say)


def _azure(patience: Patience) -> Target:
    from commands.deployment.in_azure import InAzure

    return InAzure.of_environment(patience)


def _stack(state: Path) -> Target:
    from commands.deployment.on_the_stack import OnTheStack

    return OnTheStack(running(state))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
