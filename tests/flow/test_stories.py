"""The flow, row by row, as stories in memory: what a person would tell of a day with Campanha."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
from flow.world import DATASET, World, bank_rows

from shared.domain.datasets.manifest import Manifest
from shared.domain.facts import (
    BatchScored,
    ModelRefused,
    ModelReleased,
    ReconcileDue,
    ReleaseRolledBack,
    RetrainDue,
    RunFailed,
    RunMoved,
    RunPostponed,
    RunStarted,
    ScoringDue,
    UploadArrived,
    UploadDuplicated,
    UploadRejected,
)
from shared.errors import Transient
from shared.ports import RunView
from shared.procedures.run_slot import SLOT
from shared.steps.reconcile import EVENT_DELAY, reconcile

RUN_1, RUN_2 = "bank-v1-a1", "bank-v2-a1"


def _manifest(world: World, version: int) -> Manifest:
    blob = world.files.stat("datasets", f"{DATASET}/manifests/{version}.json")
    assert blob is not None
    return Manifest.from_json(b"".join(world.files.read(blob)))


def _release_first_model(world: World) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run(RUN_1)


def test_a_dropped_file_becomes_a_released_model(world: World) -> None:
    upload = world.drop("may.csv", bank_rows(30))
    world.tell(upload)
    assert world.state("upload", upload.key) == "registered"
    assert world.workspace.datasets == {("bank", 1): "memory://datasets/bank/manifests/1.json"}
    assert [request.name for request in world.pipeline.submissions] == [RUN_1]
    first = world.pipeline.submissions[0]
    assert (first.champion, first.earlier) == (None, None)
    world.finish_run(RUN_1)
    assert world.state("model", "bank:1") == "released"
    assert world.workspace.traffic == {"campanha-bank": {"model-1": 100}}


def test_the_same_event_twice_is_one_upload_and_one_run(world: World) -> None:
    upload = world.drop("may.csv", bank_rows(30))
    world.tell(upload, upload)
    world.tell(upload)
    assert len(world.pipeline.submissions) == 1
    assert len(_manifest(world, 1).parts) == 1


def test_the_same_rows_under_another_name_change_nothing(world: World) -> None:
    _release_first_model(world)
    again = world.drop("copy.csv", bank_rows(30).replace(";", ",").replace("\n", "\r\n"))
    world.tell(again)
    assert world.state("upload", again.key) == "duplicate"
    assert [fact.name for fact in world.told(UploadDuplicated)] == ["copy.csv"]
    assert len(world.pipeline.submissions) == 1


def test_twenty_files_at_once_are_one_version_with_all_twenty_and_one_run(world: World) -> None:
    uploads = [world.drop(f"{i}.csv", bank_rows(5, start=100 * i)) for i in range(20)]
    world.tell(*uploads)
    assert len(world.pipeline.submissions) == 1
    manifest = _manifest(world, 1)
    assert {part.source["name"] for part in manifest.parts} == {f"{i}.csv" for i in range(20)}
    assert manifest.rows == 100


def test_a_steady_stream_does_not_keep_the_window_open_for_ever(world: World) -> None:
    for i in range(12):
        upload = world.drop(f"{i}.csv", bank_rows(5, start=100 * i))
        world.due.append((world.time.replace(second=0) + (i * 8) * (world.time - world.time), upload))
        world.deliver(upload)
        world.pass_time(8)
        for item in [item for item in world.due if item[0] <= world.time]:
            world.due.remove(item)
            world.deliver(item[1])
    assert ("bank", 1) in world.workspace.datasets


def test_a_window_closes_at_its_most_files(world: World) -> None:
    world.policy = replace(world.policy, gather_most_files=2, gather_quiet_seconds=50)
    for i in range(2):
        world.deliver(world.drop(f"{i}.csv", bank_rows(5, start=100 * i)))
    started = world.time
    world.tell()
    assert len(_manifest(world, 1).parts) == 2
    assert len(world.pipeline.submissions) == 1
    assert (world.time - started).total_seconds() <= 50


def test_a_file_of_another_shape_is_quarantined_whole_with_the_difference(world: World) -> None:
    upload = world.drop("odd.csv", "a;b;c\n1;2;3\n")
    world.tell(upload)
    assert world.state("upload", upload.key) == "rejected"
    (fact,) = world.told(UploadRejected)
    assert "nearest is bank" in fact.reason
    assert "'age'" in fact.reason
    kept = [blob.name for blob in world.files.list("quarantine")]
    assert any(name.endswith("original.csv") for name in kept)
    assert world.pipeline.submissions == []


def test_bad_rows_are_quarantined_and_the_good_ones_used(world: World) -> None:
    text = bank_rows(10).replace("\n25;technician", "\nold;technician", 1)
    upload = world.drop("may.csv", text)
    world.tell(upload)
    record = world.ledger.find("upload", upload.key)
    assert record is not None
    assert (record.values["rows"], record.values["rejected_rows"]) == (9, 1)
    report = next(b for b in world.files.list("quarantine") if b.name.endswith("rejects.jsonl"))
    line = b"".join(world.files.read(report)).decode()
    assert '"line": 7' in line
    assert '"column": "age"' in line
    assert "old" in line


def test_an_upload_during_a_run_has_its_run_afterwards(world: World) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    world.tell(world.drop("july.csv", bank_rows(30, start=2000)))
    assert [request.version for request in world.pipeline.submissions] == [1]
    assert world.told(RunPostponed)
    world.finish_run(RUN_1)
    assert [request.version for request in world.pipeline.submissions] == [1, 3]
    assert world.pipeline.submissions[1].champion == "memory://models/bank/1/"


def test_a_run_is_given_the_model_that_serves_and_the_newest_before_it_whatever_became_of_that(
    world: World,
) -> None:
    """Of models: what a refused one knew of recipes goes on; a run's own version, and a newer one, is not earlier."""
    _release_first_model(world)
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    world.finish_run(RUN_2, worse=True)
    world.workspace.documents["bank", 3] = world.workspace.documents["bank", 9] = {}
    world.tell(world.drop("july.csv", bank_rows(30, start=2000)))
    given = world.pipeline.submissions[-1]
    assert (given.champion, given.earlier) == ("memory://models/bank/1/", "memory://models/bank/2/")


