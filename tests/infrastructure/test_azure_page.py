"""docs/azure.md says what is: its tables are made of the list and of the checks, and each trap is held by what it names."""

from __future__ import annotations

import re
from types import ModuleType

import pytest

from commands import ROOT
from commands.infrastructure.check import rules
from commands.infrastructure.traps import NOT_HERE, RUNBOOK, TESTS, TRAPS, held
from commands.infrastructure.unkindnesses import BORNE
from localazure.strict import NAMES
from tests.docs_script import docs_script

PAGE = (ROOT / "docs" / "azure.md").read_text(encoding="utf-8")
ABOVE_THE_TABLE = PAGE.partition("## The traps of a first deployment")[0]


@pytest.fixture(scope="module")
def azure_page() -> ModuleType:
    return docs_script("azure_page")


def test_its_tables_are_current(azure_page: ModuleType) -> None:
    assert azure_page.page() == PAGE, "run `python docs/azure_page.py`"


def test_every_provider_is_registered(azure_page: ModuleType) -> None:
    told = re.findall(r"^az provider register -n (\S+)$", PAGE, re.MULTILINE)
    assert sorted(told) == azure_page.providers()
    assert {"Microsoft.App", "Microsoft.EventGrid", "Microsoft.MachineLearningServices"} < set(told)


def test_there_are_105_traps_and_each_is_held() -> None:
    assert [len([trap for trap in TRAPS if trap[0] == of]) for of in "FEMD"] == [25, 25, 30, 25]
    assert [each.trap for each in held() if not each.by] == []


def test_nothing_holds_against_a_trap_that_there_is_not() -> None:
    named = {trap for rule in rules() for trap in rule.traps}
    assert named | set(TESTS) | set(RUNBOOK) | set(NOT_HERE) <= set(TRAPS)


@pytest.mark.parametrize("trap", TESTS)
def test_a_test_that_holds_against_a_trap_is_there(trap: str) -> None:
    file, _, name = TESTS[trap].partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("name", sorted(NAMES | set(BORNE)))
def test_each_unkindness_is_borne_and_a_test_says_so(name: str) -> None:
    file, _, test = BORNE[name][1].partition("::")
    assert name in NAMES
    assert re.search(rf"^def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("trap", RUNBOOK)
def test_a_line_of_the_runbook_names_the_trap(trap: str) -> None:
    assert re.search(rf"\((\w+,\s+)*{trap}(,\s+\w+)*\)", ABOVE_THE_TABLE)


def test_every_trap_that_the_page_names_has_a_line() -> None:
    named = set(re.findall(r"\b([FEMD]\d+)\b", ABOVE_THE_TABLE))
    assert named - set(RUNBOOK) == {"F13"}  # the head's example


def test_what_does_not_apply_is_held_by_nothing_else() -> None:
    assert [each.trap for each in held() if each.trap in NOT_HERE and len(each.by) > 1] == []
