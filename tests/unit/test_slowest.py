"""The table of the slowest tests: every phase counted, workers' reports too, and only one table."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.slowest import taken

ROOT = Path(__file__).parents[2]
TESTS = """
import time

import pytest


@pytest.fixture
def service():
    time.sleep(0.3)
    yield
    time.sleep(0.2)


def test_of_a_service(service):
    time.sleep(0.1)


def test_at_once():
    pass
"""


def report(test: str, when: str, seconds: float) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=test, location=("", None, ""), keywords={}, outcome="passed", longrepr=None,
        when=when, duration=seconds,  # type: ignore[arg-type]
    )  # fmt: skip


def test_all_phases_of_a_test_count_in_any_order() -> None:
    reports = [
        report("a", "call", 1), report("b", "setup", 5), report("a", "teardown", 2), report("a", "setup", 4),
        report("b", "call", 1),
    ]  # fmt: skip
    assert [(each.test, each.whole, each.around) for each in taken(reports)] == [("a", 7, 6), ("b", 6, 5)]


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_the_table_stands_once_at_the_end_with_workers_and_without(tmp_path: Path, workers: str) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(TESTS)
    plugins = ["-p", "xdist", "-p", "tests.slowest"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "-n", workers, f"--rootdir={tmp_path}", str(file)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("the slowest of 2 tests") == 1
    first, second = re.findall(r"^ +([\d.]+) +([\d.]+)  test_it\.py::(\w+)$", done.stdout, re.MULTILINE)
    assert (first[2], second[2]) == ("test_of_a_service", "test_at_once")
    assert float(first[0]) >= 0.6
    assert float(first[1]) >= 0.5
