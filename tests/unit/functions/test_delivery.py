"""From a message to its outcome: what cannot be read, and what failed at every delivery, is a dead letter."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import azure.functions as func
import pytest
from azure.functions.queue import QueueMessage
from flow.exported import exporting
from flow.world import World
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.ledger.interrupted import Fuse, Killed

from functions import runs, shards, steps, uploads
from functions.delivery import give_up
from shared import flow, wiring
from shared.domain.facts import (
    BatchDue,
    DatasetDue,
    ReconcileDue,
    RetryRequested,
    RunMoved,
    ShardDue,
    UploadArrived,
)
from shared.domain.names import digest
from shared.errors import Transient
from shared.ledger.claims import Outcome
from shared.telemetry.metrics import QUEUE_TIME

DUE = BatchDue(name="old.csv", etag="0x1")
SUBJECT = "/blobServices/default/containers/incoming/blobs/may.csv"
CREATED = {
    "eventType": "Microsoft.Storage.BlobCreated",
    "subject": SUBJECT,
    "data": {"api": "PutBlob", "eTag": '"0x8D"'},
}
AS_CLOUD_EVENT = {
    "specversion": "1.0",
    "type": "Microsoft.Storage.BlobCreated",
    "source": "/subscriptions/1",
    "id": "1",
    "subject": SUBJECT,
    "data": {"api": "PutBlob", "eTag": "0x8D"},
}
MOVED = {
    "eventType": "Microsoft.MachineLearningServices.RunStatusChanged",
    "subject": "a",
    "data": {"runId": "r"},
}
Trigger = Callable[[func.QueueMessage], None]
TRIGGERS: dict[str, tuple[Any, Any]] = {
    "steps": (steps.step_due, steps.step_dead_lettered),
    "shards": (shards.shard_due, shards.shard_dead_lettered),
    "blob-events": (uploads.upload_arrived, uploads.upload_dead_lettered),
    "run-events": (runs.run_moved, runs.run_event_dead_lettered),
}


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    with mock.patch.object(wiring, "services", return_value=world.services):
        yield world


def _called(trigger: Any, body: bytes | dict[str, Any]) -> None:
    """As the host calls it."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    trigger.build(None).get_user_function()(func.QueueMessage(body=text))


def _reason(world: World) -> str:
    (failure,) = world.ledger.newest("failure")
    return str(failure.values["reason"])


@pytest.mark.parametrize("event", [CREATED, AS_CLOUD_EVENT], ids=["Event Grid", "CloudEvents"])
def test_a_blob_is_known_by_its_event_in_either_schema(world: World, event: dict[str, Any]) -> None:
    _called(uploads.upload_arrived, event)
    assert world.ledger.find("upload", UploadArrived(name="may.csv", etag="0x8D").key) is not None


@pytest.mark.parametrize(
    "event",
    [
        {**CREATED, "eventType": "Microsoft.Storage.BlobDeleted"},
        {**CREATED, "subject": "/blobServices/default/containers/scored/blobs/may.csv"},
        {**CREATED, "data": {"api": "CreateFile", "eTag": "1"}},
    ],
    ids=["another type", "another container", "not whole"],
)
def test_an_event_that_is_none_of_ours_leads_to_nothing(world: World, event: dict[str, Any]) -> None:
    _called(uploads.upload_arrived, event)
    assert (world.ledger.newest("upload"), world.ledger.newest("failure")) == ([], [])


@pytest.mark.parametrize(
    ("queue", "message", "said"),
    [
        ("steps", b"{", "it is no JSON"),
        ("steps", b"\xff", "it is no UTF-8"),
        ("steps", {"fact": "UploadArrived", "name": 57, "etag": "1"}, "UploadArrived: its name is no str"),
        ("shards", {"fact": "ShardDue", "batch": "b", "number": "1"}, "ShardDue: its number is no int"),
        ("blob-events", b"", "it is no JSON"),
        ("blob-events", [CREATED], "it is no event: a JSON object is wanted"),
        ("blob-events", {"subject": SUBJECT}, "the Event Grid schema: it has no eventType, data"),
        ("blob-events", {"specversion": "1.0"}, "the CloudEvents schema: it has no type, subject, data"),
        ("blob-events", {**CREATED, "data": {"api": "PutBlob"}}, "whose data have no eTag"),
        ("blob-events", {**CREATED, "data": {"api": 3, "eTag": "1"}}, "whose data have no api"),
        ("blob-events", {**CREATED, "data": {"api": "PutBlob", "eTag": '""'}}, "names no blob, or no ETag"),
        ("run-events", {**MOVED, "data": {}}, "whose data have no runId"),
        ("run-events", {**MOVED, "data": {"runId": 5}}, "whose data have no runId"),
    ],
)
def test_what_cannot_be_read_is_a_dead_letter_at_once_and_it_is_said_why(
    world: World, queue: str, message: Any, said: str
) -> None:
    _called(TRIGGERS[queue][0], message)
    assert _reason(world).startswith("the message could not be read: ")
    assert said in _reason(world)


