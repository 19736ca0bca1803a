"""The dashboard's JavaScript (and the linters' own): eslint's recommended rules, and TypeScript's reading of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from commands import ROOT
from commands.linters import tools
from commands.linters.finding import Findings
from commands.linters.tools import HERE, LinterBroke, lines

ESLINT = "eslint/bin/eslint.js"
OPENAPI_TYPESCRIPT = "openapi-typescript/bin/cli.js"
TSC = "typescript/bin/tsc"
LINTED = ("web/js", "web/public/js", "web/docs", "tests/web", "commands/linters", "playground")


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


def types(root: Path = ROOT) -> Findings:
    """TypeScript's reading of the page, strictly, with each answer of the API typed as the description has it.

    root: a folder with `web` and `docs/openapi.json`
    raises: LinterBroke when it fails without a finding
    """
    _describe(root)
    done = tools.run(TSC, "--project", str(root / "web"), "--pretty", "false", "--listFiles")
    said = done.stdout.splitlines()
    found = tuple(line for line in said if re.search(r"\berror TS\d+: ", line))
    if done.returncode != 0 and not found:
        raise LinterBroke(f"{TSC} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    read = [line for line in said if line.endswith(".js") and line not in found]
    return Findings(lines=found, read=f"{len(read)} files")


def _describe(root: Path) -> None:
    """The description as types, where web/tsconfig.json looks for them.

    A word of which more may come is any text to other programs. The page is of the app's own version and knows today's
    words, so here they are an enum; what a newer app says is dealt with when it runs (web/js/core/states.js).
    """
    made = root / "commands" / "linters" / "made"
    made.mkdir(parents=True, exist_ok=True)
    described = json.loads(
        (root / "docs" / "openapi.json").read_text(encoding="utf-8"), object_hook=_with_words
    )
    (made / "openapi.json").write_text(json.dumps(described), encoding="utf-8")
    done = tools.run(
        OPENAPI_TYPESCRIPT, str(made / "openapi.json"), "--output", str(made / "api-description.d.ts"),
        "--root-types", "--root-types-no-schema-prefix", "--default-non-nullable=false",
    )  # fmt: skip
    if done.returncode != 0:
        raise LinterBroke(f"{OPENAPI_TYPESCRIPT} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def _with_words(node: dict[str, Any]) -> dict[str, Any]:
    words = node.get("x-extensible-enum")
    return {**node, "enum": words} if isinstance(words, list) else node


def _within(path: str) -> str:
    file = Path(path)
    return file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else path
