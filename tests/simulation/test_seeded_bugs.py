"""The tests are tested: each planted bug is caught, by the oracle that is to catch it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.scenarios import SCENARIOS
from tests.simulation.bugs import BUGS, Bug

ROOT = Path(__file__).parents[2]
MOST = 20_000
QUICK = {"a run is posted before its intent is written", "a message that cannot be read is dropped"}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.mutant.name)
def test_the_table_is_of_this_code(bug: Bug) -> None:
    assert bug.mutant.file.read_text().count(bug.mutant.before) == 1
    assert bug.scenario in SCENARIOS


def test_there_are_twenty_at_least() -> None:
    assert len({bug.mutant.name for bug in BUGS}) >= 20


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(place, id=bug.mutant.name, marks=[] if bug.mutant.name in QUICK else pytest.mark.slow)
        for place, bug in enumerate(BUGS)
    ],
)
def test_a_seeded_bug_is_caught(place: int) -> None:
    looked = subprocess.run(
        [sys.executable, "-m", "tests.simulation.caught", str(place), str(MOST)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(looked.stdout)
    assert found["violations"], f"not in {found['schedules']} schedules"
    assert any(one.startswith(f"{BUGS[place].oracle}:") for one in found["violations"])
