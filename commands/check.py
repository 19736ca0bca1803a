"""Check style, types and layers of the Python, the API's description, the dashboard's JavaScript, and infra/.

ruff, mypy, import-linter; redocly, Spectral and our own API style; eslint and TypeScript; for infra/, two parsers of
Bicep, Microsoft's types, our rules and Microsoft's reader of Kusto; for workflows and pipelines, zizmor, actionlint and
the services' schemas; gitleaks, bandit and the libraries' licences; MkDocs, which finds links that lead nowhere. Says
each that fails, not only the first, and what the linters found in how much. And whether the API's clients of the last
release go on working.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from commands import ROOT
from commands.compatibility.release import NothingKept, since_last_release
from commands.docs_site import build as docs_site
from commands.infrastructure.check import findings as infrastructure
from commands.linters import api_description, javascript, licences, security, workflows
from commands.linters.finding import Findings
from commands.linters.tools import LinterBroke
from localazure.storage.node import SetupFailed

TYPED = (
    "function_app.py",
    "functions",
    "shared",
    "commands",
    "localazure/src/localazure",
    "bench",
    "simulation",
    "serving",
    "pipelines",
)


ABREAST = 2
"""Checks at the same time; on more than two processors the longest, mypy, decides anyway."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a check gave: whether all is in order, its figure, and what there is to read."""

    passed: bool
    figure: str = ""
    said: str = ""


Check = Callable[[], Told]


def main(arguments: list[str]) -> int:
    made = argparse.ArgumentParser(prog="./dev check", description=__doc__)
    made.add_argument("--fix", action="store_true", help="format, and mend what ruff can mend")
    given = made.parse_args(arguments)
    checks = _mending() if given.fix else _checks()
    failed = []
    with ThreadPoolExecutor(1 if given.fix else ABREAST) as abreast:
        for name, (told, seconds) in zip(checks, abreast.map(_timed, checks.values()), strict=True):
            _show(name, told, seconds)
            if not told.passed:
                failed.append(name)
    if failed:
        print(f"\nNot in order: {', '.join(failed)}.")
    return int(bool(failed))


def _checks() -> dict[str, Check]:
    here = Path(sys.executable).parent
    return {
        "style": _program("ruff", "check", ".", "dev"),
        "format": _program("ruff", "format", "--check", ".", "dev"),
        "types": _program("mypy", *(name for name in TYPED if (ROOT / name).exists())),
        "layers": _program(str(here / ("lint-imports.exe" if os.name == "nt" else "lint-imports"))),
        "redocly": _linter(api_description.redocly),
        "spectral": _linter(api_description.openapi_rules),
        "api style": _linter(api_description.style),
        "eslint": _linter(javascript.eslint),
        "tsc": _linter(javascript.types),
        "clients": _clients,
        "infra": _linter(infrastructure),
        "zizmor": _linter(workflows.zizmor),
        "actionlint": _linter(workflows.actionlint),
        "schemas": _linter(workflows.schemas),
        "secrets": _linter(security.secrets),
        "bandit": _linter(security.bandit),
        "licences": _linter(licences.licences),
        "docs": _linter(docs_site.checked),
    }


def _mending() -> dict[str, Check]:
    return {
        "format": _program("ruff", "format", ".", "dev"),
        "style": _program("ruff", "check", "--fix", ".", "dev"),
    }


def _program(name: str, *arguments: str) -> Check:
    """A program that ends with 0 when all is in order; a name without a folder is a module."""
    command = [name] if os.path.dirname(name) else [sys.executable, "-m", name]

    def told() -> Told:
        done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        passed = done.returncode == 0
        return Told(passed=passed, said="" if passed else done.stdout + done.stderr)

    return told


def _linter(read: Callable[[], Findings]) -> Check:
    """A linter is in order when it finds nothing."""

    def told() -> Told:
        try:
            found = read()
        except (LinterBroke, SetupFailed) as problem:
            return Told(passed=False, figure="it did not run", said=str(problem))
        return Told(
            passed=not found.lines, figure=found.figure, said="\n".join([*found.lines, *found.remarks])
        )

    return told


def _clients() -> Told:
    """Whether clients of the last release of the API go on working."""
    try:
        verdict = since_last_release(ROOT / "docs")
    except NothingKept as problem:
        return Told(passed=False, said=str(problem))
    return Told(passed=verdict.passes, figure=verdict.figure, said="\n".join(verdict.lines))


def _timed(check: Check) -> tuple[Told, float]:
    started = time.monotonic()
    return check(), time.monotonic() - started


def _show(name: str, told: Told, seconds: float) -> None:
    order = "in order" if told.passed else "NOT in order"
    print(f"{name:<9} {order}{f': {told.figure}' if told.figure else ''}, {seconds:.1f} s", flush=True)
    if told.said:
        print(indent(told.said, "          ") if told.passed else told.said, flush=True)