def test_what_it_said_is_kept_for_whoever_looks_into_it_and_not_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    _called(uploads.upload_arrived, b'{"subject": "somebody wrote this"' + b"!" * 2000)
    (failure,) = world.ledger.newest("failure")
    assert failure.values["message"].startswith('{"subject": "somebody wrote this"')
    assert len(failure.values["message"]) == 1000
    assert "somebody" not in caplog.text


@pytest.mark.parametrize("name", ["runId", "RunId"])
def test_a_field_of_azure_mls_events_begins_with_either_letter(name: str) -> None:
    assert runs.run_in(json.dumps({**MOVED, "data": {name: "r"}}).encode()) == RunMoved(run="r")


@pytest.mark.parametrize("written", [b64encode(json.dumps(CREATED).encode()), json.dumps(CREATED).encode()])
def test_a_message_is_base64_or_plain(world: World, written: bytes) -> None:
    _called(uploads.upload_arrived, written)
    assert len(world.ledger.newest("upload")) == 1


def test_what_is_no_base64_reaches_the_app() -> None:
    """The host would move it into a poison queue, and from there nowhere: see `receive`."""
    host = json.loads((Path(__file__).parents[3] / "host.json").read_text())
    assert host["extensions"]["queues"]["messageEncoding"] == "none"


def test_a_mistyped_message_makes_no_record_but_the_failure(world: World) -> None:
    _called(steps.step_due, {"fact": "UploadArrived", "name": 57, "etag": "1"})
    assert world.ledger.newest("upload") == []


def test_a_message_of_a_newer_version_is_delivered_again_and_in_the_end_a_dead_letter(world: World) -> None:
    with pytest.raises(Transient, match="newer"):
        _called(steps.step_due, {"fact": "TomorrowsFact"})
    _called(steps.step_dead_lettered, {"fact": "TomorrowsFact"})
    assert "newer" in _reason(world)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
GOOD = [CREATED, AS_CLOUD_EVENT, MOVED, json.loads(ShardDue(batch="b", number=1).to_json())]


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    """A good message in which something is something else, or is not there."""
    message = json.loads(json.dumps(draw(st.sampled_from(GOOD))))
    within = draw(st.sampled_from([one for one in (message, message.get("data")) if one]))
    name = draw(st.sampled_from(sorted(within)))
    del within[name]
    if draw(st.booleans()):
        within[name] = draw(JSON)
    return json.dumps(message).encode()


@given(
    queue=st.sampled_from(sorted(TRIGGERS)),
    body=st.binary() | JSON.map(lambda one: json.dumps(one).encode()) | bent(),
)
@settings(max_examples=200, deadline=None)
def test_any_message_ends_in_a_fact_or_is_delivered_again(queue: str, body: bytes) -> None:
    world = World()
    arriving, poisoned = TRIGGERS[queue]
    with mock.patch.object(wiring, "services", return_value=world.services):
        try:
            _called(arriving, body)
        except Transient:
            _called(poisoned, body)
            assert len(world.ledger.newest("failure")) == 1
    for failure in world.ledger.newest("failure"):
        assert failure.values["queue"] in TRIGGERS


