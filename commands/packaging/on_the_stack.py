"""The unpacked package in place of this checkout, on the embedded host: what Azure would run is what runs here."""

from __future__ import annotations

import platform
import sys

from commands import ROOT
from commands.packaging import libraries, package
from commands.setup import locks, venv
from commands.setup.process_environment import settle
from commands.stack.errors import StackError
from commands.stack.state import Packed, Stack


def run_package(stack: Stack) -> None:
    """Packs the app into the stack's state folder, beside an environment that holds the host's own libraries alone.

    raises: StackError where this machine cannot run what Azure's does
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise StackError(
            "--package takes Linux on x86-64, as Azure's machines have: the libraries packed are for these."
        )
    settle(ROOT)
    folder = stack.state / "package"
    package.lay_out(ROOT, folder / "app", libraries.THIS_PYTHON)
    venv.install(folder / "host", ROOT / locks.HOST, label="the embedded host's own libraries")
    stack.run_packed(Packed(app=folder / "app", python=venv.python_in(folder / "host")))
