"""What the HTTP API renders while faults happen: never a 5xx of its own, never back, 304 only for what is unchanged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from functions.http.middleware import polling as conditional
from functions.http.middleware.etags import as_it_is
from functions.http.views import pagination
from simulation import determinism
from simulation.choices import Random, drawn
from simulation.explore import Piece, results
from simulation.polling import Poller
from simulation.runs import POLLED_AT, plain, run
from simulation.scenarios import SCENARIOS

SCHEDULES = {"day": 2, "admit": 4, "gather": 3, "judge": 4, "release": 3, "score": 1, "people": 1}


@pytest.fixture(autouse=True, scope="module")
def _installed() -> Iterator[None]:
    with determinism.installed():
        yield


def polled(name: str, seeds: range) -> tuple[list[str], Counter[int]]:
    """What was wrong, and how often each status was answered."""
    scenario, wrong, answers = SCENARIOS[name], [], Counter[int]()
    points = plain(scenario)[1]
    for seed in seeds:
        world = scenario.world(seed, drawn(Random(seed, 3), points))
        poller = Poller(world)
        world.run()
        wrong += [f"{name}:{seed}: {one}" for one in poller.wrong]
        answers.update(poller.answers)
    return wrong, answers


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name not in ("day", "people")])
def test_what_is_polled_while_processes_die_is_right(name: str) -> None:
    wrong, answers = polled(name, range(1, SCHEDULES[name] + 1))
    assert wrong == []
    assert answers[200] > 20


@pytest.mark.slow
def test_what_is_polled_in_days_with_faults_is_right() -> None:
    for name in ("day", "people"):
        wrong, answers = polled(name, range(1, SCHEDULES[name] + 1))
        assert wrong == []
        assert min(answers[200], answers[304], answers[503]) > 0


def test_a_schedule_goes_as_it_would_without_a_poller() -> None:
    scenario, ends = SCENARIOS["admit"], []
    for watched in (False, True):
        world = scenario.world(5, {4: 2, 17: 5})
        if watched:
            Poller(world)
        world.run()
        ends.append((world.choices.passed, world.choices.fingerprint, world.choices.taken))
    assert ends[0] == ends[1]


def _loses_a_record(*given: Any, **named: Any) -> Any:
    body = PAGE_OF(*given, **named)
    return {**body, "value": body["value"][1:]}


PAGE_OF = pagination._page


PLANTED = {
    "its pages have": mock.patch.object(pagination, "_page", _loses_a_record),
    "is answered 500": mock.patch.object(conditional, "tags_of", side_effect=KeyError),
    "and none was held": mock.patch.object(conditional, "tagged", lambda answer, headers: as_it_is(answer)),
}


@pytest.mark.parametrize("says", PLANTED)
def test_a_planted_fault_shows(says: str) -> None:
    with PLANTED[says]:
        wrong, _ = polled("admit", range(1, 3))
    assert any(says in one for one in wrong), wrong[:3]


def test_one_schedule_by_chance_in_so_many_is_polled() -> None:
    piece = Piece(kind="chance", seed=1, start=POLLED_AT - 1, stop=POLLED_AT + 2, scenario="tell")
    assert [result.polled for result in results(piece)] == [False, True, False]


def test_what_the_api_says_wrong_is_a_violation() -> None:
    assert run(SCENARIOS["admit"], 1, {}, polled=True).violations == ()
    with PLANTED["its pages have"]:
        violations = run(SCENARIOS["admit"], 1, {}, polled=True).violations
    assert violations
    assert all(one.startswith("the API: ") for one in violations)
