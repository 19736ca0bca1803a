"""One test for each guard that stands between a mishap and a wrong result: take the guard out, and its test is red."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flow.world import POLICY, World, bank_rows, evaluation_of

from shared import flow
from shared.adapters.memory import MemoryFiles, MemoryTable
from shared.domain import names
from shared.domain.facts import (
    BatchDue,
    BatchRefused,
    DatasetDue,
    Fact,
    ModelRefused,
    ReconcileDue,
    RunDue,
    ScoringDue,
    ShardDue,
    UploadAdmitted,
    UploadArrived,
)
from shared.domain.models import promotion
from shared.domain.names import digest
from shared.errors import Conflict, Transient
from shared.ledger.claims import Outcome
from shared.ports import Blob, Row, RunRequest
from shared.procedures import admission
from shared.procedures.content_claim import CONTENT
from shared.procedures.dataset_head import HEAD, Head
from shared.procedures.deployment_removal import remove
from shared.procedures.endpoint_probe import PROBES, Probes
from shared.procedures.gather_window import gathered
from shared.procedures.open_batches import deployments_in_use, read_plan
from shared.procedures.released_model import RELEASED
from shared.procedures.run_slot import SLOT
from shared.steps.plan_batch import plan_batch

CLIENTS = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(5).splitlines()) + "\n"


@pytest.fixture
def serving() -> World:
    """Model 1 answers, and a file of clients waits."""
    world = World()
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    world.files.write(names.SCORING, "clients.csv", CLIENTS.encode())
    return world


# --- the gate -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("compared_with", "serves"), [(1, 2), (2, 1), (1, None), (None, 1)])
def test_a_comparison_with_another_model_than_the_serving_one_proves_nothing(
    compared_with: int | None, serves: int | None
) -> None:
    champion = None if compared_with is None else f"memory://models/bank/{compared_with}/"
    verdict = promotion.judge(evaluation_of(3, champion), serving=serves)
    assert verdict.outcome == "undecided"
    assert "serves now" in verdict.reason


def test_what_serves_is_asked_when_the_run_is_over_and_not_when_it_began(serving: World) -> None:
    """A model that was promoted meanwhile is the one to beat."""
    serving.tell(serving.drop("june.csv", bank_rows(30, start=100)))
    serving.pipeline.submissions[-1] = replace(
        serving.pipeline.submissions[-1], champion="memory://models/bank/7/"
    )
    serving.finish_run("bank-v2-a1")
    assert serving.state("model", "bank:2") == "undecided"


@pytest.mark.parametrize(
    ("log_loss", "outcome"), [(0.27, "accepted"), (0.29, "undecided"), (0.31, "undecided"), (0.33, "refused")]
)
def test_the_first_model_has_the_base_rate_to_beat_surely(log_loss: float, outcome: str) -> None:
    """The interval is 0.02 wide to either side."""
    verdict = promotion.judge(evaluation_of(1, None, log_loss=log_loss), serving=None)
    assert verdict.outcome == outcome


def test_a_first_model_that_is_no_better_than_the_base_rate_never_answers() -> None:
    world = World()
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1", log_loss=0.4)
    assert world.state("model", "bank:1") == "refused"
    assert world.workspace.traffic == {}


# --- scores ---------------------------------------------------------------------------------------------------


def _shard(world: World) -> ShardDue:
    """The one shard of the clients' file, planned."""
    flow.handle(ScoringDue(tick="1"), world.services)
    (due,) = [fact for fact in world.bus.take() if isinstance(fact, BatchDue)]
    (profile,) = flow.handle(due, world.services, expected=True)
    led_to = flow.handle(profile, world.services, expected=True)
    (shard,) = [fact for fact in led_to if isinstance(fact, ShardDue)]
    world.bus.take()
    return shard


def test_scores_of_another_model_than_the_batch_is_pinned_to_are_not_taken(serving: World) -> None:
    shard = _shard(serving)
    serving.endpoint.model_version = "2"
    with pytest.raises(Transient, match="model 2 answered"):
        flow.handle(shard, serving.services, expected=True)
    assert serving.files._blocks == {}


