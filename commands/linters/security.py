"""What must not be in the repository: secrets (gitleaks), and dangerous calls (bandit, beside ruff's S rules)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from commands import ROOT
from commands.linters import tools
from commands.linters.finding import Findings
from commands.linters.tools import LinterBroke

CODE = (
    "function_app.py", "functions", "shared", "serving", "pipelines", "commands", "localazure/src", "bench",
)  # fmt: skip
FOUND = 1
"""How both end when they find something."""


def secrets(root: Path = ROOT) -> Findings:
    """gitleaks' own rules, and one for shared access signatures (`.gitleaks.toml`), over what git knows or would add."""
    program = tools.beside("gitleaks")
    if not program.exists():
        remark = "there is no gitleaks for this machine on the package index: the pipeline looks"
        return Findings(lines=(), read="0 files", remarks=(remark,))
    files = _files(root)
    with tempfile.TemporaryDirectory(prefix="campanha-gitleaks-") as folder:
        for name in files:
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, Path(folder) / name)
        report = Path(folder) / ".report.json"
        done = subprocess.run(
            [str(program), "dir", "--no-banner", "--redact", "--config", str(root / ".gitleaks.toml"),
             "--report-format", "json", "--report-path", str(report), "."],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        found = _read(report.read_text(encoding="utf-8") if report.exists() else "", done)
    lines = tuple(
        f"{each['File']}:{each['StartLine']} {each['Description']} ({each['RuleID']})" for each in found
    )
    return Findings(lines=lines, read=f"{len(files)} files")


def bandit(root: Path = ROOT) -> Findings:
    """What ruff's S rules do not have of bandit's; those they have are left to them, with each exception's reason."""
    code = [name for name in CODE if (root / name).exists()]
    done = subprocess.run(
        [sys.executable, "-m", "bandit", "--quiet", "--recursive", "--format", "json",
         "--configfile", str(root / "pyproject.toml"), *code],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = _read(done.stdout, done)
    if not isinstance(told, dict):
        raise LinterBroke(f"bandit answered what cannot be read:\n{done.stdout}{done.stderr}")
    faults = [f"{each['filename']}: {each['reason']}" for each in told["errors"]]
    lines = (
        f"{each['filename']}:{each['line_number']} {each['issue_text']} ({each['test_id']})"
        for each in told["results"]
    )
    return Findings(lines=(*faults, *lines), read=f"{told['metrics']['_totals']['loc']:,} lines")


def _files(root: Path) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return sorted(name for name in set(listed.stdout.split("\0")) if name and (root / name).is_file())


def _read(text: str, done: subprocess.CompletedProcess[str]) -> Any:
    """raises: LinterBroke when there is no answer, or it ended otherwise than with one: never taken for clean"""
    found = tools.answer(text, done)
    if done.returncode not in (0, FOUND):
        raise LinterBroke(f"{done.args[0]} ended with {done.returncode}:\n{done.stderr}")
    return found
