"""What `./dev chaos` holds against the stack, and what its command line says, without a stack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import chaos
from commands.resilience import invariants
from commands.resilience.scenarios import SCENARIOS, NotHere
from commands.resilience.site import Site
from commands.stack.state import Stack


def test_a_state_that_is_taken_back_is_a_violation(tmp_path: Path) -> None:
    polling = invariants.Polling(Site(Stack(tmp_path)))
    polling._look("batch", {"id": "a", "state": "scored"})
    polling._look("batch", {"id": "a", "state": "scored"})
    assert polling.violations == []
    polling._look("batch", {"id": "a", "state": "scoring"})
    assert polling.violations == ["I4: batch a was told as scored, and then as scoring"]


def test_where_a_fault_cannot_be_made_it_was_not_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(*_: object) -> list[str]:
        raise NotHere("no disk of its own can be had here")

    monkeypatch.setattr(chaos, "disk_of_its_own", none)
    assert chaos.main(["--only", "disk", "--json", "--state", str(tmp_path)]) == chaos.NOT_HERE
    (told,) = json.loads(capsys.readouterr().out)["scenarios"]
    assert (told["not_here"], told["violations"]) == ("no disk of its own can be had here", [])


def test_its_help_names_each_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        chaos.main(["--help"])
    said = capsys.readouterr().out
    assert [each.breaks for each in SCENARIOS.values() if each.breaks not in said] == []
