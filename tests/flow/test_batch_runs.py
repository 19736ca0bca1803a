"""Large files of clients, scored by a run on a cluster: stories, and a crash at every call."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flow import engine
from flow.engine import output, release
from flow.test_crashes import Fuse, Wired, drain
from flow.world import POLICY, World, bank_rows

from shared.adapters.memory import MemoryFiles
from shared.domain import names
from shared.domain.facts import BatchRefused, BatchRunStarted, BatchScored, ReconcileDue, ScoringDue
from shared.ports import RunView
from shared.procedures.open_batches import BATCH_RUN

TABLE = [line.rsplit(";", 1)[0] for line in bank_rows(40).splitlines()]
CLIENTS = ("\n".join(TABLE).replace("technician", "astronaut", 3) + "\n").encode()
NAME = "clients.csv"


def world_of(**policy: Any) -> World:
    """With a released model, a file of clients, and every file large enough for a run."""
    made = World(policy=replace(POLICY, **{"engine_bytes": 1, "shard_bytes": 700, **policy}))
    release(made, 1)
    made.files.write("scoring", NAME, CLIENTS)
    return made


@pytest.fixture
def world() -> World:
    return world_of()


def started(world: World) -> str:
    """The name of the run that a tick of the clock leads to."""
    world.tell(ScoringDue(tick=f"{world.time}"))
    return str(world.scoring_pipeline.submissions[-1].name)


def batch_of(world: World) -> Any:
    (record,) = world.ledger.newest("batch")
    return record


# --- stories -----------------------------------------------------------------------------------------------------


def test_a_run_gives_the_same_bytes_and_the_same_manifest_as_the_endpoint(world: World) -> None:
    engine.end(world, started(world))
    through_the_endpoint = world_of(engine_bytes=0)
    through_the_endpoint.tell(ScoringDue(tick="1"))
    assert output(world) == output(through_the_endpoint)
    assert {"scored.csv", "manifest.json", "parquet/00000.parquet"} < output(world).keys()
    assert world.endpoint.requests == 0
    assert world.told(BatchScored) == through_the_endpoint.told(BatchScored)
    assert (world.told(BatchScored)[0].rows, world.told(BatchScored)[0].rejected) == (40, 3)


def test_the_batch_shows_its_run_and_its_steps(world: World) -> None:
    run = started(world)
    assert (batch_of(world).state, batch_of(world).values["run"]) == ("scoring", run)
    assert world.ledger.find("run", run).state == "started"  # type: ignore[union-attr]
    engine.end(world, run)
    batch = batch_of(world)
    assert batch.state == "scored"
    assert [step["name"] for step in batch.values["steps"]] == list(engine.STEPS)
    assert batch.values["shards_scored"] == batch.values["shards"] > 3
    record = world.ledger.find("run", run)
    assert record is not None
    assert (record.state, record.values["batch"], record.values["model"]) == ("accepted", batch.id, "bank:1")
    assert world.ledger.documents.read_all(BATCH_RUN) == []


def test_small_files_and_odd_names_go_through_the_endpoint() -> None:
    world = world_of(engine_bytes=len(CLIENTS))
    world.files.write("scoring", "few.csv", CLIENTS[: CLIENTS.index(b"\n25;")] + b"\n")
    world.files.write("scoring", "$(halt) a.csv", CLIENTS)
    run = started(world)
    assert [request.name for request in world.scoring_pipeline.submissions] == [run]
    assert "clients-csv" in run
    assert len(world.told(BatchScored)) == 2


def test_the_model_is_the_one_of_the_plan_whatever_is_released_meanwhile(world: World) -> None:
    run = started(world)
    release(world, 2)
    assert world.scoring_pipeline.submissions[0].model == "bank:1"
    engine.end(world, run)
    assert json.loads(output(world)["manifest.json"])["model"]["version"] == 1


def test_an_event_that_never_came_is_made_up_for_by_the_sweep(world: World) -> None:
    run = started(world)
    engine.score(world.scoring_pipeline.submissions[0], world.files)
    world.workspace.runs[run] = RunView(name=run, status="Completed")
    world.tell(ReconcileDue(tick="1"))
    assert world.told(BatchScored)


def test_a_run_is_given_the_folder_of_the_plans_model(world: World) -> None:
    started(world)
    (request,) = world.scoring_pipeline.submissions
    assert (request.model, request.model_url) == ("bank:1", "memory://models/bank/1/")


def test_without_the_models_files_the_batch_is_refused_with_what_to_do(world: World) -> None:
    world.workspace.model_folders = lambda name: {}  # type: ignore[method-assign]
    world.tell(ScoringDue(tick="1"))
    (refused,) = world.told(BatchRefused)
    assert "is not in the workspace any more: register its folder again" in refused.reason
    assert not world.scoring_pipeline.submissions


def test_a_run_that_failed_is_made_once_more(world: World) -> None:
    first = started(world)
    engine.end(world, first, status="Failed", error="step predict failed")
    assert [request.name for request in world.scoring_pipeline.submissions] == [first, first[:-1] + "2"]
    assert world.ledger.find("run", first).state == "failed"  # type: ignore[union-attr]
    engine.end(world, first[:-1] + "2")
    assert batch_of(world).state == "scored"
    assert batch_of(world).values["run"] == first[:-1] + "2"


def test_what_fails_twice_is_refused_with_the_reason(world: World) -> None:
    engine.end(world, started(world), status="Failed", error="step predict failed")
    engine.end(
        world, world.scoring_pipeline.submissions[-1].name, status="Failed", error="step predict failed"
    )
    assert len(world.scoring_pipeline.submissions) == 2
    (refused,) = world.told(BatchRefused)
    assert "a2 did not score it: step predict failed; mend that" in refused.reason
    assert batch_of(world).state == "refused"
    assert "manifest.json" not in output(world)
    assert world.ledger.documents.read_all(BATCH_RUN) == []


def test_a_run_that_somebody_cancelled_is_not_begun_again(world: World) -> None:
    engine.end(world, started(world), status="Canceled")
    assert len(world.scoring_pipeline.submissions) == 1
    assert "it ended as Canceled" in world.told(BatchRefused)[0].reason


def test_a_run_past_its_deadline_is_cancelled(world: World) -> None:
    for _ in range(2):
        run = started(world)
        world.workspace.runs[run] = RunView(name=run, status="NotResponding")
        world.pass_time(world.policy.run_deadline_minutes * 60 + 1)
        world.tell(ReconcileDue(tick="late"))
    assert world.workspace.cancelled == [request.name for request in world.scoring_pipeline.submissions]
    assert "past its deadline of 360 minutes" in world.told(BatchRefused)[0].reason


@pytest.mark.parametrize("lost", ["request", "reply"])
def test_a_submission_without_an_answer_is_one_run(world: World, lost: str) -> None:
    world.scoring_pipeline.loses = lost
    began = world.time
    engine.end(world, started(world))
    assert len(world.scoring_pipeline.submissions) == len(world.told(BatchRunStarted)) == 1
    assert world.told(BatchScored)
    assert (world.time - began).total_seconds() >= world.policy.submit_fence_seconds


def test_without_the_pipeline_the_batch_is_refused_with_what_to_do(world: World) -> None:
    world.scoring_pipeline.published = False
    world.tell(ScoringDue(tick="1"))
    assert "publish it; then drop the file again" in world.told(BatchRefused)[0].reason
    assert world.ledger.documents.read_all(BATCH_RUN) == []


@pytest.mark.parametrize("newer", [CLIENTS.replace(b"no", b"xx", 1), None])
def test_a_file_that_changed_meanwhile_is_refused_and_its_newer_version_scored(
    world: World, newer: bytes | None
) -> None:
    run = started(world)
    if newer is None:
        del world.files._blobs["scoring", NAME]
        world.workspace.runs[run] = RunView(name=run, status="Completed")
        world.tell(ReconcileDue(tick="1"))
    else:
        world.files.write("scoring", NAME, newer)
        engine.end(world, run)
    assert "overwritten while it was scored" in world.told(BatchRefused)[0].reason
    assert "manifest.json" not in output(world)
    if newer is not None:
        engine.end(world, started(world))
        assert len(world.told(BatchScored)) == 1


# --- a run that says it completed and put out something else ---------------------------------------------------------

Spoil = Callable[[MemoryFiles, str, dict[str, Any]], None]


def _told(files: MemoryFiles, of: str, body: dict[str, Any], **change: Any) -> None:
    engine.write_told(files, of, {**body, **change})


def _first(body: dict[str, Any], **change: Any) -> list[dict[str, Any]]:
    return [{**body["shards"][0], **change}, *body["shards"][1:]]


def _overwritten(files: MemoryFiles, name: str, change: Callable[[bytes], bytes]) -> None:
    files.write("scored", name, change(files.content("scored", name) or b""))


SPOILT: dict[str, tuple[Spoil, str]] = {
    "says nothing": (lambda f, b, s: f._blobs.__delitem__(("scored", f"{b}/shards.json")), "it left no"),
    "says no JSON": (lambda f, b, s: f.write("scored", f"{b}/shards.json", b"{"), "cannot be read"),
    "says a list": (lambda f, b, s: f.write("scored", f"{b}/shards.json", b"[1]"), "cannot be read"),
    "another model": (lambda f, b, s: _told(f, b, s, model="bank:2"), "with bank:2, not"),
    "another batch": (lambda f, b, s: _told(f, b, s, batch="x"), "it scored x with"),
    "a shard short": (lambda f, b, s: _told(f, b, s, shards=s["shards"][:-1]), "not of the plan's"),
    "two in each other's place": (lambda f, b, s: _told(f, b, s, shards=s["shards"][::-1]), "in order"),
    "rows that are not counted": (lambda f, b, s: _told(f, b, s, shards=_first(s, rows=1)), "shard 0 does not add"),
    "a digest that is none": (lambda f, b, s: _told(f, b, s, shards=_first(s, csv_sha256="")), "does not add up"),
    "cut off": (lambda f, b, s: _overwritten(f, f"{b}/scored.csv", lambda d: d[:-1]), "scored.csv has"),
    "another first line": (
        lambda f, b, s: _overwritten(f, f"{b}/scored.csv", lambda d: b"x" + d[1:]), "shard 0 has other bytes",
    ),
    "another last line": (
        lambda f, b, s: _overwritten(f, f"{b}/scored.csv", lambda d: d[:-2] + b"x\n"), "has other bytes",
    ),
    "a Parquet file short": (
        lambda f, b, s: f._blobs.__delitem__(("scored", f"{b}/parquet/00001.parquet")), "has no bytes, not",
    ),
    "another Parquet file": (
        lambda f, b, s: _overwritten(f, f"{b}/parquet/00000.parquet", lambda d: b"X" + d[1:]), "parquet_sha256",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", SPOILT)
def test_an_output_that_is_not_the_plans_never_gets_a_manifest(
    world: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    spoil, says = SPOILT[how]
    sound = engine.score

    def spoilt(request: Any, files: MemoryFiles) -> None:
        sound(request, files)
        batch = request.output.rstrip("/")
        spoil(files, batch, json.loads(files.content("scored", names.batch_shards_blob(batch)) or b""))

    monkeypatch.setattr(engine, "score", spoilt)
    first = started(world)
    engine.end(world, first)
    record = world.ledger.find("run", first)
    assert record is not None
    assert record.state == "refused"
    assert says in record.values["reason"]
    assert "manifest.json" not in output(world)
    engine.end(world, world.scoring_pipeline.submissions[-1].name)
    assert says in world.told(BatchRefused)[0].reason
    assert "manifest.json" not in output(world)


def test_a_run_whose_model_failed_on_too_many_rows_gets_no_manifest_either(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = engine.score

    def failing(request: Any, files: MemoryFiles) -> None:
        sound(request, files)
        batch = request.output.rstrip("/")
        body = json.loads(files.content("scored", names.batch_shards_blob(batch)) or b"")
        shards = [
            {**shard, "refused": shard["rows"], "unanswered": shard["rows"], "deciles": [0] * 10}
            for shard in body["shards"]
        ]
        engine.write_told(files, batch, {**body, "shards": shards})

    monkeypatch.setattr(engine, "score", failing)
    engine.end(world, started(world))
    (refused,) = world.told(BatchRefused)
    assert "40 of 40 rows" in refused.reason
    assert batch_of(world).state == "refused"
    assert "manifest.json" not in output(world)


# --- a crash at every call ---------------------------------------------------------------------------------------


def live_through(fuse: Fuse, *, until_scored: bool = False, lost: bool = False) -> World:
    """Half an hour: a file waits to be scored, its first run fails, its second one scores it; reconciled each minute.

    lost: the message of the killed worker does not come back
    """
    world = world_of()
    ports = ("table", "present", "files", "scoring_pipeline", "workspace", "bus")
    bare = {name: getattr(world, name) for name in ports}
    for name, port in bare.items():
        setattr(world, name, Wired(port, fuse))
    for minute in range(30):
        end_runs(bare)
        world.due += [
            (world.time, ReconcileDue(tick=str(minute))),
            (world.time, ScoringDue(tick=str(minute))),
        ]
        end_of_minute = world.time + timedelta(minutes=1)
        drain(world, bare, until=end_of_minute, lost=lost)
        world.time = end_of_minute
        if until_scored and any(isinstance(fact, BatchScored) for fact in bare["bus"].announced):
            break
    for name, port in bare.items():
        setattr(world, name, port)
    return world


def end_runs(bare: dict[str, Any]) -> None:
    """They end without an event: the reconciler has to see it."""
    for request in bare["scoring_pipeline"].submissions:
        failed = request.name.endswith("-a1")
        if not failed and bare["workspace"].runs[request.name].status != "Completed":
            engine.score(request, bare["files"])
        status = "Failed" if failed else "Completed"
        bare["workspace"].runs[request.name] = RunView(name=request.name, status=status)


def outcome(world: World) -> dict[str, Any]:
    """What anybody outside can see at the end."""
    return {
        "submissions": [request.name for request in world.scoring_pipeline.submissions],
        "batches": [
            (r.state, r.values.get("rows"), r.values.get("run")) for r in world.ledger.newest("batch")
        ],
        "runs": [(r.id, r.state) for r in world.ledger.newest("run")],
        "output": output(world),
        "failures": len(world.ledger.newest("failure")),
        "unfinished": [fact.key for fact, _ in world.ledger.outbox.unfinished(older_than=timedelta(0))],
        "open": len(world.ledger.documents.read_all(BATCH_RUN)),
    }


def test_an_undisturbed_half_hour_ends_with_a_sealed_batch() -> None:
    seen = outcome(live_through(Fuse()))
    first, second = seen["submissions"]
    assert seen["batches"] == [("scored", 40, second)]
    assert seen["runs"] == [(second, "accepted"), (first, "failed")]
    assert (seen["failures"], seen["unfinished"], seen["open"]) == (0, [], 0)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("every", [23, pytest.param(1, marks=pytest.mark.slow)])
def test_a_crash_at_any_call_changes_nothing(after: bool, every: int) -> None:
    """At some calls, and among the slow tests at each."""
    expected = outcome(live_through(Fuse()))
    fuse = Fuse()
    live_through(fuse, until_scored=True)
    differing = []
    for at in range(1, fuse.calls + 1, every):
        seen = outcome(live_through(Fuse(at, after=after), lost=(at + after) % 2 == 0))
        if seen != expected:
            differing.append((at, {name: seen[name] for name in seen if seen[name] != expected[name]}))
    assert differing == []


def test_a_cluster_draws_the_same_control_group_and_leads_to_the_same_call_list() -> None:
    one, other = world_of(control_share=0.3), world_of(control_share=0.3, engine_bytes=0)
    engine.end(one, started(one))
    other.tell(ScoringDue(tick="1"))
    assert output(one) == output(other)
    assert {"call-list.csv", "call-list.json"} < output(one).keys()
    assert b";control;0.3" in output(one)["scored.csv"]


def test_an_output_without_the_control_group_that_was_planned_is_none() -> None:
    """A scoring pipeline that was published before there were any."""
    world = world_of(control_share=0.3)
    run = started(world)
    engine.end(world, run)
    told = json.loads(world.files.content("scored", f"{batch_of(world).id}/shards.json") or b"")
    for shard in told["shards"]:
        del shard["control"]
    again = world_of(control_share=0.3)
    run = started(again)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simulation.cluster.describe", lambda *_: told)
        engine.end(again, run)
    assert batch_of(again).state == "scoring"
    assert len(again.scoring_pipeline.submissions) == 2
