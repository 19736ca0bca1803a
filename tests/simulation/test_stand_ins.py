"""The browser's stand-ins for NumPy and Arrow: with them the flow goes the very same way, but for digests of Parquet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from playground.bake import LIBRARIES, SCENARIOS

ROOT = Path(__file__).parents[2]
QUICK = ("start", "admit", "score")
SCHEDULES = "0:", "7:6=2,14=3,22=5", "3:9=1", "11:2=1,17=4"
TOLD = """
import json, sys
from simulation import explore
from simulation.oracles import outcome
from simulation.runs import read_replay, run
from simulation.trace import traced
import numpy

explore.begin()
found = {"numpy": numpy.__version__}
for replay in sys.argv[1:]:
    scenario, seed, deviations = read_replay(replay)
    result = run(scenario, seed, deviations, thorough=True)
    trace = traced(scenario, seed, deviations)
    for step in trace["steps"]:
        step["changes"].pop("files", None)  # their sizes are others
    del trace["begins"]["files"]
    found[replay] = [result.points, result.fingerprint, list(result.violations), trace]
print(json.dumps(found))
"""


def told(name: str, *path: Path) -> dict[str, object]:
    replays = [f"{name}:{schedule}" for schedule in SCHEDULES]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT)))}
    done = subprocess.run(
        [sys.executable, "-c", TOLD, *replays],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in SCENARIOS]
)
def test_the_flow_goes_the_same_way(name: str) -> None:
    real, other = told(name), told(name, LIBRARIES)
    assert (real.pop("numpy"), other.pop("numpy")) == (__import__("numpy").__version__, "stand-in")
    assert other == real
