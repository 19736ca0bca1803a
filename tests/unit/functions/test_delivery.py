"""What a message that failed at every delivery leaves behind."""

from __future__ import annotations

from unittest import mock

import pytest
from flow.world import World

from functions.delivery import dead_letter
from shared import flow, wiring
from shared.domain.facts import BatchDue
from shared.errors import Transient

DUE = BatchDue(name="old.csv", etag="0x1")


@pytest.fixture
def world() -> World:
    return World()


def _reason(world: World) -> str:
    (failure,) = world.ledger.newest("failure")
    return str(failure.values["reason"])


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (
            Transient("blob storage answered 409"),
            "it failed at every delivery: Transient: blob storage answered 409",
        ),
        (ValueError("no number: 'old'"), "it failed at every delivery: ValueError; the app's log has more"),
    ],
)
def test_a_dead_letter_says_the_last_error_and_no_value_of_a_row(
    world: World, cause: Exception, said: str
) -> None:
    with mock.patch.object(world.files, "stat", side_effect=cause), pytest.raises(type(cause)):
        flow.handle(DUE, world.services)
    with mock.patch.object(wiring, "services", return_value=world.services):
        dead_letter("steps", DUE.to_json(), DUE)
    assert _reason(world) == said


def test_one_that_never_began_points_at_the_log_and_one_that_is_no_fact_says_so(world: World) -> None:
    with mock.patch.object(wiring, "services", return_value=world.services):
        dead_letter("steps", DUE.to_json(), DUE)
    assert _reason(world) == "it failed at every delivery: its log says why"
    other = World()
    with mock.patch.object(wiring, "services", return_value=other.services):
        dead_letter("steps", "{", None)
    assert _reason(other) == "the message could not be read"
