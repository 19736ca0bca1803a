"""The table of checks is true: each of the twenty is held by tests that are there."""

from __future__ import annotations

import re

import pytest

from commands import ROOT
from tests.security.checks import CHECKS, Check


def test_there_are_twenty_in_order() -> None:
    assert [check.id for check in CHECKS] == [f"S{number}" for number in range(1, 21)]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_what_holds_it_is_there(check: Check) -> None:
    assert check.held_by
    for test in check.held_by:
        file, _, name = test.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {name or 'test_'}", text, re.MULTILINE), test


def test_every_file_of_this_folder_holds_one() -> None:
    held = {test.partition("::")[0] for check in CHECKS for test in check.held_by}
    here = {f"tests/security/{file.name}" for file in (ROOT / "tests" / "security").glob("test_*.py")}
    assert here - held == {"tests/security/test_checks.py"}
