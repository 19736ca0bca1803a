"""A lineage as a timeline: where bars lie, which trace stands above them, and what programs get."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from browser.fake_app import FakeApp
from flow.test_traces import LINE, RUN, Queued, scored
from flow.world import bank_rows

from commands.client import trace_timeline
from commands.client.trace_timeline import BARS
from functions.http.views.lineage import lineage
from shared.domain.facts import RunMoved
from shared.ports import RunView, StepView

Run = Callable[..., tuple[int, str, str]]
Json = dict[str, Any]


@pytest.fixture(scope="module")
def world() -> Queued:
    """A file is dropped and trained on for most of a minute; five hours later clients are scored."""
    made = Queued()
    made.tell(made.drop("may.csv", bank_rows(30)))
    for statuses, seconds in ((("Running", "NotStarted"), 10), (("Completed", "Running"), 40)):
        names = zip(("prepare", "train"), statuses, strict=True)
        steps = tuple(StepView(name=name, status=status) for name, status in names)
        made.workspace.runs[RUN] = RunView(name=RUN, status="Running", steps=steps)
        made.tell(RunMoved(run=RUN))
        made.pass_time(seconds)
    made.finish_run(RUN)
    made.pass_time(5 * 3600)
    scored(made)
    return made


@pytest.fixture
def answer(world: Queued) -> Json:
    found = lineage("may.csv", world.ledger)
    assert found is not None
    return found


def test_one_trace_id_is_found_in_upload_run_release_and_batch(answer: Json) -> None:
    said = trace_timeline.as_json(answer)
    by_kind = {line["kind"]: line for line in said["timeline"]}
    assert {by_kind[kind]["traceId"] for kind in LINE} == {said["traceId"]}
    assert by_kind["batch"]["modelTraceId"] == said["traceId"]
    assert by_kind["batch"]["traceId"] != said["traceId"]


def test_from_the_clients_back_it_is_the_same_trace(world: Queued, answer: Json) -> None:
    back = lineage("clients.csv", world.ledger)
    assert back is not None
    assert trace_timeline.trace_of(back) == trace_timeline.trace_of(answer)
    kinds = [line.kind for line in trace_timeline.lines(back)]
    assert kinds == ["upload", "dataset", "run", "step", "model", "deployment", "batch"]


def test_each_line_says_when_it_began_and_how_long_it_took(answer: Json) -> None:
    lines = {line.kind: line for line in trace_timeline.lines(answer)}
    assert lines["upload"].span.seconds == 10
    assert lines["run"].span.seconds == 50
    assert lines["model"].state == "released"
    assert lines["run"].span.begin == lines["dataset"].span.begin
    assert not any(line.goes_on for line in lines.values())


def test_bars_are_in_proportion_and_a_long_pause_is_short(answer: Json) -> None:
    drawn = trace_timeline.drawn(answer)
    assert drawn is not None
    head, *rows, note = drawn.plain.splitlines()
    assert head == f"trace {trace_timeline.trace_of(answer)}"
    bars = {row.split()[0]: row[25 : 25 + BARS] for row in rows}
    assert bars["run"].count("━") == pytest.approx(5 * bars["upload"].count("━"), abs=3)
    assert bars["upload"].index("━") == 0
    assert (
        bars["upload"].rindex("━")
        < bars["run"].index("━")
        < bars["model"].index("━")
        < bars["batch"].index("━")
    )
    assert bars["batch"].rstrip().endswith("━")
    assert {"┊"} == {bar[bars["upload"].index("┊")] for bar in bars.values()}
    assert note == "┊ a pause, not to scale"
    assert "its own trace" in rows[-1]
    assert max(map(len, rows[:-1])) <= 80


def test_what_is_under_way_grows_until_now() -> None:
    world = Queued()
    world.tell(world.drop("may.csv", bank_rows(30)))
    found = lineage("may.csv", world.ledger)
    assert found is not None
    lines = {line.kind: line for line in trace_timeline.lines(found)}
    assert lines["run"].goes_on
    assert "endedAt" not in lines["run"].to_json()
    drawn = trace_timeline.drawn(found)
    assert drawn is not None
    assert "so far" in drawn.plain


def test_a_model_that_was_replaced_later_was_released_when_it_was() -> None:
    history = [
        ("accepted", "08:00:00"),
        ("releasing", "08:00:01"),
        ("released", "08:00:05"),
        ("previous", "12:00:00"),
    ]
    model = {
        "kind": "model", "id": "bank:1", "state": "previous",
        "history": [{"state": state, "enteredAt": f"2026-11-24T{at}+00:00"} for state, at in history],
    }  # fmt: skip
    (line,) = trace_timeline.lines({"key": "may.csv", "model": model})
    assert line.span.seconds == 5
    drawn = trace_timeline.drawn({"key": "may.csv", "model": model})
    assert drawn is not None
    assert drawn.plain.startswith("trace not known")


def test_the_command_draws_it_first_and_programs_get_all(run: Run, app: FakeApp) -> None:
    code, out, _ = run("trace", "incoming/calls-2026-w45.csv")
    assert code == 0
    assert out.startswith("trace ")
    assert "━" in out
    _, said, _ = run("trace", "incoming/calls-2026-w45.csv", "--json")
    assert json.loads(said)["timeline"]
    assert json.loads(said).items() >= app.lineage("incoming/calls-2026-w45.csv").items()
