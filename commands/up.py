"""Start the embedded Azure and the app: what runs already is left alone, what does not is started.

Ports are chosen at the first start and stored. State stays on disk, so a killed part goes on where it was.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from commands import ROOT
from commands.packaging.on_the_stack import run_package
from commands.stack import progress, supervisor
from commands.stack.access import new_secrets
from commands.stack.arguments import parser
from commands.stack.errors import StackError
from commands.stack.settings import app_settings
from commands.stack.state import Stack
from localazure import strict


def main(arguments: list[str]) -> int:
    made = parser("up", __doc__)
    made.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an app setting, stored for later starts (such as GATHER_QUIET_SECONDS=2)",
    )
    made.add_argument(
        "--package",
        action="store_true",
        help="a new state folder's app is what `./dev package` packs, and nothing else",
    )
    strict.add_option(made)
    made.set_defaults(strict=None)  # as the state folder has it; `--strict=` is kind again
    made.add_argument(
        "--roles",
        action="store_true",
        help="identities sign in, and the role assignments of infra/ count; stored for later starts",
    )
    made.add_argument(
        "--faults",
        action=argparse.BooleanOptionalAction,
        help="calls of the embedded Azure can be made to fail (`./dev faults`); stored for later starts",
    )
    given = made.parse_args(arguments)
    stack = Stack(given.state)
    if given.roles:
        stack.use_roles(new_secrets())
    if given.faults is not None:
        stack.use_faults(wanted=given.faults)
    if given.package:
        run_package(stack)
    if given.strict is not None:
        supervisor.be_strict(stack, given.strict)
    started = time.monotonic()
    chosen = _settings(given.set)
    supervisor.up(stack, progress.on_stderr(stack), settings=chosen)
    if chosen:
        _check(stack)
    print(f"\nUp in {time.monotonic() - started:.1f} s. Next: ./dev publish; ./dev drop FILE; ./dev status")
    return 0


def _check(stack: Stack) -> None:
    """What was chosen is stored, and the app would fail at its first message: so it is read once as the app reads it.

    raises: StackError that says which settings are wrong
    """
    reading = "from shared.settings import read_settings; read_settings()"
    env = {**os.environ, **app_settings(stack)}
    read = subprocess.run(
        [sys.executable, "-c", reading], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    if read.returncode:
        fault = read.stderr.rpartition("ConfigurationError: ")[2].strip()
        raise StackError(f"{fault}\nSet them right: ./dev up --set NAME=VALUE")


def _settings(pairs: list[str]) -> dict[str, str]:
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise StackError(f"--set takes NAME=VALUE, not {wrong[0]!r}.")
    return dict(pair.split("=", 1) for pair in pairs)