def test_without_the_serving_models_files_nothing_is_compared_and_the_run_fails_with_what_to_do(
    world: World,
) -> None:
    _release_first_model(world)
    del world.workspace.documents["bank", 1]
    with pytest.raises(Transient, match="there is no model bank:1"):  # nor can drift be measured against it
        world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    world.tell()
    (failed,) = world.told(RunFailed)
    assert "bank:1 is not in the workspace any more: register its folder again" in failed.reason
    assert [request.version for request in world.pipeline.submissions] == [1]


def test_a_refit_that_is_surely_worse_is_refused_with_the_reason(world: World) -> None:
    _release_first_model(world)
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    world.finish_run(RUN_2, worse=True)
    (fact,) = world.told(ModelRefused)
    assert (
        "it is surely worse than model 1 on the held-out rows, and not by a little: log loss +0.0200 [+0.0150, +0.0250]"
        in fact.reason
    )
    assert world.state("model", "bank:2") == "refused"
    assert world.workspace.traffic == {"campanha-bank": {"model-1": 100}}


def test_a_better_challenger_takes_over_and_the_old_one_is_kept_for_the_way_back(world: World) -> None:
    _release_first_model(world)
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    world.finish_run(RUN_2)
    assert world.workspace.traffic == {"campanha-bank": {"model-2": 100}}
    assert sorted(world.workspace.deployments("campanha-bank")) == ["model-1", "model-2"]
    assert world.state("model", "bank:1") == "previous"
    world.tell(world.drop("july.csv", bank_rows(30, start=2000)))
    world.finish_run("bank-v3-a1")
    assert sorted(world.workspace.deployments("campanha-bank")) == ["model-2", "model-3"]


def test_a_model_that_answers_wrongly_never_gets_traffic(world: World) -> None:
    _release_first_model(world)
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    world.endpoint.model_version = "7"
    world.finish_run(RUN_2)
    (fact,) = world.told(ReleaseRolledBack)
    assert "model 7 answered in the place of model 2" in fact.reason
    assert world.workspace.traffic == {"campanha-bank": {"model-1": 100}}
    assert list(world.workspace.deployments("campanha-bank")) == ["model-1"]


def test_a_deployment_that_cannot_be_made_is_taken_back(world: World) -> None:
    world.workspace.state_of_new_deployments = "Failed"
    _release_first_model(world)
    (fact,) = world.told(ReleaseRolledBack)
    assert "ended as Failed" in fact.reason
    assert world.workspace.traffic == {}


def test_a_slow_deployment_is_looked_at_again_until_it_is_there(world: World) -> None:
    world.workspace.state_of_new_deployments = "Creating"
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.policy = replace(world.policy, release_most_polls=5)
    world.finish_run(RUN_1)
    (fact,) = world.told(ReleaseRolledBack)
    assert "still Creating after 5 polls" in fact.reason


def test_a_failed_run_frees_the_way_and_the_retraining_clock_tries_again(world: World) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run(RUN_1, status="Failed")
    (failed,) = world.told(RunFailed)
    assert failed.run == RUN_1
    assert world.state("dataset", "bank:1") == "failed"
    world.tell(RetrainDue(dataset="bank", tick="monday"))
    assert [request.name for request in world.pipeline.submissions] == [RUN_1, "bank-v1-a2"]


