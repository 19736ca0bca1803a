"""Fuzz the readers of what others write, led by the branches they take: each for its share of the time, or one alone."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from commands import ROOT
from commands.setup.process_environment import uv_in
from commands.stack.arguments import parser
from commands.stack.errors import StackError
from localazure.installer import Uv

LOCK = ROOT / "tests" / "fuzz" / "requirements.txt"
FUZZER = ROOT / ".fuzzer"
"""Beside `.venv`, so that nothing of ours is run with it but this."""


def main(arguments: list[str]) -> int:
    targets = import_module("tests.fuzz.sentences").SENTENCES
    made = parser("fuzz", __doc__)
    told = "; ".join(f"{name}: {sentence}" for name, sentence in targets.items())
    made.add_argument("target", nargs="?", choices=targets, help=told)
    made.add_argument("--seconds", type=int, default=600, metavar="N", help="in all (default: 600)")
    given = made.parse_args(arguments)
    _install()
    names = [given.target] if given.target else list(targets)
    crashed = [name for name in names if _fuzz(name, max(1, given.seconds // len(names))) != 0]
    if crashed:
        print(
            f"Crashed: {', '.join(crashed)}. Its input is in tests/fuzz/found/; the tests try it from now on."
        )
    else:
        print(f"No crash: {', '.join(names)}.")
    return int(bool(crashed))


def _install() -> None:
    """raises: StackError where there is no fuzzer for this system"""
    stamp = FUZZER / LOCK.name
    if stamp.exists() and stamp.read_bytes() == LOCK.read_bytes():
        return
    uv = Uv(uv_in(ROOT))
    done = subprocess.run(
        [str(uv.program), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(FUZZER),
         "--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", str(LOCK)],
        env=uv.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise StackError(
            f"the fuzzer has wheels for Linux alone; here it could not be had: {done.stderr.strip()}"
        )
    stamp.write_bytes(LOCK.read_bytes())


def _fuzz(name: str, seconds: int) -> int:
    path = os.pathsep.join(map(str, (FUZZER, ROOT, Path(ROOT, "tests"))))
    command = [sys.executable, "-m", "tests.fuzz", name, "--seconds", str(seconds)]
    return subprocess.call(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path})
