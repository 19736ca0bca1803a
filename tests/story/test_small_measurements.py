"""Each measure of `./dev bench` from end to end, as small as it can be: what it starts, asks and writes still fits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import sys
from pathlib import Path
from commands import bench
bench.ROOT = Path(sys.argv[1])  # its results go there, not beside those that are kept
sys.exit(bench.main(sys.argv[2:]))
"""
SMALL = {
    "latency": ["--uploads", "2"],
    "embedded": ["--starts", "1", "--calls", "20"],
    "pollers": ["--pollers", "10", "--minutes", "0.1", "--every", "2", "--interval", "0.5"],
    "scoring": ["--rows", "2000", "--rounds", "1", "--without-rival"],
    "endpoint": ["--rounds", "1", "--seconds", "0.1", "--without-rivals"],
}

RIVALS = ("usual client", "pandas", "mlflow")
"""Left out here: their environments are made only for a real comparison."""


def measured(name: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(folder), name, *SMALL[name], "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    # Those who publish on the way say so before.
    found: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{\n") :])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_a_small_measurement_has_all_its_figures(name: str, tmp_path: Path) -> None:
    results = measured(name, tmp_path)
    (file,) = (tmp_path / "bench" / "results").iterdir()
    assert json.loads(file.read_text(encoding="utf-8")) == results
    kept = json.loads((ROOT / "bench" / "results" / f"{name}.json").read_text(encoding="utf-8"))
    assert results.keys() == kept.keys()
    goals = [goal["goal"] for goal in kept["goals"] if not any(rival in goal["goal"] for rival in RIVALS)]
    assert [goal["goal"] for goal in results["goals"]] == goals
    assert all(goal["met"] is not None for goal in results["goals"])
