"""What an operator asks for, as stories in memory: promote, roll back, let rows in, pause, try again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from flow.world import BrokenFiles, World, bank_rows

from shared.domain.facts import (
    ModelReleased,
    PromotionRequested,
    QuarantineDecided,
    ReadmissionRefused,
    ReadmissionRequested,
    ReconcileDue,
    ReleaseNotPossible,
    RetryRequested,
    RollbackRequested,
    RunDue,
    ScoringDue,
    StepDeadLettered,
    UploadAdmitted,
    UploadArrived,
    WorkPaused,
    WorkResumed,
)
from shared.errors import Refused, Transient
from shared.procedures.work_pause import ALL, WORK_PAUSE

RUN_1, RUN_2 = "bank-v1-a1", "bank-v2-a1"


@pytest.fixture
def two_models(world: World) -> World:
    """Model 1 answered, then model 2."""
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run(RUN_1)
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    world.finish_run(RUN_2)
    assert world.workspace.traffic == {"campanha-bank": {"model-2": 100}}
    return world


def _roll_back(world: World, operation: str = "o1") -> None:
    world.pass_time(1)
    world.tell(
        RollbackRequested(
            dataset="bank", operation=operation, requested_ms=round(world.now().timestamp() * 1000)
        )
    )


def _promote(world: World, version: int, operation: str = "p1") -> None:
    world.pass_time(1)
    asked = round(world.now().timestamp() * 1000)
    world.tell(PromotionRequested(dataset="bank", version=version, operation=operation, requested_ms=asked))


def test_a_roll_back_lets_the_model_before_answer_again(two_models: World) -> None:
    _roll_back(two_models)
    assert two_models.workspace.traffic == {"campanha-bank": {"model-1": 100}}
    assert two_models.state("model", "bank:1") == "released"
    assert two_models.state("model", "bank:2") == "rolled-back"
    assert two_models.state("deployment", "campanha-bank/model-1") == "serving"
    assert two_models.state("deployment", "campanha-bank/model-2") == "standby"


def test_a_roll_back_can_be_taken_back(two_models: World) -> None:
    _roll_back(two_models, "o1")
    _roll_back(two_models, "o2")
    assert two_models.workspace.traffic == {"campanha-bank": {"model-2": 100}}
    assert two_models.state("model", "bank:2") == "released"
    assert two_models.state("model", "bank:1") == "rolled-back"


def test_a_roll_back_is_tested_like_any_release(two_models: World) -> None:
    """The model before has gone bad meanwhile: the present one goes on answering."""
    two_models.endpoint.model_version = "7"
    _roll_back(two_models)
    assert two_models.workspace.traffic == {"campanha-bank": {"model-2": 100}}
    assert two_models.state("model", "bank:1") == "rolled-back"
    assert two_models.state("model", "bank:2") == "released"


def test_without_a_model_before_there_is_nothing_to_roll_back_to(world: World) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run(RUN_1)
    _roll_back(world)
    (no,) = world.told(ReleaseNotPossible)
    assert "no model answered" in no.reason
    assert world.workspace.traffic == {"campanha-bank": {"model-1": 100}}


def test_a_refused_model_can_be_promoted(two_models: World) -> None:
    two_models.tell(two_models.drop("july.csv", bank_rows(30, start=2000)))
    two_models.finish_run("bank-v3-a1", worse=True)
    assert two_models.state("model", "bank:3") == "refused"
    _promote(two_models, 3)
    assert two_models.workspace.traffic == {"campanha-bank": {"model-3": 100}}
    assert two_models.state("model", "bank:3") == "released"
    assert two_models.state("model", "bank:2") == "previous"


@pytest.mark.parametrize(("version", "why"), [(2, "answers for bank already"), (9, "there is no model 9")])
def test_what_cannot_be_promoted_is_said(two_models: World, version: int, why: str) -> None:
    _promote(two_models, version)
    (no,) = two_models.told(ReleaseNotPossible)
    assert why in no.reason


def test_asking_twice_releases_once(two_models: World) -> None:
    two_models.pass_time(1)
    asked = RollbackRequested(
        dataset="bank", operation="o1", requested_ms=round(two_models.now().timestamp() * 1000)
    )
    two_models.tell(asked, asked)
    two_models.tell(asked)
    assert two_models.workspace.traffic == {"campanha-bank": {"model-1": 100}}
    assert len([fact for fact in two_models.told(ModelReleased) if fact.requested_ms]) == 1


# --- quarantine -------------------------------------------------------------------------------------------


def _with_odd_ages(world: World) -> UploadArrived:
    """Of thirty rows one is too old by the contract, one is no age at all, one has no answer we know."""
    lines = bank_rows(30).splitlines()
    lines[3] = lines[3].replace("22;", "150;", 1)
    lines[4] = lines[4].replace("23;", "old;", 1)
    lines[5] = lines[5].rsplit(";", 1)[0] + ";perhaps"
    upload = world.drop("may.csv", "\n".join(lines) + "\n")
    world.tell(upload)
    return upload


def test_rows_put_aside_are_let_in_where_they_can_be_typed(world: World) -> None:
    upload = _with_odd_ages(world)
    assert world.state("quarantine", upload.key) == "held"
    world.tell(ReadmissionRequested(upload=upload.key, operation="o1"))
    admitted = world.told(UploadAdmitted)[-1]
    assert (admitted.rows, admitted.readmitted_from, admitted.name) == (1, upload.key, "may.csv")
    record = world.ledger.find("upload", admitted.upload)
    assert record is not None
    assert (record.state, record.values["readmitted_from"]) == ("registered", upload.key)
    assert record.values["dataset_version"] == "bank:2"


def test_rows_let_in_twice_are_in_once(world: World) -> None:
    upload = _with_odd_ages(world)
    wanted = ReadmissionRequested(upload=upload.key, operation="o1")
    world.tell(wanted, replace(wanted, operation="o2"))
    assert len([fact for fact in world.told(UploadAdmitted) if fact.readmitted_from]) == 1


def test_a_file_of_another_shape_cannot_be_let_in(world: World) -> None:
    upload = world.drop("odd.csv", "a;b\n1;2\n")
    world.tell(upload, ReadmissionRequested(upload=upload.key, operation="o1"))
    (kept,) = world.told(ReadmissionRefused)
    assert "as a whole was refused" in kept.reason
    assert world.state("quarantine", upload.key) == "held"


def test_a_file_none_of_whose_rows_fits_shows_every_row_and_can_be_let_in(world: World) -> None:
    upload = world.drop("may.csv", bank_rows(3).replace("technician", "astronaut"))
    world.tell(upload)
    assert world.state("upload", upload.key) == "rejected"
    record = world.ledger.find("quarantine", upload.key)
    assert record is not None
    assert (record.values["rows"], record.values["whole_file"]) == (3, True)
    world.tell(ReadmissionRequested(upload=upload.key, operation="o1"))
    assert [fact.rows for fact in world.told(UploadAdmitted)] == [3]


def test_a_decision_is_recorded_with_who_and_why(world: World) -> None:
    upload = _with_odd_ages(world)
    decided = QuarantineDecided(
        upload=upload.key, decision="discarded", by="key:operator", reason="a test file"
    )
    world.tell(decided)
    record = world.ledger.find("quarantine", upload.key)
    assert record is not None
    assert (record.state, record.values["decided_by"]) == ("discarded", "key:operator")


def test_the_same_file_can_be_held_against_the_contract_again(world: World) -> None:
    first = world.drop("odd.csv", "a;b\n1;2\n")
    world.tell(first)
    again = replace(first, attempt=2)
    world.tell(again)
    assert again.key != first.key
    assert world.state("upload", again.key) == "rejected"
    assert world.ledger.records.led_to("file", "incoming/odd.csv") == {"upload": again.key}


# --- pause ------------------------------------------------------------------------------------------------


def _pause(world: World, operation: str = "w1") -> None:
    world.tell(WorkPaused(operation=operation, by="key:operator", reason="moving house"))


def _resume(world: World, operation: str = "w2") -> None:
    world.tell(WorkResumed(operation=operation, by="key:operator", reason=""))


def test_paused_work_begins_nothing_and_loses_nothing(world: World) -> None:
    _pause(world)
    upload = world.drop("may.csv", bank_rows(30))
    world.tell(upload)
    assert world.state("upload", upload.key) == "registered"  # what comes in is still taken in
    assert world.pipeline.submissions == []
    world.pass_time(3600)
    world.tell(ReconcileDue(tick="1"))
    assert world.pipeline.submissions == []
    _resume(world)
    assert [request.name for request in world.pipeline.submissions] == [RUN_1]
    assert world.state("work", "w1") == "resumed"


def test_what_came_due_while_work_was_paused_is_done_at_once_when_it_goes_on(world: World) -> None:
    """It was held back for hours before: nobody holds it back for as long again."""
    due = RunDue(dataset="bank", version=1, cause="it is late", after_seconds=36_000)
    world.ledger.outbox.expect([due])
    world.deliver(WorkPaused(operation="p", by="key:operator", reason=""))
    world.due.clear()
    world.pass_time(36_000)
    world.deliver(due)
    world.pass_time(60)
    world.deliver(WorkResumed(operation="r", by="key:operator", reason=""))
    assert [when for when, fact in world.due if fact.key == due.key] == [world.time]


def test_a_release_waits_while_work_is_paused(world: World) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    _pause(world)
    world.finish_run(RUN_1)
    assert world.state("model", "bank:1") == "accepted"
    assert world.workspace.traffic == {}
    _resume(world)
    assert world.workspace.traffic == {"campanha-bank": {"model-1": 100}}


def test_a_roll_back_does_not_wait(two_models: World) -> None:
    _pause(two_models)
    _roll_back(two_models)
    assert two_models.workspace.traffic == {"campanha-bank": {"model-1": 100}}


def test_the_clocks_do_nothing_while_work_is_paused(two_models: World) -> None:
    clients = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(5).splitlines()) + "\n"
    _pause(two_models)
    two_models.files.write("scoring", "clients.csv", clients.encode())
    two_models.tell(ScoringDue(tick="1"))
    assert two_models.ledger.newest("batch") == []
    _resume(two_models)
    two_models.tell(ScoringDue(tick="2"))
    assert [record.state for record in two_models.ledger.newest("batch")] == ["scored"]


def test_pausing_twice_is_pausing_once_and_so_is_going_on(world: World) -> None:
    _pause(world, "w1")
    _pause(world, "w2")
    _resume(world, "w3")
    _resume(world, "w4")
    work = world.ledger.documents.read(WORK_PAUSE, ALL)
    assert work is not None
    assert work.value.paused is False
    assert world.state("work", "w1") == "resumed"


def test_what_was_put_aside_while_work_just_went_on_is_found_by_the_sweep(world: World) -> None:
    """The race: the resume had looked already when the fact was put among the unfinished."""
    _pause(world)
    world.tell(world.drop("may.csv", bank_rows(30)))
    work = world.ledger.documents.read(WORK_PAUSE, ALL)
    assert work is not None
    world.ledger.documents.write(WORK_PAUSE, ALL, replace(work.value, paused=False), over=work)
    world.pass_time(world.policy.claim_seconds + 1)
    world.tell(ReconcileDue(tick="1"))
    assert [request.name for request in world.pipeline.submissions] == [RUN_1]


# --- trying again -----------------------------------------------------------------------------------------


def _dead_lettered(world: World) -> UploadArrived:
    """An upload whose step failed as often as it may."""
    upload = world.drop("may.csv", bank_rows(30))
    world.fail_for_good(upload)
    return upload


def test_a_step_that_was_given_up_can_be_tried_again(world: World) -> None:
    upload = _dead_lettered(world)
    (failure,) = world.ledger.newest("failure")
    assert (failure.state, failure.values["about"]) == ("dead-lettered", upload.key)
    waiting = world.ledger.find("upload", upload.key)
    assert waiting is not None
    assert waiting.values["reason"].startswith("it failed 5 times, the last time with Transient: the disk is")
    assert f"failure {failure.id} is retried" in waiting.values["reason"]
    world.tell(RetryRequested(failure=failure.id, about=upload.key, operation="o1"))
    done = world.ledger.find("upload", upload.key)
    assert done is not None
    assert (done.state, done.values["reason"]) == ("registered", None)
    assert world.state("failure", failure.id) == "resolved"


def test_an_upload_of_a_name_that_storage_cannot_have_is_rejected_at_once(world: World) -> None:
    upload = UploadArrived(name="a" * 2000, etag="1")
    with mock.patch.object(world.files, "stat", side_effect=Refused("storage has no such names")):
        world.tell(upload)
    assert world.state("upload", upload.key) == "rejected"


def test_a_step_that_fails_again_is_another_failure(world: World) -> None:
    upload = _dead_lettered(world)
    (failure,) = world.ledger.newest("failure")
    world.files = BrokenFiles(world.files)  # type: ignore[assignment]
    with pytest.raises(Transient):
        world.tell(RetryRequested(failure=failure.id, about=upload.key, operation="o1"))
    assert world.state("failure", failure.id) == "retried"
    world.due = []
    for _ in range(world.policy.most_attempts - 1):
        world.pass_time(world.policy.claim_seconds + 1)
        with pytest.raises(Transient):
            world.deliver(upload)
    world.pass_time(world.policy.claim_seconds + 1)
    world.tell(ReconcileDue(tick="2"))
    assert [record.state for record in world.ledger.newest("failure")] == ["dead-lettered", "retried"]
    assert [fact.retries for fact in world.told(StepDeadLettered)] == [0, 1]


def test_what_was_done_meanwhile_is_not_done_again(world: World) -> None:
    upload = world.drop("may.csv", bank_rows(30))
    world.tell(upload)
    world.tell(StepDeadLettered(queue="blob-events", about=upload.key, reason="a message came back"))
    (failure,) = world.ledger.newest("failure")
    world.tell(RetryRequested(failure=failure.id, about=upload.key, operation="o1"))
    assert len(world.told(UploadAdmitted)) == 1


# --- how well the model answers ---------------------------------------------------------------------------


def _health(world: World) -> dict[str, Any]:
    record = world.ledger.find("deployment", "campanha-bank/model-2")
    assert record is not None
    health: dict[str, Any] = record.values["health"]
    return health


def test_the_model_that_answers_is_looked_at_again_and_again(two_models: World) -> None:
    two_models.policy = replace(two_models.policy, endpoint_probe_seconds=60)
    for minute in range(3):
        two_models.tell(ReconcileDue(tick=f"{minute}"))
        two_models.tell(ReconcileDue(tick=f"{minute} again"))
        two_models.pass_time(61)
    assert (_health(two_models)["status"], _health(two_models)["requests"]) == ("pass", 3)
    two_models.endpoint.model_version = "7"  # somebody has put another model there
    two_models.tell(ReconcileDue(tick="4"))
    assert (_health(two_models)["status"], _health(two_models)["errors"]) == ("fail", 1)
    assert two_models.workspace.traffic == {"campanha-bank": {"model-2": 100}}


def test_a_batch_says_which_shard_was_given_up(two_models: World) -> None:
    clients = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(5).splitlines()) + "\n"
    two_models.files.write("scoring", "clients.csv", clients.encode())
    two_models.tell(ScoringDue(tick="1"))
    (batch,) = two_models.ledger.newest("batch")
    two_models.tell(StepDeadLettered(queue="shards", about=f"shard/{batch.id}/0", reason="it failed"))
    (failure,) = two_models.ledger.newest("failure")
    told = two_models.ledger.find("batch", batch.id)
    assert told is not None
    assert told.values["reason"] == (
        f"shard 0 was dead-lettered; the batch goes on when failure {failure.id} is retried"
    )


def test_a_shard_of_a_batch_that_never_was_is_a_failure_and_no_batch(world: World) -> None:
    world.tell(StepDeadLettered(queue="shards", about="shard/nobody-planned-me/0", reason="it failed"))
    assert [record.values["about"] for record in world.ledger.newest("failure")] == [
        "shard/nobody-planned-me/0"
    ]
    assert world.ledger.newest("batch") == []


def test_rows_that_could_not_be_taken_apart_stay_in_quarantine(world: World) -> None:
    """A byte that is no UTF-8 would come in as the text that shows it; two open quotes far apart would join."""
    lines = bank_rows(30).splitlines()
    lines[3] = lines[3].replace("technician", "caf\N{LATIN SMALL LETTER E WITH ACUTE}")
    lines[5] = lines[5].replace("technician", '"technician')
    lines[9] = lines[9].replace("technician", "astronaut")
    lines[20] = lines[20].replace("technician", 'x"', 1).replace(";married;", '";married;')
    upload = world.drop("may.csv", "\n".join(lines).encode("latin-1"))
    world.tell(upload, ReadmissionRequested(upload=upload.key, operation="o1"))
    first, readmitted = world.told(UploadAdmitted)
    assert (first.rows, first.rejected, readmitted.rows) == (26, 4, 1)


def test_when_none_of_them_can_be_taken_apart_nothing_is_let_in(world: World) -> None:
    upload = world.drop("may.csv", bank_rows(30) + "1;2;3\n")
    world.tell(upload, ReadmissionRequested(upload=upload.key, operation="o1"))
    (kept,) = world.told(ReadmissionRefused)
    assert "none of the rows in quarantine can be taken apart" in kept.reason
    assert world.state("quarantine", upload.key) == "held"