@pytest.mark.parametrize("message", [b"{", b"\xff\xfe", b"[1]"])
@pytest.mark.parametrize("queue", sorted(TRIGGERS))
def test_what_lies_in_a_poison_queue_unread_is_a_dead_letter(
    world: World, queue: str, message: bytes
) -> None:
    _called(TRIGGERS[queue][1], message)
    (failure,) = world.ledger.newest("failure")
    assert failure.values["about"] == digest(message.decode(errors="replace"))


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (
            Transient("blob storage answered 409"),
            "it failed 1 time, the last time with Transient: blob storage answered 409",
        ),
        (
            ValueError("no number: 'old'"),
            "it failed 1 time, the last time with ValueError; the app's log has more",
        ),
    ],
)
def test_a_dead_letter_says_the_last_error_and_no_value_of_a_row(
    world: World, cause: Exception, said: str
) -> None:
    with mock.patch.object(world.files, "stat", side_effect=cause), pytest.raises(type(cause)):
        flow.handle(DUE, world.services)
    give_up(DUE)
    assert _reason(world) == said


def test_one_that_never_began_points_at_the_log(world: World) -> None:
    give_up(DUE)
    assert _reason(world) == "it failed at every delivery; the app's log says why"


def test_one_that_never_began_is_retried_like_any_other(world: World) -> None:
    """A setting was wrong: whatever its deliveries failed at came before the claim."""
    world.ledger.outbox.expect([DUE])
    for times in (1, 2):
        give_up(DUE)
        assert not +world.ledger.outbox.counted().open
        failure, *older = world.ledger.newest("failure")
        assert (failure.state, len(older)) == ("dead-lettered", times - 1), "what fails again is told again"
        assert failure.values["reason"] == "it failed at every delivery; the app's log says why"
        retry = RetryRequested(failure=failure.id, about=DUE.key, operation=f"o{times}")
        world.bus.published.clear()
        flow.handle(retry, world.services)
        assert DUE in world.bus.published
        assert +world.ledger.outbox.counted().open == {"BatchDue": 1}
    world.bus.take()
    world.tell(DUE)
    assert world.state("failure", failure.id) == "resolved"
    assert not any(world.ledger.outbox.counted().open.values())


def test_a_hint_that_is_given_up_leaves_nothing_behind_but_its_failure(world: World) -> None:
    give_up(RunMoved(run="r"))
    assert len(world.ledger.newest("failure")) == 1
    assert [row.row for row in world.present.rows("now", after="open-", before="open-~")] == []


def _delivered(world: World, times: int) -> int:
    """How often the step was tried, when storage does not answer and the message comes so often."""
    world.ledger.outbox.expect([DUE])
    with mock.patch.object(world.files, "stat", side_effect=Transient("no answer")) as stat:
        for _ in range(times):
            with suppress(Transient):
                _called(steps.step_due, DUE.to_json().encode())
    return stat.call_count


def test_attempts_are_counted_once_whoever_delivers(world: World) -> None:
    most = world.policy.most_attempts
    assert _delivered(world, most - 1) == most - 1
    world.pass_time(world.policy.claim_seconds + 1)
    flow.handle(ReconcileDue(tick="1"), world.services)  # publishes it once more: a message of its own
    assert DUE in world.bus.published
    assert _delivered(world, 7) == 1
    assert _reason(world) == f"it failed {most} times, the last time with Transient: no answer"


def test_queue_claim_and_reconciliation_tell_a_person_once(world: World) -> None:
    _delivered(world, world.policy.most_attempts)
    world.pass_time(world.policy.claim_seconds + 1)
    world.tell(ReconcileDue(tick="1"))
    _called(steps.step_dead_lettered, DUE.to_json().encode())
    _delivered(world, 1)
    assert len(world.ledger.newest("failure")) == 1


def test_an_operator_gives_it_all_its_attempts_again(world: World) -> None:
    most = world.policy.most_attempts
    _delivered(world, most + 1)
    (failure,) = world.ledger.newest("failure")
    world.tell(RetryRequested(failure=failure.id, about=DUE.key, operation="o1"))
    assert world.state("failure", failure.id) == "resolved"


