"""Run the tests, and say which took longest. Arguments behind -- (or any that are not ours) go to pytest."""

from __future__ import annotations

import os
import sys

from commands import ROOT
from commands.stack import processes
from commands.stack.arguments import parser

WORKERS = [
    "--numprocesses",
    str(min(4, 1 + (os.cpu_count() or 1))),
    "--dist",
    "loadscope",
    "--no-loadscope-reorder",
]
"""For all the tests at once; files go to workers in the order of their names, so that many small ones come last."""


def main(arguments: list[str]) -> int:
    made = parser("test", __doc__)
    which = made.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="also the slow ones, each ten seconds to minutes")
    which.add_argument("--slow", action="store_true", help="the slow ones alone")
    given, more = made.parse_known_args(arguments)
    more = [argument for argument in more if argument != "--"]
    env = {
        **os.environ,
        "CAMPANHA_REQUIRE_SERVICES": "1",  # set-up has installed them: no skips
        # Images often forbid it; then pytest compiles 285 modules anew in each worker, and each service its own.
        "PYTHONDONTWRITEBYTECODE": "",
    }
    chosen = [] if given.all else ["-m", "slow" if given.slow else "not slow"]
    workers = [] if more else WORKERS
    pytest = [sys.executable, "-m", "pytest", "-p", "tests.slowest"]
    # In place of this process: a parent that is interrupted would kill pytest before its fixtures have stopped what runs.
    return processes.become([*pytest, *chosen, *workers, *more], directory=ROOT, env=env)
