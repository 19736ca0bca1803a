"""The clients that other teams would have: made from `docs/openapi.json` by the generators that they would take."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from commands import ROOT

DESCRIPTION = ROOT / "docs" / "openapi.json"
PROGRAMS = Path(__file__).parent / "programs"
TSC = (
    "--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--lib", "es2023,dom",
    "--module", "nodenext", "--types", "node",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program, ready to run."""

    command: tuple[str, ...]
    environment: dict[str, str]


def python_client(folder: Path, description: Path = DESCRIPTION) -> Path:
    """The package `campanha` in `folder`, by openapi-python-client; as it makes it, and no ruff on top, which makes of
    its `*args: Any` what mypy cannot pass on."""
    config = folder / "generator.json"
    config.write_text(json.dumps({"post_hooks": []}))
    _run(
        str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--path", str(description),
        "--output-path", str(folder / "campanha"), "--meta", "none", "--config", str(config),
    )  # fmt: skip
    return folder


def mypy(folder: Path, *files: str) -> None:
    """raises: AssertionError with what mypy finds under --strict"""
    _run(
        sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(folder / "mypy"), *files,
        MYPYPATH=str(folder),
    )  # fmt: skip


def typescript_types(folder: Path, node: str, packages: Path, description: Path = DESCRIPTION) -> Path:
    """`campanha.d.ts` in `folder`, by openapi-typescript."""
    script = packages / "openapi-typescript" / "bin" / "cli.js"
    _run(node, str(script), str(description), "--output", str(folder / "campanha.d.ts"))
    (folder / "package.json").write_text(json.dumps({"type": "module"}))
    return folder


def tsc(folder: Path, node: str, packages: Path, file: str) -> Path:
    """The program compiled; raises: AssertionError with what TypeScript finds"""
    script = packages / "typescript" / "bin" / "tsc"
    _run(
        node, str(script), *TSC, "--typeRoots", str(packages / "@types"), "--outDir", str(folder / "out"),
        str(folder / file),
    )  # fmt: skip
    return folder / "out" / file.replace(".ts", ".js")


def python_program(folder: Path) -> Program:
    """folder: that of the package"""
    mypy(folder, str(PROGRAMS / "follow.py"), str(folder / "campanha"))
    command = (sys.executable, str(PROGRAMS / "follow.py"))
    return Program(command=command, environment={"PYTHONPATH": str(folder)})


def typescript_program(folder: Path, node: str, packages: Path) -> Program:
    typescript_types(folder, node, packages)
    shutil.copy(PROGRAMS / "follow.ts", folder)
    return Program(command=(node, str(tsc(folder, node, packages, "follow.ts"))), environment={})


def curl_program() -> Program:
    return Program(command=("bash", str(PROGRAMS / "follow.sh")), environment={})


def _run(*command: str, **environment: str) -> None:
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
