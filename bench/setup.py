"""Set-up of the demo in a fresh clone with empty caches: seconds and megabytes of each part, and how soon it starts again.

Beside it, in the same run: `python -m venv` and a plain `pip install -r requirements.txt`, which is what somebody would
type who wants the app's libraries alone. The clone is of what is committed. Needs the package registries; the second
start is made with addresses where no registry answers.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.goals import goals_table, machine_line
from commands import ROOT
from commands.setup.disk import MEGABYTE, Ledger
from commands.setup.machine import load, machine
from commands.setup.needs import PARTS
from localazure.installer import BASE_PYTHON, python_in

TIMES_GOAL, DISK_GOAL, AGAIN_GOAL = 1.5, 1500, 2.0
OURS = ("LOCALAZURE_", "CAMPANHA_", "UV_", "PYTHON", "VIRTUAL_ENV")
"""Beginnings of variables that lead into this checkout, or that a newcomer has not set."""
NO_REGISTRY = {
    name: "http://127.0.0.1:9/" for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "npm_config_registry")
}
SET_UP = """
import json, sys
from dataclasses import asdict
from pathlib import Path
sys.path[:0] = [".", "localazure/src"]
from commands.catalog import COMMANDS
from commands.setup.needs import provide
print(json.dumps([asdict(one) for one in provide(Path.cwd(), COMMANDS["demo"].needs)]))
"""


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--folder", type=Path, help="on which disk to do it (default: the system's for temporary files)"
    )


def run(given: argparse.Namespace) -> dict[str, Any]:
    """Clone, set up, start again, compare; and leave nothing behind."""
    load_before = load()
    with tempfile.TemporaryDirectory(prefix="campanha-setup-", dir=given.folder) as folder:
        place = Path(folder)
        clone, caches = place / "clone", place / "caches"
        _run(["git", "clone", "--quiet", str(ROOT), str(clone)], place, environment(caches))
        began = time.monotonic()
        parts = json.loads(_run([BASE_PYTHON, "-c", SET_UP], clone, environment(caches)))
        seconds = time.monotonic() - began
        sizes = Ledger()
        disk = {"checkout": sizes.new_bytes(clone), "caches outside": sizes.new_bytes(caches)}
        again = _first_line(clone, environment(caches) | NO_REGISTRY)
        plain = _plain(place / "plain", environment(place / "other caches"))
        plain["megabytes"] = _megabytes(sizes.new_bytes(place / "plain"))
    total = _megabytes(sum(disk.values()))
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "loadBefore": load_before, "loadAfter": load()},
        "seconds": round(seconds, 1),
        "parts": [
            {"part": PARTS[one["part"]].label, "seconds": round(one["seconds"], 1), "megabytes": _megabytes(one["bytes"])}
            for one in parts
        ],
        "diskMegabytes": {name: _megabytes(size) for name, size in disk.items()},
        "plainPip": plain,
        "againSeconds": again,
        "goals": [
            _goal(
                f"the demo's set-up: at most {TIMES_GOAL:g} times a plain pip install of requirements.txt",
                round(seconds / plain["seconds"], 2),
                TIMES_GOAL,
            ),
            _goal(f"all it lays on the disk: at most {DISK_GOAL:,} MB", total, DISK_GOAL),
            _goal(f"first line of a second start, without network: within {AGAIN_GOAL:g} s", again, AGAIN_GOAL),
        ],
    }  # fmt: skip


def environment(caches: Path) -> dict[str, str]:
    """A newcomer's: with what the user has told pip and npm, and with empty caches."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    path = os.pathsep.join(
        entry for entry in kept.get("PATH", "").split(os.pathsep) if ROOT not in Path(entry).parents
    )
    places = {
        "XDG_CACHE_HOME": caches,
        "PIP_CACHE_DIR": caches / "pip",
        "npm_config_cache": caches / "npm",
    }
    return kept | {"PATH": path} | {name: str(place) for name, place in places.items()}


def _plain(home: Path, told: dict[str, str]) -> dict[str, Any]:
    began = time.monotonic()
    _run([BASE_PYTHON, "-m", "venv", str(home)], ROOT, told)
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt")
    _run([str(python_in(home)), *install], ROOT, told, quiet=True)
    return {"seconds": round(time.monotonic() - began, 1)}


def _first_line(clone: Path, told: dict[str, str]) -> float:
    """Seconds until `./dev up` says that something serves."""
    began = time.monotonic()
    command = [BASE_PYTHON, "dev", "up", "--state", "second-start"]
    with subprocess.Popen(command, cwd=clone, env=told, stderr=subprocess.PIPE, text=True) as up:
        assert up.stderr is not None
        first = up.stderr.readline()
        seconds = time.monotonic() - began
        up.stderr.read()
    try:
        if "ready in" not in first or up.returncode:
            raise RuntimeError(f"`./dev up` did not come up: {first}")
    finally:
        _run([BASE_PYTHON, "dev", "down", "--state", "second-start"], clone, told)
    return round(seconds, 2)


def _run(command: list[str], directory: Path, told: dict[str, str], *, quiet: bool = False) -> str:
    """Its output. quiet: what it says on stderr is not shown as it comes, but when it fails"""
    errors = subprocess.PIPE if quiet else None
    done = subprocess.run(
        command, cwd=directory, env=told, stdout=subprocess.PIPE, stderr=errors, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"`{' '.join(command[:5])}` ended with {done.returncode}\n{done.stderr or ''}")
    return done.stdout


def _megabytes(size: int) -> int:
    return round(size / MEGABYTE)


def _goal(goal: str, measured: float, limit: float) -> dict[str, Any]:
    return {"goal": goal, "measured": measured, "met": measured <= limit}


def show(results: dict[str, Any]) -> None:
    """One screen for people."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    made = Table(title="Set-up of the demo, parts side by side", title_justify="left")
    for column in ("", "seconds", "MB"):
        made.add_column(column, justify="right" if column else "left")
    for one in results["parts"]:
        made.add_row(one["part"], str(one["seconds"]), str(one["megabytes"]))
    disk = results["diskMegabytes"]
    made.add_section()
    made.add_row("all of it", str(results["seconds"]), str(sum(disk.values())))
    made.add_row("  of it caches outside the checkout", "", str(disk["caches outside"]))
    plain = results["plainPip"]
    made.add_row("a plain pip install of requirements.txt", str(plain["seconds"]), str(plain["megabytes"]))
    made.add_row("first line of a second start", str(results["againSeconds"]), "")
    console.print(made)
    console.print(goals_table(results))
    console.print(machine_line(results))
