"""The story: the host is up, CSVs are dropped, models are judged and released, clients are scored; all for real."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_demo_goes_all_the_way_round(tmp_path: Path) -> None:
    """`./dev demo` exits with 0 only when every chapter came about; the chapters are checked in commands/demo.py."""
    state = ["--state", str(tmp_path)]
    try:
        told = subprocess.run(
            [sys.executable, "-m", "commands", "demo", *state],
            cwd=ROOT, capture_output=True, text=True, timeout=540, check=False,
        )  # fmt: skip
        assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-3000:]
        assert "duplicate: nothing happened twice" in told.stdout
        assert "500 scored by model" in told.stdout
    finally:
        down = [sys.executable, "-m", "commands", "down", "--state", str(tmp_path / "demo")]
        subprocess.run(down, cwd=ROOT, capture_output=True, timeout=60, check=False)
