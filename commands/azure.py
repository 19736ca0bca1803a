"""What azd calls around a deployment.

inputs  what it is given is complete and can be, or all that is wrong is said at once
after   the pipelines are published, the endpoints made, and a canary file goes through storage, Event Grid and the app

docs/azure.md walks through a deployment.
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
    made.add_argument("what", choices=("inputs", "after"))
    made.add_argument(
        "--minutes", type=float, default=30, help="how long roles may take to work (default: %(default)s)"
    )
    given = made.parse_args(arguments)
    return _inputs() if given.what == "inputs" else _after(given.minutes)


def _inputs() -> int:
    found = list(inputs.faults(os.environ))
    for line in found:
        print(line, file=sys.stderr)
    if found:
        print("Set each by `azd env set NAME VALUE`, then run azd again.", file=sys.stderr)
    return int(bool(found))


def _after(minutes: float) -> int:
    from commands.deployment.after import after
    from commands.deployment.patience import Patience
    from shared.errors import ConfigurationError
    from shared.settings import read_settings

    try:
        settings = read_settings()
    except ConfigurationError as fault:
        print(f"{fault}\n`azd env refresh` brings the deployment's outputs back.", file=sys.stderr)
        return 2
    return after(settings, Patience(minutes=minutes))
