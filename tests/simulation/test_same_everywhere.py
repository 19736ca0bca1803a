"""The same seed gives the same run, to the last stored byte: in any process, on any Python, whatever sets are hashed by."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation import determinism, host
from simulation.choices import Random
from simulation.runs import read_replay, run_hash

ROOT = Path(__file__).parents[2]
SCHEDULE = "release:5:7=2,20=4,31=6"
CHANCE = {
    "secrets",
    "random",
    "time",
    "threading",
    "uuid",
    "concurrent.futures",
    "multiprocessing",
    "asyncio",
}
MODULES = (
    "shared/domain",
    "shared/ledger",
    "shared/procedures",
    "shared/steps",
    "shared/telemetry",
    "shared/flow.py",
)
"""What the simulation runs, of the product."""


@pytest.fixture(autouse=True, scope="module")
def _installed() -> Iterator[None]:
    with determinism.installed():
        yield


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_a_run_is_the_same_in_another_process(hash_seed: str) -> None:
    program = [sys.executable, "commands/__main__.py", "simulate", "--replay", SCHEDULE, "--json"]
    told = subprocess.run(
        program, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, check=True
    )
    assert json.loads(told.stdout)["hash"] == run_hash(*read_replay(SCHEDULE))


def test_runs_in_one_process_leave_nothing_to_the_next() -> None:
    assert len({run_hash(*read_replay(SCHEDULE)) for _ in range(3)}) == 1


def test_chance_is_the_same_on_every_python() -> None:
    random = Random(1, 2)
    assert [random.below(1000) for _ in range(4)] == CHANCE_OF_ONE_AND_TWO


CHANCE_OF_ONE_AND_TWO = [282, 761, 32, 449]


def test_all_chance_and_all_clocks_of_the_product_are_replaced() -> None:
    """A module that draws, sleeps, locks or asks for the time is in the list, or says here why it need not be."""
    replaced = {(module.__name__, name) for module, name, _ in determinism.REPLACED}
    known = {(module, name) for module, name in replaced if module.startswith("shared.")} | NEED_NOT
    found = {use for path in _files() for use in _uses(path)}
    assert found - known == set()


NEED_NOT = {
    ("shared.ledger.lease", "threading"),
    ("shared.ledger.lease", "time"),
    ("shared.ledger.records", "threading"),
}
"""The heartbeat's thread is a task of the simulation; of `threading` records take the `Lock`, which is replaced by name."""


def _files() -> Iterator[Path]:
    for name in MODULES:
        path = ROOT / name
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _uses(path: Path) -> Iterator[tuple[str, str]]:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((module, one.name) for one in node.names if one.name in CHANCE)
        elif isinstance(node, ast.ImportFrom) and node.module in CHANCE:
            yield from ((module, one.name if one.name != "Lock" else "threading") for one in node.names)
        elif isinstance(node, ast.Attribute) and node.attr == "now" and ast.unparse(node.value) == "datetime":
            yield module, "datetime"


def test_the_host_does_as_host_json_says() -> None:
    queues = json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]
    assert queues["maxDequeueCount"] == host.MOST_DELIVERIES
    assert queues["visibilityTimeout"] == f"00:00:{host.RETRY_SECONDS}"