def test_the_retraining_clock_does_nothing_when_nothing_is_new(world: World) -> None:
    _release_first_model(world)
    world.tell(RetrainDue(dataset="bank", tick="monday"))
    assert len(world.pipeline.submissions) == 1


def test_a_failed_run_is_counted_and_told_once(world: World) -> None:
    """Its end says that it failed, and what follows from that says it again: one event, and one run less under way."""
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run(RUN_1, status="Failed")
    tally = world.ledger.present().sums.tally
    assert {name: count for name, count in tally.items() if name.startswith("run/") and count} == {
        "run/failed/bank": 1
    }


def test_a_run_past_its_deadline_is_cancelled_and_failed_with_the_reason(world: World) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.workspace.runs[RUN_1] = RunView(name=RUN_1, status="NotResponding")
    world.tell(RunMoved(run=RUN_1))
    assert world.state("run", RUN_1) == "started"
    world.pass_time(world.policy.run_deadline_minutes * 60 + 1)
    world.tell(ReconcileDue(tick="late"))
    (failed,) = world.told(RunFailed)
    assert "past its deadline of 360 minutes" in failed.reason
    assert world.workspace.cancelled == [RUN_1]


def test_a_lost_run_event_is_made_up_for_by_the_sweep(world: World) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.workspace.runs[RUN_1] = RunView(name=RUN_1, status="Failed")
    world.tell(ReconcileDue(tick="1"))
    assert world.told(RunFailed)


def test_a_lost_upload_event_is_made_up_for_by_a_reconciliation(world: World) -> None:
    world.drop("may.csv", bank_rows(30))
    world.tell(ReconcileDue(tick="its event may yet come"))
    assert world.told(UploadArrived) == []
    world.pass_time(EVENT_DELAY.total_seconds() + 1)
    world.tell(ReconcileDue(tick="1"))
    assert len(world.pipeline.submissions) == 1
    world.tell(ReconcileDue(tick="2"))
    assert len(world.pipeline.submissions) == 1


def test_a_backlog_is_not_published_twice(world: World) -> None:
    """Files wait unclaimed for longer than a reconciliation takes to come round: their messages are on their way."""
    for number in range(5):
        world.drop(f"{number}.csv", bank_rows(2, start=number))
    world.pass_time(EVENT_DELAY.total_seconds() + 1)
    published = []
    for tick, seconds in (("1", 0), ("2", 10), ("3", world.policy.claim_seconds + 1)):
        world.pass_time(seconds)
        world.due = []
        world.deliver(ReconcileDue(tick=tick))
        published.append(sum(isinstance(fact, UploadArrived) for _, fact in world.due))
    assert published == [5, 0, 5]


class _LosesReplies:
    """A published pipeline that starts the run and then says nothing."""

    def __init__(self, world: World) -> None:
        self.inner = world.pipeline

    def find(self, request):  # type: ignore[no-untyped-def]
        return self.inner.find(request)

    def submit(self, request):  # type: ignore[no-untyped-def]
        self.inner.submit(request)
        raise Transient("no answer")


def test_an_unanswered_submission_is_found_again_and_not_repeated(world: World) -> None:
    submissions = world.pipeline.submissions
    world.pipeline = _LosesReplies(world)  # type: ignore[assignment]
    world.tell(world.drop("may.csv", bank_rows(30)))
    assert [request.name for request in submissions] == [RUN_1]
    assert world.state("run", RUN_1) == "started"


class _LosesRequests(_LosesReplies):
    """A published pipeline whose first request is lost on the way."""

    lost = False

    def submit(self, request):  # type: ignore[no-untyped-def]
        if not self.lost:
            self.lost = True
            raise Transient("no answer")
        return self.inner.submit(request)


def test_a_lost_submission_is_made_again_only_after_the_fence(world: World) -> None:
    submissions = world.pipeline.submissions
    world.pipeline = _LosesRequests(world)  # type: ignore[assignment]
    world.tell(world.drop("may.csv", bank_rows(30)))
    began = world.time
    assert [request.name for request in submissions] == [RUN_1]
    (started,) = world.told(RunStarted)
    assert started.run == RUN_1
    assert (began - world.ledger.documents.read_all(SLOT)[0].changed).total_seconds() <= 0


CLIENTS = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(25).splitlines()) + "\n"


