"""The table of kinds: each field says what it means, and what facts project is what the table declares."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from declared import fits

from shared.domain import facts as f
from shared.domain.kinds.field import Part, parts, read, shown
from shared.domain.kinds.kind import Kind
from shared.domain.kinds.model import MODEL
from shared.domain.kinds.run import RUN
from shared.domain.kinds.state import State, Tone
from shared.kinds import BY_NAME, INDEXES, KINDS, STATES, STATUSES_OF, changes, rank

ROOT = Path(__file__).parents[3]
EACH_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@EACH_KIND
def test_each_file_holds_the_kind_of_its_name(kind: Kind[Any]) -> None:
    assert kind.values.__module__ == f"shared.domain.kinds.{kind.name}"


@EACH_KIND
def test_each_state_is_told_apart_and_said_in_words(kind: Kind[Any]) -> None:
    _told_apart(kind.states)
    assert kind.states[-1].final


@pytest.mark.parametrize("of", STATUSES_OF)
def test_each_word_of_a_vocabulary_is_told_apart(of: str) -> None:
    _told_apart(STATUSES_OF[of])
    assert of not in BY_NAME, "words are looked up by one name, whether of a kind or not"


def _told_apart(states: tuple[State, ...]) -> None:
    assert len({state.name for state in states}) == len(states)
    for state in states:
        assert state.sentence, state
        assert state.label, state
        assert not (state.final and state.tone is Tone.RUN), "what is under way is not final"
        assert not (state.needs_person and not state.failed), "what needs a person is coloured so"


@EACH_KIND
def test_each_field_says_what_it_means_with_an_example(kind: Kind[Any]) -> None:
    found = list(_with_inner(kind.values))
    assert found
    for of, part in found:
        said, place = part.about, f"{of.__name__}.{part.name}"
        assert re.fullmatch(r"[A-Z0-9].*\.", said.sentence), place
        if said.public and not part.inner:
            assert said.example not in (None, []), place
            assert fits(said.example, part.hint), place
        if said.entered:
            assert said.entered in STATES[kind.name], place
        if said.one_of:
            assert said.example in [state.name for state in said.one_of], place
        if said.known:
            assert said.example in [state.name for state in said.known], place


def _with_inner(of: type[Any]) -> Iterator[tuple[type[Any], Part]]:
    for part in parts(of):
        yield of, part
        if part.inner:
            yield from _with_inner(part.inner)


FACTS: tuple[f.Fact, ...] = (
    f.UploadArrived(name="a.csv", etag="1"),
    f.UploadArrived(name="a.csv", etag="1", attempt=2),
    f.UploadAdmitted(
        upload="u", name="a.csv", dataset="bank", content_hash="c", rows=3, rejected=1, source_sha256="s",
        part_sha256="p", readmitted_from="v",
    ),
    f.UploadRejected(upload="u", name="a.csv", reason="bad", source_sha256="s", rejected=2, dataset="bank"),
    f.UploadDuplicated(upload="u", name="a.csv", dataset="bank", rows=3, first_upload="t", rejected=1, readmitted_from="v"),
    f.DatasetRegistered(dataset="bank", version=1, rows=3, uploads=1),
    f.RunPostponed(dataset="bank", version=1, reason="later"),
    f.RunStarted(run="r", dataset="bank", version=1),
    f.RunProgressed(run="r", running=True, status="Running", steps=[], batch="b"),
    f.RunFinished(run="r", dataset="bank", version=1, status="Canceled", reason="enough"),
    f.BatchRunFinished(run="r", batch="b", attempt=1, status="Completed"),
    f.RunFailed(run="r", dataset="bank", version=1, reason="bad"),
    f.ExperimentStarted(run="r", dataset="bank", version=1, purpose="search"),
    f.ExperimentFinished(run="r", dataset="bank", version=1, purpose="search", status="Failed", reason="bad"),
    f.ExperimentFailed(run="r", dataset="bank", version=1, purpose="search", reason="bad"),
    f.RecipeFound(run="r", dataset="bank", version=1, purpose="search", recipe="found", reason="better"),
    f.RivalJudged(run="r", dataset="bank", version=1, purpose="automl", verdict="worse", reason="worse"),
    f.NothingFound(run="r", dataset="bank", version=1, purpose="search", reason="worse"),
    f.ModelAccepted(run="r", dataset="bank", version=1, reason="better"),
    f.ModelRefused(run="r", dataset="bank", version=1, reason="worse"),
    f.ModelUndecided(run="r", dataset="bank", version=1, reason="few", rows_needed=1900),
    f.ModelReleased(run="r", dataset="bank", version=1, deployment="model-1", previous="", endpoint="e"),
    f.ReleaseHeld(run="r", dataset="bank", version=1, reason="so", until="2026-11-25T08:00:00.000+00:00"),
    f.ReleaseRolledBack(run="r", dataset="bank", version=1, reason="wrong", requested_ms=7),
    f.BatchDue(name="c.csv", etag="1"),
    f.BatchRunStarted(batch="b", run="r", dataset="bank", version=1, attempt=1),
    f.BatchScored(batch="b", rows=3, rejected=1, deciles=[0] * 10),
    f.BatchDuplicated(batch="b", name="clients.csv", first_batch="a"),
    f.BatchHeld(batch="b", name="c.csv", reason="age: off", columns=[]),
    f.BatchApproved(batch="b", by="key:operator", reason="rebased"),
    f.StepDeadLettered(queue="steps", about="profile/b", reason="archived"),
    f.BatchRefused(batch="b", name="c.csv", reason="no model"),
    f.OutcomesArrived(name="b/a.csv", etag="1"),
    f.OutcomesJoined(
        outcome="o", name="b/a.csv", batch="b", dataset="bank", version=1, rows=2, rejected=1, blank=0, repeated=0
    ),
    f.OutcomesRefused(outcome="o", name="b/a.csv", reason="no such batch"),
    f.StepDeadLettered(queue="blob-events", about="outcomes/b/a.csv/1", reason="archived"),
    f.StepDeadLettered(queue="steps", about="shard/b/1", reason="bad"),
    f.StepDeadLettered(queue="steps", about="batch/c.csv/1", reason="archived"),
    f.StepDeadLettered(queue="steps", about="batch/b/scored", reason="archived"),
    f.StepDeadLettered(queue="blob-events", about="upload/a.csv/1", reason="archived", message="text"),
    f.AlertRaised(alert="file-late-0", name="file-late", cause="file-late/bank", since="2026-11-24T08:00", says="late"),
    f.AlertOver(alert="file-late-0"),
    f.AlertTestRequested(operation="o", by="key:operator"),
    f.ClockRecovered(clock="ScoringDue", dead_letter="dead-lettered/clock/ScoringDue"),
    f.OperationRequested(operation="o", action="promote bank:1", by="key:operator", facts=["{}"]),
    f.RetryRequested(failure="x", about="shard/b/1", operation="o"),
    f.QuarantineDecided(upload="u", decision="discarded", by="key:operator", reason=""),
    f.UploadWithdrawn(
        upload="u", name="a.csv", dataset="bank", operation="o", by="key:operator", reason="wrong", rows_left=3,
        held_by="b.csv",
    ),
    f.RowsTrusted(dataset="bank", version=1, operation="o", by="key:operator", reason="right"),
    f.WorkPaused(operation="o", by="key:operator", reason=""),
)  # fmt: skip


def test_facts_that_change_something_are_all_tried_here() -> None:
    assert {type(fact) for fact in FACTS} == {fact for kind in KINDS for fact in kind.projections}


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_a_fact_changes_only_what_the_table_declares(fact: f.Fact) -> None:
    assert changes(fact)
    for change in changes(fact):
        if change.kind in INDEXES:
            ((kind, _),) = change.values.items()
            assert kind in BY_NAME
            continue
        assert change.state is None or rank(change.kind, change.state) >= 0
        declared = {part.name for part in BY_NAME[change.kind].parts if not part.about.entered}
        assert set(change.values) <= declared, change.kind


def test_a_fact_that_is_only_due_changes_nothing() -> None:
    assert changes(f.ReconcileDue(tick="1")) == []


def test_values_are_read_with_all_they_hold_and_shown_without_what_is_internal() -> None:
    steps = [{"name": "train", "status": "Running", "started_at": "2026-11-24T08:00:00.000+00:00"}]
    values = {"dataset": "bank", "attempt": 2, "steps": steps, "reason": None, "unheard_of": 1}
    run = read(RUN.values, values)
    assert (run.attempt, run.version, run.steps and run.steps[0].status) == (2, None, "Running")
    (step,) = steps
    told = {"name": "train", "status": "Running", "startedAt": step["started_at"]}
    assert shown(RUN.values, values) == {"dataset": "bank", "steps": [told]}


def test_when_a_thing_came_into_a_state_is_read_from_its_history() -> None:
    history = [("releasing", "1"), ("released", "2"), ("previous", "3"), ("released", "4")]
    assert MODEL.times(history) == {"released_at": "4"}


# --- each state is one that something comes into ----------------------------------------------------------------


def _words(file: Path) -> set[str]:
    """The texts in a file's code, but those that declare states."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    declaring = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "State"]
    declared = {id(inner) for node in declaring for inner in ast.walk(node)}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in declared
    }


def _changing(kind: Kind[Any]) -> list[Path]:
    """The files that make changes of the kind, and those that make the facts of it."""
    makes = [rf'Change\(\s*kind="{kind.name}"', *(rf"\b{fact.__name__}\(" for fact in kind.projections)]
    made = re.compile("|".join(makes))
    files = [file for folder in ("shared", "functions") for file in (ROOT / folder).rglob("*.py")]
    return [file for file in files if made.search(file.read_text(encoding="utf-8"))]


@EACH_KIND
def test_each_state_is_set_somewhere(kind: Kind[Any]) -> None:
    said = {word for file in _changing(kind) for word in _words(file)}
    assert [state.name for state in kind.states if state.name not in said] == []


@pytest.mark.parametrize(("about", "field"), [("scored", "call_list_problem"), ("shards-scored", "reason")])
def test_what_is_given_up_after_the_shards_is_told_by_their_batch(about: str, field: str) -> None:
    dead = f.StepDeadLettered(queue="steps", about=f"batch/clients-csv-0a1b2c3d/{about}", reason="it failed")
    (told,) = [change for change in changes(dead) if change.kind == "batch"]
    assert told.id == "clients-csv-0a1b2c3d"
    assert "when failure" in told.values[field]
