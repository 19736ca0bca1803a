"""`./dev chaos` at a small size: each fault is really made, all heals, and what is violated is said."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from commands import chaos
from commands.resilience import invariants
from commands.resilience.scenarios import SCENARIOS
from commands.resilience.site import Site
from commands.resilience.traffic import Traffic
from commands.stack import supervisor
from commands.stack.state import Stack

pytestmark = pytest.mark.slow


def test_all_scenarios_at_a_small_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = chaos.main(["--small", "--json", "--state", str(tmp_path / "state")])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert [each["violations"] for each in told["scenarios"]] == [[]] * len(SCENARIOS)
    assert [each["name"] for each in told["scenarios"]] == list(SCENARIOS)
    tried = [each for each in told["scenarios"] if not each["not_here"]]
    assert code == (0 if len(tried) == len(SCENARIOS) else chaos.NOT_HERE)
    assert all(each["heal_seconds"] is not None and each["answers"] for each in tried)
    assert sum(each["files"] + each["batches"] for each in tried) >= len(tried)

    site = Site(Stack(tmp_path / "state"))
    traffic = Traffic(site=site, chance=random.Random(1))
    try:
        site.up()
        traffic.files = {"first.csv": 2500, "never-dropped.csv": 3}
        traffic.batches = {"never-dropped.csv": [b"age", b"1"]}
        said = "\n".join(invariants.violations(site, traffic))
    finally:
        supervisor.down(site.stack)
    assert "I1: never-dropped.csv has 3 rows, and is unknown with 0" in said
    assert "I2: never-dropped.csv is unknown" in said
