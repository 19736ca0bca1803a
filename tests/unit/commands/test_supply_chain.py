"""Secrets, dangerous calls and licences: what is planted is found, and what gives no answer is not taken for clean."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from commands import ROOT
from commands.linters import licences, security
from commands.linters.tools import LinterBroke

SIGNATURE = "sig=" + "aB3dE" * 8 + "wxY%3D"
KEY = "AccountKey=" + "aB3dE9" * 14 + "Zx=="
AZURITES = (
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    shutil.copyfile(ROOT / ".gitleaks.toml", tmp_path / ".gitleaks.toml")
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    (tmp_path / "shared").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (f"https://bank.blob.core.windows.net/incoming/a.csv?sv=2024-11-04&{SIGNATURE}", "shared-access-signature"),
        (f"AccountName=bank;{KEY};", "storage-account-key"),
        ("-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA7" * 8 + "\n-----END RSA PRIVATE KEY-----", "private-key"),
    ],
)  # fmt: skip
def test_a_secret_is_found_whether_git_knows_the_file_yet_or_not(
    repository: Path, text: str, rule: str
) -> None:
    (repository / "notes.txt").write_text(text, encoding="utf-8")
    lines = security.secrets(repository).lines
    assert any(line.startswith("notes.txt:1 ") and rule in line for line in lines)
    assert text[-20:] not in " ".join(lines)


def test_what_everybody_knows_and_what_git_does_not_take_is_no_secret(repository: Path) -> None:
    (repository / "notes.txt").write_text(f"AccountName=devstoreaccount1;{AZURITES};", encoding="utf-8")
    (repository / ".gitignore").write_text("local.settings.json\n", encoding="utf-8")
    (repository / "local.settings.json").write_text(f"AccountName=bank;{KEY};", encoding="utf-8")
    assert security.secrets(repository).lines == ()


def test_a_search_for_secrets_that_breaks_is_not_taken_for_clean(repository: Path) -> None:
    (repository / ".gitleaks.toml").write_text("[[rules]]\nregex = '('\n", encoding="utf-8")
    with pytest.raises(LinterBroke):
        security.secrets(repository)


def test_a_dangerous_call_that_ruff_does_not_know_is_found(repository: Path) -> None:
    (repository / "shared" / "telling.py").write_text(
        "import ftplib\nimport logging.config\n\nlogging.config.listen(9999)\n", encoding="utf-8"
    )
    found = " ".join(security.bandit(repository).lines)
    assert "shared/telling.py:" in found
    assert "B612" in found


def test_a_file_that_cannot_be_read_is_a_finding(repository: Path) -> None:
    (repository / "shared" / "broken.py").write_text("def (\n", encoding="utf-8")
    (line,) = security.bandit(repository).lines
    assert "broken.py" in line


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("MPL-2.0 AND MIT", True),
        ("Apache Software License; MIT License", True),
        ("(MIT)", True),
        ("MIT AND GPL-3.0-only", False),
        ("GNU General Public License v3 (GPLv3)", False),
        ("AGPL-3.0-or-later", False),
        ("BUSL-1.1", False),
        ("", False),
    ],
)
def test_a_licence_is_one_that_a_bank_may_use(licence: str, allowed: bool) -> None:
    assert licences.is_allowed(licence) is allowed
    assert bool(list(licences.refused([("some-library", licence)]))) is not allowed


def test_the_libraries_that_run_are_looked_at() -> None:
    found = licences.licences()
    assert found.lines == ()
    assert int(found.read.split()[0]) > 80


def test_what_the_playground_takes_from_npm_is_looked_at_too() -> None:
    lock = (ROOT / licences.FROM_NPM).read_text()
    assert ("pyodide", "MPL-2.0") in licences.from_npm(lock)
    unfit = licences.from_npm(lock.replace('"MPL-2.0"', '"AGPL-3.0-only"'))
    assert [line.split()[0] for line in licences.refused(unfit)] == ["pyodide"]
