"""What GitHub Actions and Azure DevOps read: zizmor and actionlint, and the two services' JSON schemas."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from commands import ROOT
from commands.linters import tools
from commands.linters.finding import Findings
from commands.linters.tools import LinterBroke

GITHUB, AZURE_DEVOPS = ".github/workflows", ".azuredevops"
NO_FINDING = ("", "null", "[]")


def workflows(root: Path = ROOT) -> list[Path]:
    return sorted((root / GITHUB).glob("*.yml"))


def pipelines(root: Path = ROOT) -> list[Path]:
    return sorted((root / AZURE_DEVOPS).glob("*.yml"))


def zizmor(root: Path = ROOT) -> Findings:
    """What an attacker could use: permissions, untrusted input, actions that are not pinned. It asks nobody here."""
    config = (
        ["--config", str(root / ".github" / "zizmor.yml")]
        if (root / ".github" / "zizmor.yml").exists()
        else []
    )
    done = _run(
        "zizmor",
        "--offline",
        "--strict-collection",
        "--no-progress",
        "--format",
        "json",
        *config,
        *_named(workflows(root)),
    )
    found: list[Any] = _read(done)
    lines = tuple(f"{_place(each)} {each['ident']}: {each['desc']}" for each in found)
    return Findings(lines=lines, read=f"{len(workflows(root))} workflows")


def actionlint(root: Path = ROOT) -> Findings:
    """What GitHub would refuse, or take otherwise than meant: expressions, inputs, contexts, `needs`."""
    done = _run("actionlint", "-no-color", "-format", "{{json .}}", *_named(workflows(root)))
    found: list[Any] = _read(done) or []
    lines = tuple(
        f"{each['filepath']}:{each['line']}:{each['column']} {each['message']} [{each['kind']}]"
        for each in found
    )
    return Findings(lines=lines, read=f"{len(workflows(root))} workflows")


def schemas(root: Path = ROOT) -> Findings:
    """Each file as the service's own schema has it."""
    github = _against("vendor.github-workflows", workflows(root))
    azure = _against(
        "vendor.azure-pipelines",
        pipelines(root),
        "--regex-variant", "nonunicode", "--data-transform", "azure-pipelines",
    )  # fmt: skip
    return Findings(lines=(*github, *azure), read=f"{len(workflows(root)) + len(pipelines(root))} files")


def _against(schema: str, files: list[Path], *options: str) -> tuple[str, ...]:
    done = _run(
        "check-jsonschema", "--output-format", "json", "--builtin-schema", schema, *options, *_named(files)
    )
    told = _read(done)
    if not isinstance(told, dict) or "errors" not in told:
        raise LinterBroke(f"check-jsonschema answered what cannot be read:\n{done.stdout}")
    broken = [
        f"{each['filename']}: {each.get('message', 'it cannot be read')}"
        for each in told.get("parse_errors", ())
    ]
    return (*(f"{each['filename']} {_deepest(each)}" for each in told["errors"]), *broken)


def _deepest(error: dict[str, Any]) -> str:
    """Where a schema is a choice, the message names the whole file; what fits best is further down."""
    found = error.get("best_deep_match") or error.get("best_match") or error
    return f"{found['path']}: {found['message']}"


def _place(finding: dict[str, Any]) -> str:
    where = next(each for each in finding["locations"] if each["symbolic"]["kind"] == "Primary")
    row = where["concrete"]["location"]["start_point"]["row"] + 1
    return f"{Path(where['symbolic']['key']['Local']['verbatim_path']).name}:{row}"


def _named(files: list[Path]) -> list[str]:
    return [str(file) for file in files]


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A program that its wheel has put beside the interpreter."""
    there = tools.beside(program)
    try:
        return subprocess.run(
            [str(there), *arguments], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
        )
    except FileNotFoundError as missing:
        raise LinterBroke(f"{there} is missing: `./dev check` installs it.") from missing


def _read(done: subprocess.CompletedProcess[str]) -> Any:
    """raises: LinterBroke when it gave no answer, or ended as if there were findings and named none"""
    found = tools.answer(done.stdout, done)
    if done.returncode != 0 and done.stdout.strip() in NO_FINDING:
        raise LinterBroke(f"{done.args[0]} ended with {done.returncode}:\n{done.stderr}")
    return found