def test_clients_come_out_scored_each_once_and_in_order(world: World) -> None:
    _release_first_model(world)
    world.policy = replace(world.policy, shard_bytes=700, request_bytes=4300)
    text = CLIENTS.replace("\n23;technician", "\nold;technician", 1)
    world.files.write("scoring", "clients.csv", text.encode())
    world.tell(ScoringDue(tick="1"))
    (fact,) = world.told(BatchScored)
    assert (fact.rows, fact.rejected) == (25, 1)
    blob = world.files.stat("scored", f"{fact.batch}/scored.csv")
    assert blob is not None
    lines = b"".join(world.files.read(blob)).decode().splitlines()
    assert lines[0] == CLIENTS.splitlines()[0] + ";probability;decile;decision;model_version;problem"
    assert [line.rsplit(";", 5)[0] for line in lines] == text.splitlines()
    assert [line.rsplit(";", 2)[1] for line in lines[1:]] == ["1"] * 3 + [""] + ["1"] * 21
    assert "not an integer" in lines[4]


def test_a_batch_is_scored_once_however_often_the_clock_ticks(world: World) -> None:
    _release_first_model(world)
    world.files.write("scoring", "clients.csv", CLIENTS.encode())
    world.tell(ScoringDue(tick="1"), ScoringDue(tick="2"))
    world.tell(ScoringDue(tick="3"))
    assert len(world.told(BatchScored)) == 1
    assert world.endpoint.requests <= 2


@pytest.mark.parametrize(("catch_up", "batches"), [("latest", 1), ("all", 1), ("none", 0)])
def test_a_missed_tick_is_made_up_for_as_the_owner_wants(
    world: World, catch_up: Literal["latest", "all", "none"], batches: int
) -> None:
    _release_first_model(world)
    world.policy = replace(world.policy, score_catch_up=catch_up)
    world.files.write("scoring", "clients.csv", CLIENTS.encode())
    world.tell(ScoringDue(tick="1", late=True))
    assert len(world.told(BatchScored)) == batches
    world.tell(ScoringDue(tick="2"))
    assert len(world.told(BatchScored)) == 1


def test_clients_wait_for_a_model_and_are_scored_when_there_is_one(world: World) -> None:
    world.files.write("scoring", "clients.csv", CLIENTS.encode())
    world.tell(ScoringDue(tick="1"))
    assert world.told(BatchScored) == []
    _release_first_model(world)
    world.tell(ScoringDue(tick="2"))
    assert len(world.told(BatchScored)) == 1


def test_a_file_of_clients_that_fits_no_contract_is_refused_with_the_reason(world: World) -> None:
    _release_first_model(world)
    world.files.write("scoring", "odd.csv", b"a;b\n1;2\n")
    world.tell(ScoringDue(tick="1"))
    records = world.ledger.newest("batch")
    assert [record.state for record in records] == ["refused"]
    assert "nearest is bank" in records[0].values["reason"]


def test_a_batch_stays_with_its_model_when_a_release_comes_in_between(world: World) -> None:
    _release_first_model(world)
    world.policy = replace(world.policy, shard_bytes=700)
    world.files.write("scoring", "clients.csv", CLIENTS.encode())
    world.deliver(ScoringDue(tick="1"))
    planned = [fact for _, fact in world.due]
    world.due = []
    for fact in planned:
        world.deliver(fact)
    waiting, world.due = world.due, []
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    world.finish_run(RUN_2)
    assert world.told(ModelReleased)[-1].version == 2
    world.tell(*[fact for _, fact in waiting])
    (fact,) = world.told(BatchScored)
    blob = world.files.stat("scored", f"{fact.batch}/scored.csv")
    assert blob is not None
    lines = b"".join(world.files.read(blob)).decode().splitlines()[1:]
    assert {line.split(";")[-2] for line in lines} == {"1"}


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>.csv", "a/b/ç ã.csv", "..%2e/x.csv"])
def test_odd_names_are_only_names(world: World, name: str) -> None:
    upload = world.drop(name, bank_rows(3))
    world.tell(upload)
    assert world.state("upload", upload.key) == "registered"


def test_what_a_look_found_and_told_nobody_the_next_look_finds_again(world: World) -> None:
    world.drop("lost.csv", bank_rows(5))
    for tick in ("1", "2"):
        list(reconcile(ReconcileDue(tick=tick), world.services))  # dies before it tells
        world.pass_time(3600)
    world.tell(ReconcileDue(tick="3"))
    assert [record.state for record in world.ledger.newest("upload")] == ["registered"]


def test_a_look_costs_what_is_new(world: World) -> None:
    for number in range(20):
        world.pass_time(1)
        world.drop(f"{number}.csv", bank_rows(2, start=number))
    newest = world.time
    world.pass_time(EVENT_DELAY.total_seconds() + 1)
    world.tell(ReconcileDue(tick="1"))
    world.pass_time(3600)
    world.tell(ReconcileDue(tick="2"))
    world.pass_time(3600)
    looked = []
    world.files.list = lambda of, *, modified_since=None: looked.append((of, modified_since)) or []  # type: ignore
    world.tell(ReconcileDue(tick="3"))
    assert looked == [("incoming", newest), ("outcomes", None)]
