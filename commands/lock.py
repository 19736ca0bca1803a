"""Recompile every hash-locked requirements file from its .in file, for all platforms."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from commands import ROOT
from commands.setup.venv import python_in
from pipelines import conda

LOCKS = (
    "requirements.in",
    "requirements-dev.in",
    "localazure/src/localazure/storage/node-requirements.in",
    "commands/setup/uv-requirements.in",
    "localazure/tests/host/conformance/requirements.in",
)
MORE = ("pipelines/environments/*.in", "bench/environments/*.in")


def main(arguments: list[str]) -> int:
    made = argparse.ArgumentParser(prog="./dev lock", description=__doc__)
    made.add_argument("--upgrade", action="store_true", help="take newer versions where the .in file allows")
    given = made.parse_args(arguments)
    sources = [ROOT / name for name in LOCKS] + [file for glob in MORE for file in sorted(ROOT.glob(glob))]
    failed = max(_compile(source, upgrade=given.upgrade) for source in sources)
    return failed or conda.main()


def _compile(source: Path, *, upgrade: bool) -> int:
    uv = python_in(ROOT / ".uv").with_name("uv")
    name = source.relative_to(ROOT).as_posix()
    command = [
        str(uv), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes",
        "--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "./dev lock",
        name, "-o", name.removesuffix(".in") + ".txt",
    ]  # fmt: skip
    print(f"  {name}", flush=True)
    return subprocess.call([*command, *(["--upgrade"] if upgrade else [])], cwd=ROOT)
