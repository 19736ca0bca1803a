"""One trace from a dropped file to the model that answers, whatever dies on the way; and one more for each batch."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from flow.exported import SEEN_ELSEWHERE, Exported, exporting
from flow.season import lived
from flow.test_crashes import Fuse, calls_that_matter, live_through
from flow.world import BrokenFiles, World, bank_rows

from shared import flow, telemetry
from shared.domain.facts import (
    DatasetDue,
    Fact,
    OperationRequested,
    ReconcileDue,
    RunMoved,
    ScoringDue,
)
from shared.domain.trace import Trace
from shared.errors import Transient
from shared.ledger import Record
from shared.telemetry.metrics import METRICS, Measurement
from shared.telemetry.spans import Span

CLIENTS = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(12).splitlines()) + "\n"
RUN = "bank-v1-a1"
LINE = ("upload", "dataset", "run", "model", "deployment")
"""The kinds that come of one another, from a file to what answers."""


class Queued(World):
    """A world whose facts come as messages do: as text."""

    def deliver(self, fact: Fact) -> None:
        super().deliver(Fact.from_message(fact.to_message()))


@pytest.fixture
def world() -> Queued:
    return Queued()


def released(world: World) -> None:
    """A file is dropped, and its model answers."""
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run(RUN)


def scored(world: World) -> Record:
    world.files.write("scoring", "clients.csv", CLIENTS.encode())
    world.tell(ScoringDue(tick="1"))
    (batch,) = world.ledger.newest("batch")
    assert batch.state == "scored"
    return batch


def trace_of(world: World, kind: str) -> Trace:
    (record,) = world.ledger.newest(kind)
    assert record.trace is not None, kind
    return record.trace


def test_one_trace_from_the_upload_to_the_scored_batch(world: Queued, exported: Exported) -> None:
    released(world)
    batch = scored(world)
    traces = {kind: trace_of(world, kind).trace_id for kind in LINE}
    assert len(set(traces.values())) == 1, traces
    joined = Trace.read(batch.values["model_traceparent"])
    assert joined is not None
    assert joined.trace_id == traces["upload"], "so it is found in the batch too"
    assert exported.names(joined) == [
        "UploadArrived",
        "admit_upload",
        "register_dataset",
        "start_run",
        "follow_run",
        "RunProgressed",
        "judge_run",
        "release_model",
        "release_model",
        "close_run",
        "seal_batch",
    ], "the batch has one span in it, however many shards it has"


def test_a_batch_has_a_trace_of_its_own_linked_with_its_models(world: Queued, exported: Exported) -> None:
    released(world)
    batch = scored(world)
    assert batch.trace is not None
    model = trace_of(world, "model")
    assert not batch.trace.is_with(model)
    assert {"BatchDue", "plan_batch", "profile_batch", "score_shard", "seal_batch", "list_calls"} <= set(
        exported.names(batch.trace)
    )
    (here,) = [span for span in exported.of(batch.trace) if span.name == "seal_batch"]
    (there,) = [span for span in exported.of(model) if span.name == "seal_batch"]
    assert [link.trace_id for link in here.links] == [model.trace_id]
    assert there.links == (here.place,)


def test_each_trace_has_one_root_and_no_orphan(exported: Exported) -> None:
    """In a season in which whatever can happen does."""
    lived(Queued())
    assert len(exported.spans) > 200
    assert [trace for trace, roots in exported.roots().items() if roots != 1] == []
    assert exported.roots().keys() == {span.place.trace_id for span in exported.spans}
    assert exported.orphans() == []
    assert exported.one_way_links() == []


def test_every_record_of_a_season_has_a_trace_that_is_exported(exported: Exported) -> None:
    world = Queued()
    lived(world)
    there = {span.place.trace_id for span in exported.spans}
    for kind in (*LINE, "batch", "outcome", "failure", "operation", "quarantine"):
        records = world.ledger.newest(kind, limit=100)
        assert records
        assert {record.trace.trace_id for record in records if record.trace} <= there
        assert all(record.trace for record in records), kind


def test_attributes_of_metrics_are_of_closed_sets(exported: Exported) -> None:
    lived(Queued())
    steps = {rule.do.__name__ for rule in flow.FLOW}
    strange = []
    for one in exported.measurements:
        declared = {attribute.name: attribute.values for attribute in one.metric.attributes}
        assert declared.keys() == one.attributes.keys()
        for name, value in one.attributes.items():
            known = steps if name == "step" else declared[name] or {"bank", "none"}
            strange += [] if value in known else [(one.metric.name, name, value)]
    assert strange == []
    unseen = {metric.name for metric in METRICS} - {one.metric.name for one in exported.measurements}
    assert unseen <= SEEN_ELSEWHERE


def test_what_is_counted_is_what_happened(world: Queued, exported: Exported) -> None:
    upload = world.drop("may.csv", bank_rows(10).replace("\n25;", "\nold;", 1))
    world.tell(upload, upload)
    world.finish_run(RUN)
    scored(world)
    world.tell(ReconcileDue(tick="9"), upload)
    totals = exported.totals()
    assert totals["campanha.rows", "bank", "admitted"] == 9
    assert totals["campanha.rows", "bank", "quarantined"] == 1
    assert totals["campanha.releases", "released"] == 1
    assert totals["campanha.batch.rows", "scored"] == 12
    assert totals["campanha.facts", "UploadArrived", "done"] == 1
    assert totals["campanha.dead_letters", "blob-events"] == 0


def test_no_value_of_a_row_is_exported(exported: Exported) -> None:
    lived(Queued())
    said = repr(exported.spans) + repr(exported.measurements)
    assert "technician" in bank_rows(30)
    assert re.search("technician|astronaut|cellular", said) is None


# --- many deliveries --------------------------------------------------------------------------------------


def test_a_duplicate_starts_no_second_trace(world: Queued, exported: Exported) -> None:
    upload = world.drop("may.csv", bank_rows(30))
    other = upload.in_trace(Trace.begun())
    world.tell(upload, other, upload, within=0)
    (record,) = world.ledger.newest("upload")
    assert exported.roots().keys() == {record.trace.trace_id} if record.trace else False
    assert exported.names(record.trace) == ["UploadArrived", "admit_upload"]


def test_attempts_in_vain_are_in_one_trace_with_the_one_that_goes_well(
    world: Queued, exported: Exported
) -> None:
    upload = world.drop("may.csv", bank_rows(30))
    world.fail_for_good(upload)
    attempts = [span for span in exported.spans if span.name == "admit_upload"]
    assert [span.problem for span in attempts] == ["Transient"] * world.policy.most_attempts
    assert [span.attributes["campanha.attempt"] for span in attempts] == [*range(1, len(attempts) + 1)]
    assert len({span.place.trace_id for span in attempts}) == 1
    (failure,) = world.ledger.newest("failure")
    assert failure.trace is not None
    assert failure.trace.is_with(attempts[0].place), "and so is the dead letter"
    totals = exported.totals()
    assert totals["campanha.facts", "UploadArrived", "failed"] == world.policy.most_attempts
    assert totals["campanha.dead_letters", "blob-events"] == 1
    assert exported.orphans() == []


def test_a_lost_message_is_published_again_in_its_trace(world: Queued, exported: Exported) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)), within=0)
    assert [type(fact) for _, fact in world.due] == [DatasetDue]
    world.due.clear()
    world.pass_time(world.policy.claim_seconds + world.policy.gather_quiet_seconds + 1)
    world.tell(ReconcileDue(tick="1"))
    world.finish_run(RUN)
    assert len({trace_of(world, kind).trace_id for kind in LINE}) == 1
    assert exported.totals()["campanha.repairs", "DatasetDue"] == 1
    assert exported.orphans() == []


def test_an_upload_no_event_told_of_waits_in_its_trace_for_the_second_reconciliation(world: Queued) -> None:
    """What an action asked for lies in the outbox in the trace of its request, also when the file is found there again."""
    upload, asked = world.drop("may.csv", bank_rows(30)), Trace.begun()
    world.ledger.outbox.expect([upload.in_trace(asked)])
    world.pass_time(world.policy.claim_seconds + 31)
    world.tell(ReconcileDue(tick="1"))
    assert trace_of(world, "upload").is_with(asked)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("every", [31, pytest.param(7, marks=pytest.mark.slow)])
def test_a_crash_at_any_call_breaks_no_trace(after: bool, every: int) -> None:
    """What the dying process was at is exported no more, so that at most the spans under it have lost theirs."""
    broken = []
    for at in range(1, calls_that_matter() + 1, every):
        with exporting(Exported(lost_with="Killed")) as exported:
            world = live_through(Fuse(at, after=after), lost=(at + after) % 2 == 0)
        ids = {trace_of(world, kind).trace_id for kind in LINE}
        lost = {(span.place.trace_id, span.parent) for span in exported.orphans()}
        roots = [trace for trace, count in exported.roots().items() if count != 1]
        if len(ids) != 1 or len(lost) > 1 or roots:
            broken.append((at, ids, lost, roots))
    assert broken == []


# --- more than one of a thing -----------------------------------------------------------------------------


def test_files_of_one_version_go_on_in_the_firsts_trace_and_the_others_link_to_it(
    world: Queued, exported: Exported
) -> None:
    files = [world.drop(f"{n}.csv", bank_rows(10, start=100 * n)) for n in range(3)]
    world.tell(*files)
    uploads = {record.values["name"]: record.trace for record in world.ledger.newest("upload")}
    dataset, first = trace_of(world, "dataset"), uploads["0.csv"]
    assert first is not None
    assert dataset.is_with(first)
    (span,) = [span for span in exported.of(first) if span.name == "register_dataset"]
    others = {trace.trace_id for name, trace in uploads.items() if trace and name != "0.csv"}
    assert {link.trace_id for link in span.links} == others
    for name in ("1.csv", "2.csv"):
        assert exported.names(uploads[name]) == ["UploadArrived", "admit_upload", "register_dataset"]


def test_a_version_that_waited_for_anothers_run_has_its_own_in_its_own_trace(
    world: Queued, exported: Exported
) -> None:
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    world.finish_run(RUN)
    world.finish_run("bank-v2-a1")
    for kind in ("dataset", "run", "model"):
        newer, older = world.ledger.newest(kind)
        assert newer.trace is not None
        assert older.trace is not None
        assert not newer.trace.is_with(older.trace), kind
    (june,) = [one for one in world.ledger.newest("upload") if one.values["name"] == "june.csv"]
    run = world.ledger.find("run", "bank-v2-a1")
    assert june.trace is not None
    assert run is not None
    assert run.trace is not None
    assert run.trace.is_with(june.trace)
    (closed,) = [span for span in exported.of(june.trace) if span.name == "close_run" and span.links]
    assert older.trace is not None
    assert [link.trace_id for link in closed.links] == [older.trace.trace_id], "whose run was in the way"
    assert exported.one_way_links() == []


def test_what_an_operator_asks_for_goes_on_in_the_callers_trace(world: Queued) -> None:
    caller, upload = Trace.begun(), world.drop("may.csv", bank_rows(30))
    asked = OperationRequested(
        operation="o", action="admit may.csv", by="key:operator", facts=[upload.to_json()]
    )
    world.tell(asked.in_trace(caller))
    assert trace_of(world, "operation").is_with(caller)
    assert trace_of(world, "upload").is_with(caller)


def test_a_clock_is_the_beginning_of_no_trace_and_finds_each_batch_in_one_of_its_own(
    world: Queued, exported: Exported
) -> None:
    released(world)
    for name in ("a.csv", "b.csv"):
        world.files.write("scoring", name, CLIENTS.replace("technician", name[0] * 4).encode())
    before = len(exported.spans)
    world.tell(ScoringDue(tick="1"))
    one, two = world.ledger.newest("batch")
    assert one.trace is not None
    assert two.trace is not None
    assert not one.trace.is_with(two.trace)
    world.tell(ScoringDue(tick="2"), RunMoved(run="somebody-elses"))
    assert "find_batches" in {span.name for span in exported.spans[before:]}
    count = len(exported.spans)
    world.tell(ReconcileDue(tick="3"))
    assert len(exported.spans) == count, "a hint that finds nothing leaves none"


def test_facts_of_a_version_that_knew_no_traces_begin_one(world: Queued, exported: Exported) -> None:
    upload = world.drop("may.csv", bank_rows(30))
    claim = world.ledger.claims.claim(upload)
    assert "trace" not in claim.row.value
    for files in (BrokenFiles(world.files), world.files):
        world.pass_time(world.policy.claim_seconds + 1)
        world.files = files
        with suppress(Transient):
            world.tell(upload)
    assert world.ledger.newest("dataset")
    assert exported.names(trace_of(world, "upload")).count("admit_upload") == 2, "one of them in vain"
    assert len(exported.roots()) == 1
    assert exported.orphans() == []


def test_a_reconciliation_is_linked_with_what_it_found(world: Queued, exported: Exported) -> None:
    """The worker of a fact has died over it; its claim, and its row, say in which trace that was."""
    upload = world.drop("may.csv", bank_rows(30)).in_trace(Trace.begun())
    world.ledger.outbox.expect([upload])
    world.ledger.claims.claim(upload)
    world.pass_time(world.policy.claim_seconds + 1)
    world.tell(ReconcileDue(tick="1"), within=0)
    assert exported.names(upload.trace)[:2] == ["reconcile", "admit_upload"]


def test_events_tell_of_the_trace(world: Queued) -> None:
    released(world)
    trace, count = trace_of(world, "upload"), world.ledger.events.count()
    for entry in world.ledger.events.following(0, limit=count):
        told = Trace.read(entry.value["traceparent"])
        assert told is not None
        assert told.is_with(trace)


def test_without_a_sink_the_trace_is_the_same(world: Queued) -> None:
    released(world)
    batch = scored(world)
    assert len({trace_of(world, kind).trace_id for kind in LINE}) == 1
    assert batch.values["model_traceparent"][3:35] == trace_of(world, "model").trace_id


class Broken:
    """A sink that fails at everything."""

    def take(self, span: Span) -> None:
        raise RuntimeError

    def measure(self, measurement: Measurement) -> None:
        raise RuntimeError


def test_telemetry_that_fails_stops_no_work_and_is_told_once(
    world: Queued, caplog: pytest.LogCaptureFixture
) -> None:
    telemetry.export_to(Broken())
    try:
        released(world)
    finally:
        telemetry.export_to(None)
    assert world.state("model", "bank:1") == "released"
    told = [record.message for record in caplog.records if '"action":"export"' in record.message]
    assert len(told) == 1
    assert '"problem":"RuntimeError"' in told[0]
