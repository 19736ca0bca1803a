"""`./dev vulnerabilities`: what the advisory database says of each lock, and no answer is never taken for none."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from commands import vulnerabilities
from commands.stack.errors import StackError

Capsys = pytest.CaptureFixture[str]
CLEAN = {"name": "requests", "version": "2.34.2", "vulns": []}
FAULTY = {"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1", "2.0"]}]}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What is said of a lock, by its name; of the others that all is well."""
    told: dict[str, str] = {}

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert "--require-hashes" in command
        lock = Path(command[command.index("--requirement") + 1])
        assert lock.exists()
        said = told.get(lock.name, json.dumps({"dependencies": [CLEAN]}))
        return subprocess.CompletedProcess(command, 0, said, "it could not be reached")

    monkeypatch.setattr(vulnerabilities.subprocess, "run", run)
    return told


def test_none_is_said_only_when_all_locks_were_looked_up(answers: dict[str, str], capsys: Capsys) -> None:
    assert vulnerabilities.main([]) == 0
    said = capsys.readouterr()
    assert "None is known of what 7 locks name." in said.out
    assert len(said.err.split()) == 7


def test_one_that_is_known_is_shown_and_the_exit_code_is_1(answers: dict[str, str], capsys: Capsys) -> None:
    answers["requirements.txt"] = json.dumps({"dependencies": [CLEAN, FAULTY]})
    assert vulnerabilities.main(["--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["value"]
    assert found == {
        "lock": "requirements.txt", "library": "old", "version": "1.0", "id": "PYSEC-1", "fixedBy": "1.1, 2.0"
    }  # fmt: skip


@pytest.mark.parametrize("said", ["", "{}", "nonsense"])
def test_no_answer_is_an_error(answers: dict[str, str], said: str) -> None:
    answers["requirements-check.txt"] = said
    with pytest.raises(StackError, match="could not be looked up: it could not be reached"):
        vulnerabilities.main([])
