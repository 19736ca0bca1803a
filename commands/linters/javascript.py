"""The dashboard's JavaScript (and the linters' own): eslint's recommended rules, and TypeScript's reading of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from commands import ROOT
from commands.linters.finding import Findings
from commands.linters.tools import HERE, LinterBroke, lines, run

ESLINT = "eslint/bin/eslint.js"
TSC = "typescript/bin/tsc"
LINTED = ("web/js", "web/public/js", "web/docs", "tests/web", "commands/linters")
TYPED = HERE / "tsconfig.json"


def eslint(*folders: str) -> Findings:
    """Warnings counted too."""
    files: list[Any] = []

    def read(given: list[Any]) -> list[str]:
        files.extend(given)
        return [
            f"{_within(file['filePath'])}:{each['line']}:{each['column']} {each['message']} ({each['ruleId']})"
            for file in given
            for each in file["messages"]
        ]

    found = lines(
        ESLINT, "--config", str(HERE / "eslint.config.mjs"), "--format", "json", "--max-warnings", "0",
        *(folders or LINTED), read=read,
    )  # fmt: skip
    return Findings(lines=found, read=f"{len(files)} files")


def types(project: Path = TYPED) -> Findings:
    """raises: LinterBroke when it fails without a finding"""
    done = run(TSC, "--project", str(project), "--pretty", "false", "--listFiles")
    said = done.stdout.splitlines()
    found = tuple(line for line in said if re.search(r"\berror TS\d+: ", line))
    if done.returncode != 0 and not found:
        raise LinterBroke(f"{TSC} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    read = [line for line in said if line.endswith(".js") and line not in found]
    return Findings(lines=found, read=f"{len(read)} files")


def _within(path: str) -> str:
    file = Path(path)
    return file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else path