def test_a_deployment_that_answers_as_another_version_gets_no_traffic(serving: World) -> None:
    serving.tell(serving.drop("june.csv", bank_rows(30, start=100)))
    serving.endpoint.model_version = "1"
    serving.finish_run("bank-v2-a1")
    assert serving.workspace.traffic == {"campanha-bank": {"model-1": 100}}
    assert serving.state("model", "bank:2") == "rolled-back"


def test_bytes_that_did_not_all_come_are_no_whole_shard(serving: World) -> None:
    shard = _shard(serving)
    read = MemoryFiles.read_range

    def short(self: MemoryFiles, blob: Blob, start: int, end: int) -> bytes:
        return read(self, blob, start, end).rpartition(b"\n")[0].rpartition(b"\n")[0] + b"\n"

    with (
        mock.patch.object(MemoryFiles, "read_range", short),
        pytest.raises(Transient, match="bytes of shard 0 were read"),
    ):
        flow.handle(shard, serving.services, expected=True)
    assert serving.files._blocks == {}


def test_a_manifest_that_can_be_read_describes_an_output_that_can(serving: World) -> None:
    there: list[bool] = []
    write = MemoryFiles.write

    def noted(self: MemoryFiles, container: str, name: str, data: Any) -> None:
        if name.endswith("manifest.json"):
            scored = names.scored_blob(name.rpartition("/")[0])
            there.append(self.content(names.SCORED, scored) is not None)
        write(self, container, name, data)

    with mock.patch.object(MemoryFiles, "write", noted):
        serving.tell(ScoringDue(tick="1"))
    assert there == [True]


def test_a_batch_that_is_planned_again_keeps_the_model_it_was_pinned_to(serving: World) -> None:
    """Its worker died before it settled, and another model was released before the next one came."""
    blob = serving.files.stat(names.SCORING, "clients.csv")
    assert blob is not None
    due = BatchDue(name=blob.name, etag=blob.etag)
    plan_batch(due, serving.services)
    released = serving.ledger.documents.read(RELEASED, "bank")
    assert released is not None
    newer = replace(released.value, version=2, deployment="model-2")
    serving.ledger.documents.write(RELEASED, "bank", newer, over=released)
    plan_batch(due, serving.services)
    assert read_plan(due.batch, serving.services).version == 1


# --- one version of a file ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [UploadArrived, BatchDue])
def test_the_file_that_is_read_is_the_version_the_event_named(serving: World, kind: Any) -> None:
    container = names.INCOMING if kind is UploadArrived else names.SCORING
    serving.files.write(container, "twice.csv", bank_rows(5, start=300).encode())
    first = serving.files.stat(container, "twice.csv")
    assert first is not None
    serving.files.write(container, "twice.csv", bank_rows(7, start=400).encode())
    led_to = flow.handle(kind(name="twice.csv", etag=first.etag), serving.services)
    assert not any(isinstance(fact, UploadAdmitted | ShardDue) for fact in led_to)


def test_a_file_that_waits_for_a_model_is_found_however_long_it_waits() -> None:
    """Newer files move the mark on, and never past one that nobody has claimed."""
    world = World()
    world.files.write(names.SCORING, "clients.csv", CLIENTS.encode())
    for hour in range(3):
        world.tell(ScoringDue(tick=f"hour {hour}"))
        world.pass_time(3600)
        world.files.write(names.SCORING, f"odd {hour}.csv", b"a;b\n1;2\n")
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    world.tell(ScoringDue(tick="a model is there"))
    [batch] = [one for one in world.ledger.newest("batch") if one.values["name"] == "clients.csv"]
    assert batch.state == "scored"


# --- rows and runs --------------------------------------------------------------------------------------------


def test_rows_are_known_only_once_they_lie_in_a_part(serving: World) -> None:
    """Of a worker that dies in between there may be a part that nobody names, and never a name without its part."""
    known = len(list(serving.ledger.documents.read_all(CONTENT, within="bank")))
    dropped = serving.drop("june.csv", bank_rows(5, start=300))
    with mock.patch.object(serving.files, "write_once", side_effect=Transient), pytest.raises(Transient):
        flow.handle(dropped, serving.services)
    assert len(list(serving.ledger.documents.read_all(CONTENT, within="bank"))) == known


