"""What azd and the pipelines call around a deployment.

inputs   what azd is given is complete and can be, or all that is wrong is said at once
publish  the pipelines are published and the endpoints made: before code that may need them
after    the same, and a canary file goes through storage, Event Grid and the app
bicep    the template as Bicep itself compiles and lints it
what-if  what the template would change; the exit code is 1 where something goes, or access that Azure can predict changes

docs/azure.md walks through a deployment, docs/operations/delivery.md through the pipelines.
"""

from __future__ import annotations

import argparse
import os
import sys

from commands.deployment import inputs


def main(arguments: list[str]) -> int:
    made = argparse.ArgumentParser(
        prog="./dev azure", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("what", choices=("inputs", "publish", "after", "bicep", "what-if"))
    made.add_argument(
        "--minutes", type=float, default=30, help="how long roles may take to work (default: %(default)s)"
    )
    made.add_argument("--post", action="store_true", help="what-if: on the pull request as well")
    made.add_argument(
        "--drift",
        action="store_true",
        help="what-if: the exit code is 1 for any change that Azure can predict",
    )
    given = made.parse_args(arguments)
    match given.what:
        case "inputs":
            return _inputs()
        case "publish" | "after":
            return _after(given.minutes, with_canary=given.what == "after")
        case "bicep":
            from commands.deployment.what_if import bicep

            return bicep()
        case _:
            return _what_if(post=given.post, drift=given.drift)


def _inputs() -> int:
    found = list(inputs.faults(os.environ))
    for line in found:
        print(line, file=sys.stderr)
    if found:
        print("Set each by `azd env set NAME VALUE`, then run azd again.", file=sys.stderr)
    return int(bool(found))


def _after(minutes: float, *, with_canary: bool) -> int:
    from commands.deployment.after import after, publish
    from commands.deployment.patience import Patience
    from shared.errors import ConfigurationError
    from shared.settings import read_settings

    try:
        settings = read_settings()
    except ConfigurationError as fault:
        print(f"{fault}\n`azd env refresh` brings the deployment's outputs back.", file=sys.stderr)
        return 2
    return (after if with_canary else publish)(settings, Patience(minutes=minutes))


def _what_if(*, post: bool, drift: bool) -> int:
    from commands.deployment import pull_request, what_if

    found = what_if.changes(os.environ)
    told = what_if.report(found)
    print(told)
    if post:
        print(pull_request.post(told, os.environ))
    return int(any(each.is_grave or (drift and each.is_predicted) for each in found))
