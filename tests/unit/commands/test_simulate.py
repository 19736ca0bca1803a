"""What `./dev simulate` prints, and what it makes of arguments that are none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "commands/__main__.py", "simulate", *arguments]
    return subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)


def test_scenarios_are_listed_with_what_they_are_about() -> None:
    said = json.loads(simulate("--list", "--json").stdout)
    assert {"name": "start", "says": "a version's run is submitted, once"} in said["value"]
    assert "start      a version's run is submitted, once" in simulate("--list").stdout


def test_few_schedules_are_run_and_counted() -> None:
    ran = simulate("--schedules", "20", "--scenario", "tell", "--workers", "1", "--json")
    said = json.loads(ran.stdout)
    assert (said["violations"], said["failures"], ran.stderr) == (0, [], "")
    assert said["schedules"] >= said["distinct"] > 20
    assert said["byScenario"] == {"tell": said["schedules"]}


def test_a_schedule_is_told_step_by_step() -> None:
    said = json.loads(simulate("--replay", "tell:0:3=1", "--trace").stdout)
    assert [step["at"] for step in said["steps"] if step["chosen"]] == [3]
    assert said["replay"] == "tell:0:3=1"


def test_a_schedule_is_run_again_and_told_in_words() -> None:
    ran = simulate("--replay", "start:0:12=3", "--json")
    said = json.loads(ran.stdout)
    assert said["inWords"].startswith("first in, first out everywhere except choice 12: ")
    assert (said["violations"], ran.returncode) == ([], 0)


def test_days_of_many_files_are_lived_through() -> None:
    said = json.loads(simulate("--days", "1", "--uploads", "8", "--copies", "10", "--json").stdout)
    assert (said["uploads"], said["events"], said["violations"]) == (8, 80, [])
    assert said["states"]["upload registered"] == 8


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--scenario", "nowhere"], "There is no scenario 'nowhere'; there are admit, "),
        (["--replay", "nowhere:1:"], "There is no scenario 'nowhere'; there are admit, "),
        (["--replay", "start:1:2=x"], "A schedule is written SCENARIO:SEED:POINT=OPTION"),
        (["--replay", "start"], "A schedule is written SCENARIO:SEED:POINT=OPTION"),
    ],
)
def test_what_cannot_be_run_is_said(arguments: list[str], says: str) -> None:
    ran = simulate(*arguments)
    assert says in ran.stderr
    assert ran.returncode == 2
