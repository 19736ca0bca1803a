"""Each guard that is taken out is seen by its test; `./dev test --slow tests/mutants -v` prints the list."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.mutants.mutant import ROOT, Mutant
from tests.mutants.plant import CHOSEN
from tests.mutants.table import MUTANTS

BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


@pytest.mark.parametrize("mutant", MUTANTS, ids=BY_NAME)
def test_the_table_is_of_this_code(mutant: Mutant) -> None:
    assert mutant.file.read_text().count(mutant.before) == 1
    file, _, test = mutant.test.partition("::")
    assert re.search(rf"^def {test or 'test_'}", (ROOT / file).read_text(), re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("place", range(len(MUTANTS)), ids=BY_NAME)
def test_a_guard_that_is_not_there_is_missed(place: int) -> None:
    plugins = [
        "-p",
        "xdist.plugin",
        "-p",
        "tests.mutants.plant",
    ]  # others, loaded by themselves, take longer than the test
    tried = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", *plugins, MUTANTS[place].test],
        cwd=ROOT,
        env={**os.environ, CHOSEN: str(place), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert tried.returncode == 1, f"it survived, or could not be planted:\n{tried.stdout[-2000:]}"
    assert re.search(r"^(FAILED|ERROR) ", tried.stdout, re.MULTILINE)
