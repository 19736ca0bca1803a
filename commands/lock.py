"""Recompile every hash-locked requirements file, from pyproject.toml's groups and .in files, for all platforms."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Mapping

from commands import ROOT
from commands.catalog import UP
from commands.setup import locks
from commands.setup.process_environment import uv_in
from localazure.installer import Uv
from pipelines import conda

SOURCES = (
    "localazure/src/localazure/storage/node-requirements.in",
    "commands/setup/uv-requirements.in",
    "localazure/tests/host/conformance/requirements.in",
    "tests/fuzz/requirements.in",
)
MORE = (
    "pipelines/environments/*.in",
    "bench/environments/*.in",
    "localazure/src/localazure/workspace/curated/*.in",
)


def main(arguments: list[str]) -> int:
    made = argparse.ArgumentParser(prog="./dev lock", description=__doc__)
    made.add_argument("--upgrade", action="store_true", help="take newer versions where their source allows")
    given = made.parse_args(arguments)
    more = ["--upgrade"] if given.upgrade else []
    uv = Uv(uv_in(ROOT))
    environment = without_folders(uv.environment())
    failed = [
        _compile(uv, environment, [*_group(name), *more], lock) for name, lock in locks.OF_GROUPS.items()
    ]
    host = ["localazure/pyproject.toml", "--constraints", locks.OF_GROUPS[UP], *more]
    failed.append(_compile(uv, environment, host, locks.HOST))
    sources = [ROOT / name for name in SOURCES] + [file for glob in MORE for file in sorted(ROOT.glob(glob))]
    for source in sources:
        name = source.relative_to(ROOT).as_posix()
        failed.append(_compile(uv, environment, [name, *more], name.removesuffix(".in") + ".txt"))
    return max(failed) or conda.main()


def without_folders(environment: Mapping[str, str]) -> dict[str, str]:
    """A folder of wheels on this machine holds the files of some platforms, and a lock made with it knows no other's."""
    kept = {name: value for name, value in environment.items() if name not in ("UV_FIND_LINKS", "UV_INDEX")}
    served = [each for each in environment.get("UV_INDEX", "").split() if not each.startswith("file:")]
    return {**kept, "UV_INDEX": " ".join(served)} if served else kept


def _group(name: str) -> list[str]:
    """A group of pyproject.toml, at the versions of the one that it includes."""
    within = locks.WITHIN.get(name)
    same = ["--constraints", locks.OF_GROUPS[within]] if within else []
    return ["--group", f"pyproject.toml:{name}", *same]


def _compile(uv: Uv, environment: dict[str, str], what: list[str], lock: str) -> int:
    command = [
        str(uv.program), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes",
        "--no-emit-index-url", "--no-emit-find-links", "--index-strategy", "unsafe-best-match",
        "--custom-compile-command", "./dev lock", *what, "-o", lock,
    ]  # fmt: skip
    print(f"  {lock}", flush=True)
    return subprocess.call(command, cwd=ROOT, env=environment)
