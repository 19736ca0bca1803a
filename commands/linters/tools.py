"""Runs a linter on the Node that the embedded Azure has, and reads its answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from commands import ROOT

HERE = Path(__file__).parent
PACKAGES = HERE / "node_modules"
SILENT = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
"""They report nothing to their makers, and look for no newer self."""


class LinterBroke(Exception):
    """A linter gave no answer that can be read: what it said instead."""


def run(script: str, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """script: from node_modules on; given: what it reads from stdin"""
    from localazure.storage import node

    return subprocess.run(
        [str(node.find_or_install().binary), str(PACKAGES / script), *arguments],
        cwd=ROOT,
        env={**os.environ, **SILENT},
        input=given,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def beside(program: str) -> Path:
    """Where a program is that its wheel has put beside the interpreter, if it has."""
    return Path(sys.executable).with_name(f"{program}.exe" if os.name == "nt" else program)


def answer(text: str, done: subprocess.CompletedProcess[str]) -> Any:
    """A program's JSON, on stdout or in a report of its own. raises: LinterBroke when it is none"""
    try:
        return json.loads(text)
    except ValueError as cause:
        said = f"{done.stdout}{done.stderr}"
        raise LinterBroke(f"{done.args[0]} ended with {done.returncode}:\n{said}") from cause


def lines(script: str, *arguments: str, read: Callable[[Any], list[str]]) -> tuple[str, ...]:
    """The findings in a linter's JSON, a line each.

    raises: LinterBroke when it gave none, or ended as if there were findings and named none: never taken for clean
    """
    done = run(script, *arguments)
    try:
        found = tuple(read(json.loads(done.stdout)))
    except (ValueError, KeyError, TypeError) as cause:
        raise LinterBroke(f"{script} ended with {done.returncode}:\n{done.stdout}{done.stderr}") from cause
    if done.returncode != 0 and not found:
        raise LinterBroke(f"{script} ended with {done.returncode}:\n{done.stderr}")
    return found