def test_a_part_stays_as_it_was_written_first(serving: World) -> None:
    """Another release of pyarrow writes the same rows in other bytes, and manifests name those of then."""
    dropped = serving.drop("june.csv", bank_rows(5, start=300))
    with (
        mock.patch.object(admission, "claim_content", side_effect=Transient),
        pytest.raises(Transient),
    ):
        flow.handle(dropped, serving.services)
    (part,) = (one for one in serving.files.list(names.DATASETS) if one.modified == serving.now())
    otherwise = pa.BufferOutputStream()
    rows = pq.read_table(pa.BufferReader(serving.files.content(names.DATASETS, part.name)))
    pq.write_table(rows, otherwise, compression="gzip")
    older = otherwise.getvalue().to_pybytes()
    serving.files.write(names.DATASETS, part.name, older)
    serving.tell(dropped)
    (admitted,) = (fact for fact in serving.told(UploadAdmitted) if fact.name == "june.csv")
    assert admitted.part_sha256 == hashlib.sha256(older).hexdigest()
    serving.tell(serving.drop("june-again.csv", bank_rows(5, start=300)))
    assert serving.files.content(names.DATASETS, part.name) == older


def test_a_batch_that_is_refused_needs_its_deployment_no_more(serving: World) -> None:
    """Its first worker died after it had opened the batch; then the file was taken away."""
    stat = serving.files.stat(names.SCORING, "clients.csv")
    assert stat is not None
    due = BatchDue(name="clients.csv", etag=stat.etag)
    with mock.patch.object(serving.files, "write", side_effect=Transient), pytest.raises(Transient):
        flow.handle(due, serving.services)
    assert deployments_in_use(serving.services) == {"model-1"}
    serving.files.write(names.SCORING, "clients.csv", b"another file")
    flow.handle(due, serving.services)
    assert serving.told(BatchRefused)
    assert deployments_in_use(serving.services) == set()


def test_the_probes_of_a_deployment_go_with_it(serving: World) -> None:
    documents, id_ = serving.ledger.documents, "campanha-bank/model-7"
    documents.write(PROBES, digest(id_), Probes(probes=[]), over=None)
    remove("campanha-bank", "model-7", serving.services)
    assert documents.read(PROBES, digest(id_)) is None


def test_rows_that_a_worker_is_admitting_are_not_admitted_by_another(serving: World) -> None:
    first, second = (serving.drop(name, bank_rows(5, start=300)) for name in ("june.csv", "july.csv"))
    join = admission.join_window

    def meanwhile(*given: Any) -> Any:
        with pytest.raises(Transient, match="being admitted from another file"):
            flow.handle(second, serving.services)
        return join(*given)

    with mock.patch.object(admission, "join_window", meanwhile):
        flow.handle(first, serving.services)


def test_a_run_that_ended_long_ago_frees_no_other_ones_slot(serving: World) -> None:
    serving.tell(serving.drop("june.csv", bank_rows(30, start=100)))
    late = ModelRefused(run="bank-v1-a1", dataset="bank", version=1, reason="said late")
    flow.handle(late, serving.services)
    slot = serving.ledger.documents.read(SLOT, "bank")
    assert slot is not None
    assert (slot.value.run, slot.value.state) == ("bank-v2-a1", "submitted")


# --- done once ------------------------------------------------------------------------------------------------


def test_a_worker_whose_claim_was_taken_over_settles_nothing(serving: World) -> None:
    fact = BatchDue(name="a.csv", etag="1")
    claims = serving.ledger.claims
    slow = claims.claim(fact)
    serving.pass_time(serving.policy.claim_seconds + 1)
    quick = claims.claim(fact)
    theirs: tuple[Fact, ...] = (ShardDue(batch="quick", number=0),)
    claims.settle(quick, Outcome(facts=theirs))
    with pytest.raises(Conflict):
        claims.settle(slow, Outcome(facts=(ShardDue(batch="slow", number=0),)))
    settled = claims.outcome(fact.key)
    assert settled is not None
    assert settled.facts == theirs


