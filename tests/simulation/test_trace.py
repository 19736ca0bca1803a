"""The trace of a run: what is read from it is what there is, and its lights are the oracles'."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation import beginnings, determinism, scenarios
from simulation.processes import OPTIONS
from simulation.runs import Result, read_replay, run_hash
from simulation.trace import PARTS, VERBS, WHERE, lights, says, state, traced

DIED_AFTER_SUBMITTING = "start:0:13=2"


@pytest.fixture(autouse=True, scope="module")
def _installed() -> Iterator[None]:
    with determinism.installed():
        yield


def played(trace: dict[str, object]) -> dict[str, dict[str, object]]:
    """The world at the end, as a reader of the trace finds it."""
    world = {part: dict(there) for part, there in trace["begins"].items()}  # type: ignore[attr-defined]
    for step in trace["steps"]:  # type: ignore[attr-defined]
        for part, changed in step["changes"].items():
            world[part] = {
                name: value for name, value in {**world[part], **changed}.items() if value is not None
            }
    return world


@pytest.mark.parametrize("replay", ["start:0:", DIED_AFTER_SUBMITTING, "admit:7:1=1,9=3"])
def test_who_plays_the_changes_comes_to_what_there_is(replay: str) -> None:
    scenario, seed, deviations = read_replay(replay)
    world = scenario.world(seed, deviations)
    world.run()
    assert played(traced(scenario, seed, deviations)) == json.loads(json.dumps(state(world)))


def test_a_death_and_what_comes_of_it_can_be_seen() -> None:
    trace = traced(*read_replay(DIED_AFTER_SUBMITTING))
    submits = trace["steps"][12]
    assert submits["says"] == "Instance B submits a run to the training pipeline"
    assert trace["options"][submits["point"]][submits["chosen"] - 1] == "died after it"
    assert submits["changes"]["instances"]["B"]["alive"] is False
    assert submits["changes"]["runs"] == {"bank-v1-a1": "NotStarted"}
    again = [
        step for step in trace["steps"] if "leases" in step["changes"] and step["fact"] == "DatasetRegistered"
    ]
    assert [list(step["changes"]["leases"].values()) for step in again][1][0]["attempt"] == 2
    assert played(trace)["submissions"] == {"bank": "submitted"}
    assert not any(light["violations"] for light in trace["lights"])


def test_each_promise_has_a_light_and_it_shows_what_the_oracle_says() -> None:
    broken = Result("start", 0, (), 1, ("I3 one submission: two runs", "outcome: less: of it"), 0)
    told = {light["name"]: light["violations"] for light in lights(broken)}
    assert {name: says for name, says in told.items() if says} == {
        "I3 one submission": ["two runs"],
        "outcome": ["less: of it"],
    }
    assert {name.split(" ", 1)[0] for name in told} >= {f"I{number}" for number in range(1, 10)}


def test_a_trace_is_json_and_says_each_part_at_each_step() -> None:
    trace = traced(*read_replay("tell:0:"))
    assert json.loads(json.dumps(trace)) == trace
    assert set(trace["begins"]) == set(PARTS)
    assert [step["at"] for step in trace["steps"]] == list(range(1, len(trace["steps"]) + 1))


def test_each_port_and_each_verb_that_writes_has_words() -> None:
    source = (Path(__file__).parents[2] / "simulation" / "world.py").read_text()
    assert set(re.findall(r'Port\("(\w+)"', source)) <= set(WHERE)
    assert set(OPTIONS) <= set(VERBS)
    assert (
        says("weather.ask", 0, "") == "Instance A calls ask of weather"
    )  # and one that has none yet is no riddle


def test_a_run_goes_on_from_a_beginning_that_was_written() -> None:
    replay = read_replay("release:5:7=2,20=4")
    before, data = run_hash(*replay), beginnings.written("release")
    scenarios.beginning.cache_clear()
    beginnings.read("release", data)
    try:
        assert run_hash(*replay) == before
    finally:
        scenarios.KNOWN.clear()
        scenarios.beginning.cache_clear()
