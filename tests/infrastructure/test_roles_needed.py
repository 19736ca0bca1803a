"""No role assignment of infra/ is surplus: without it a call that the embedded Azure recorded is refused to somebody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands.stack.access import new_secrets
from commands.stack.state import Stack
from shared.resources.assignments import ASSIGNMENTS, Assignment
from tests.story.with_roles import RECORDED, Call, refused


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    return [Call.parse(told) for told in json.loads(RECORDED.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    made = Stack(tmp_path_factory.mktemp("roles"))
    made.use_roles(new_secrets())
    return made


def test_with_all_of_them_every_recorded_call_is_allowed(calls: list[Call], stack: Stack) -> None:
    assert refused(calls, stack) == []


@pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=str)
def test_without_it_a_call_is_refused(calls: list[Call], stack: Stack, assignment: Assignment) -> None:
    """By what the embedded Azure would answer to the calls that it was really asked."""
    lost = refused(calls, stack, without=assignment)
    assert lost, (
        f"without `{assignment}` no recorded call is refused: it is surplus, or its call was not recorded"
    )
    assert {call.identity for call in lost} == {assignment.identity.name}
    print(f"without `{assignment}`, {lost[0].identity} is refused: {lost[0].name}")


def test_the_recording_names_nobody_elses_resources(calls: list[Call], stack: Stack) -> None:
    """A recording from a machine that has other names would be allowed, or refused, whatever is assigned."""
    assert Path(RECORDED).name == "asked.json"
    for call in calls:
        for need in (need for way in call.ways for need in way):
            assert need.resource.startswith(stack.resource_group_id), call