def test_a_submission_without_an_answer_is_not_repeated_before_the_fence_has_passed() -> None:
    """Its answer was lost, and no run is found: only time shows that the POST is not on its way. Whatever comes sooner
    (another message, an operator, a reconciliation) submits nothing."""
    world = World(policy=replace(POLICY, submit_fence_seconds=90))
    posts: list[datetime] = []

    def lost(request: RunRequest) -> str:
        posts.append(world.time)
        raise Transient("the pipeline gave no answer")

    with mock.patch.object(world.pipeline, "submit", lost):
        world.due = [(world.time, world.drop("may.csv", bank_rows(30)))]
        while not posts:
            world.due.sort(key=lambda item: item[0])
            world.time, fact = world.due.pop(0)
            world.deliver(fact)
        first = posts[0]
        for seconds, made in ((0, 1), (89, 1), (91, 2)):
            world.time, posts[1:] = first + timedelta(seconds=seconds), []
            with suppress(Transient):
                world.deliver(RunDue(dataset="bank", version=1, cause=f"sooner-{seconds}"))
            assert len(posts) == made, seconds


def test_nothing_is_posted_while_storage_is_too_slow_to_note_when() -> None:
    """The fence begins at the time that is noted: a POST that left long after it might arrive once the fence has passed."""
    world, store = World(), MemoryTable._store
    upload = world.drop("may.csv", bank_rows(30))

    def slow(table: MemoryTable, *given: Any) -> Row:
        if given[1].startswith("doc-slot"):
            world.pass_time(6)
        return store(table, *given)

    with mock.patch.object(MemoryTable, "_store", slow), pytest.raises(Transient, match="storage is so slow"):
        world.tell(upload)
    assert world.pipeline.submissions == []
    world.pass_time(world.policy.submit_fence_seconds + world.policy.claim_seconds)
    world.tell(ReconcileDue(tick="1"))
    assert [request.name for request in world.pipeline.submissions] == ["bank-v1-a1"]


def test_the_fence_begins_when_the_post_leaves_however_long_its_run_was_looked_for() -> None:
    world, posted = World(), list[datetime]()
    find = world.pipeline.find

    def slow(request: RunRequest) -> str | None:
        world.pass_time(20)
        return find(request)

    def lost(request: RunRequest) -> str:
        posted.append(world.time)
        raise Transient("the pipeline gave no answer")

    with mock.patch.object(world.pipeline, "find", slow), mock.patch.object(world.pipeline, "submit", lost):
        world.tell(world.drop("may.csv", bank_rows(30)), within=15)
    slot = world.ledger.documents.read(SLOT, "bank")
    assert slot is not None
    assert [datetime.fromisoformat(slot.value.posted or "")] == posted


# --- the window -----------------------------------------------------------------------------------------------


def test_an_upload_that_joins_an_empty_window_as_it_is_closed_is_waited_for(world: World) -> None:
    """It finds the window open, and so nothing is due by it."""
    dead = Head(version=1, state="registering", by="dead")
    world.ledger.documents.write(HEAD, "bank", dead, over=None)
    world.deliver(world.drop("may.csv", bank_rows(30)))
    windows = [*world.due]
    world.pass_time(world.policy.claim_seconds + 1)
    world.deliver(DatasetDue(dataset="bank", cause="another"))
    assert (gathered("bank", world.services), world.state("dataset", "bank:1")) == ([], "registered")
    late = world.drop("june.csv", bank_rows(40, start=100))

    class Slow(MemoryTable):
        def rows(self, partition: str, **span: Any) -> Iterator[Row]:
            found = [*super().rows(partition, **span)]
            if partition.startswith("doc-gathered") and world.state("upload", late.key) is None:
                world.deliver(late)
            return iter(found)

    world.present.__class__, world.due = Slow, windows
    world.tell()
    assert world.state("upload", late.key) == "registered"