def test_one_whose_last_worker_died_is_a_dead_letter_at_the_next_delivery(world: World) -> None:
    most = world.policy.most_attempts
    _delivered(world, most - 1)
    world.ledger.claims.claim(DUE)
    _delivered(world, 1)
    assert world.ledger.newest("failure") == [], "it may be at work yet"
    world.pass_time(world.policy.claim_seconds + 1)
    assert _delivered(world, 1) == 0
    assert "it failed 5 times" in _reason(world)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_whoever_dies_while_a_fact_is_given_up_a_person_is_told_once(after: bool) -> None:
    """Its message does not come again: it lies in the poison queue, and no host calls an app for it any more."""
    for at in range(1, 100):
        world, fuse = World(), Fuse(at, after=after)
        with mock.patch.object(wiring, "services", side_effect=lambda world=world: world.services):
            _delivered(world, world.policy.most_attempts)
            tables = world.table, world.present
            world.table, world.present = map(fuse.over, tables)
            with suppress(Killed):
                _called(steps.step_dead_lettered, DUE.to_json().encode())
            world.table, world.present = tables
            for sweep in range(4):
                world.pass_time(world.policy.claim_seconds + 1)
                world.tell(ReconcileDue(tick=f"{sweep}"))
            (failure,) = world.ledger.newest("failure")
            told = [
                one for one in world.ledger.events.newest(limit=100) if one.value["data"]["kind"] == "failure"
            ]
            assert (failure.state, len(told)) == ("dead-lettered", 1), at
            assert not +world.ledger.outbox.counted().open, at
            world.tell(RetryRequested(failure=failure.id, about=DUE.key, operation="o1"))
            assert world.state("failure", failure.id) == "resolved", at
        if fuse.calls < at:
            return
    raise AssertionError("it takes more calls than that to give a fact up")


def test_a_fact_that_somebody_is_at_is_not_given_up_but_looked_at_again(world: World) -> None:
    _delivered(world, world.policy.most_attempts - 1)
    world.ledger.claims.claim(DUE)
    _called(steps.step_dead_lettered, DUE.to_json().encode())
    assert world.ledger.newest("failure") == []
    world.pass_time(world.policy.claim_seconds + 1)
    world.tell(ReconcileDue(tick="1"))
    assert "it failed 5 times, the last time with Transient" in _reason(world)


def test_what_only_its_worker_knows_of_is_found_when_that_dies(world: World) -> None:
    """It came from outside, and its worker has not noted it yet."""
    world.ledger.claims.claim(DUE)
    give_up(DUE)
    world.pass_time(world.policy.claim_seconds + 1)
    flow.handle(ReconcileDue(tick="1"), world.services)
    assert DUE in world.bus.published


def test_one_that_is_done_is_no_failure(world: World) -> None:
    """A second message of it, whose workers died."""
    world.tell(DUE)
    _called(steps.step_dead_lettered, DUE.to_json().encode())
    assert world.ledger.newest("failure") == []


def test_one_that_a_worker_did_after_all_is_no_failure_once_somebody_retries_it(world: World) -> None:
    """It stood still for longer than its lease."""
    world.ledger.outbox.expect([DUE])
    claim = world.ledger.claims.claim(DUE)
    world.pass_time(world.policy.claim_seconds + 1)
    give_up(DUE)
    world.ledger.outbox.finish(world.ledger.claims.settle(claim, Outcome()), (), ())
    assert not +world.ledger.outbox.counted().open
    assert min(world.ledger.outbox.counted().open.values(), default=0) == 0
    (failure,) = world.ledger.newest("failure")
    world.tell(RetryRequested(failure=failure.id, about=DUE.key, operation="o1"))
    assert world.state("failure", failure.id) == "resolved"


@pytest.mark.parametrize(
    ("delivery", "waited", "held_back", "measured"),
    [(1, 40, 0, [40]), (2, 40, 0, []), (1, 40, 30, [10]), (1, 5, 30, [0]), (1, None, 0, [])],
    ids=["first", "again", "held-back", "clocks-differ", "unknown"],
)
def test_the_time_in_the_queue_is_measured_once(
    world: World, delivery: int, waited: int | None, held_back: int, measured: list[int]
) -> None:
    """Without what the fact itself was to wait."""
    inserted = None if waited is None else datetime.now(UTC) - timedelta(seconds=waited)
    due = DatasetDue(dataset="bank", cause="x", after_seconds=held_back)
    message = QueueMessage(
        id="1", body=due.to_message().encode(), dequeue_count=delivery, insertion_time=inserted
    )
    with exporting() as exported:
        steps.step_due.build(None).get_user_function()(message)
    found = [one for one in exported.measurements if one.metric is QUEUE_TIME]
    assert [round(one.value) for one in found] == measured
    assert [one.attributes for one in found] == [{"queue": "steps"}] * len(measured)
