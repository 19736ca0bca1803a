"""A season with Campanha, in memory: whatever can become of files, runs, models and batches comes about in it."""

from __future__ import annotations

from dataclasses import replace

from flow import engine
from flow.world import World, bank_rows

from shared.domain.facts import (
    AlertCheckDue,
    AlertTestRequested,
    OperationRequested,
    QuarantineDecided,
    ReadmissionRequested,
    RetrainDue,
    RetryRequested,
    RollbackRequested,
    RunMoved,
    ScoringDue,
    TrustRequested,
    WithdrawalRequested,
    WorkPaused,
    WorkResumed,
)
from shared.domain.names import digest
from shared.ports import RunView, StepView

BY = "key:operator"


def lived(world: World) -> World:
    """The world after the season."""
    _first_model(world)
    _what_is_held(world)
    _better_and_worse_models(world)
    _clients(world)
    _runs_that_come_to_nothing(world)
    _a_step_that_is_given_up(world)
    world.tell(world.drop("june.csv", bank_rows(30, start=5000)))  # in place of the older june.csv
    _what_a_person_decides_about_rows(world)
    _what_a_person_is_told(world)
    return world


def _first_model(world: World) -> None:
    lines = bank_rows(30).splitlines()
    lines[3] = lines[3].replace("22;", "150;", 1)  # too old by the contract, and still a number
    world.tell(world.drop("may.csv", "\n".join(lines) + "\n"))
    run = "bank-v1-a1"
    steps = (StepView(name="prepare", status="Completed"), StepView(name="train", status="Running"))
    world.workspace.runs[run] = RunView(name=run, status="Running", steps=steps)
    world.tell(RunMoved(run=run))
    world.finish_run(run)


def _what_is_held(world: World) -> None:
    (may,) = world.ledger.newest("upload")
    world.tell(
        world.drop(
            "copy.csv", "\n".join(bank_rows(30).splitlines()[:3] + bank_rows(30).splitlines()[4:]) + "\n"
        )
    )
    world.tell(ReadmissionRequested(upload=may.id, operation=digest("o1")))
    for decision in ("retried", "discarded"):
        odd = world.drop(f"{decision}.csv", "a;b\n1;2\n")
        world.tell(odd)
        world.tell(QuarantineDecided(upload=odd.key, decision=decision, by=BY, reason="a test file"))


def _better_and_worse_models(world: World) -> None:
    """Version 2 is of the readmitted row; 3 waits for its run, for a person, and with a share of the traffic; 4 is
    refused, 5 undecided; then an operator rolls back."""
    with_a_fault = bank_rows(31, start=1000).replace(
        ";technician;", ";astronaut;", 1
    )  # held until june.csv is replaced
    world.tell(world.drop("june.csv", with_a_fault))
    world.finish_run("bank-v2-a1")
    as_usual = world.policy
    held = {"release_approval": "required", "release_approval_hours": 1, "release_undecided": "release"}
    world.policy = replace(as_usual, release_baking_seconds=60, **held)
    world.finish_run("bank-v3-a1")
    world.policy = as_usual
    world.tell(world.drop("july.csv", bank_rows(30, start=2000)))
    world.finish_run("bank-v4-a1", worse=True)
    world.tell(world.drop("few.csv", bank_rows(30, start=5000)))
    world.finish_run("bank-v5-a1", positives=3)
    world.pass_time(1)
    asked = round(world.now().timestamp() * 1000)
    rollback = RollbackRequested(dataset="bank", operation=digest("o2"), requested_ms=asked)
    accepted = OperationRequested(
        operation=digest("o2"), action="roll back bank", by=BY, facts=[rollback.to_json()]
    )
    world.tell(accepted)


def _clients(world: World) -> None:
    clients = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(20).splitlines()) + "\n"
    world.files.write("scoring", "clients.csv", clients.encode())
    world.files.write("scoring", "odd.csv", b"a;b\n1;2\n")
    world.tell(ScoringDue(tick="1"))
    batch = next(one.id for one in world.ledger.newest("batch") if one.state == "scored")
    world.tell(world.drop_outcomes(f"{batch}/called.csv", "row,y\n1,yes\n2,no\n3,maybe\n"))
    world.tell(world.drop_outcomes("odd.csv", "a,b\n1,2\n"))
    world.files.write("scoring", "clients again.csv", clients.encode())
    world.tell(ScoringDue(tick="2"))
    _a_list_that_is_off(world)
    world.policy = replace(
        world.policy, engine_bytes=1, shard_bytes=700
    )  # every file is large enough for a run
    for other, name, end in ((3, "many.csv", "Completed"), (5, "more.csv", "Canceled")):
        world.files.write("scoring", name, clients.replace("technician", "services", other).encode())
        world.tell(ScoringDue(tick=name))
        engine.end(world, str(world.scoring_pipeline.submissions[-1].name), status=end)


def _a_list_that_is_off(world: World) -> None:
    """Its ages are nothing like those that were learned from: it is held, until a mended file takes its place."""
    learned = {"name": "age", "type": "integer", "edges": [], "shares": [1.0, 0.0], "minimum": 2000.0}
    learned |= {"maximum": 9000.0, "orders": {"3": 40}}
    for documents in world.workspace.documents.values():
        documents["profile"] = {"rows": 40, "columns": [learned]}
    off = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(7, start=9000).splitlines()) + "\n"
    world.files.write("scoring", "off.csv", off.encode())
    world.tell(ScoringDue(tick="off"))
    for documents in world.workspace.documents.values():
        documents["profile"] = {"rows": 40, "columns": [dict(learned, orders={})]}  # finds nothing any more
    world.files.write("scoring", "off.csv", off.replace(";technician;", ";management;").encode())
    world.tell(ScoringDue(tick="mended"))


def _runs_that_come_to_nothing(world: World) -> None:
    world.tell(world.drop("august.csv", bank_rows(30, start=3000)))
    world.finish_run("bank-v6-a1", status="Failed")
    world.tell(RetrainDue(dataset="bank", tick="monday"))
    world.tell(WorkPaused(operation=digest("o3"), by=BY, reason="moving house"))
    world.tell(WorkResumed(operation=digest("o4"), by=BY, reason="moved"))


def _a_step_that_is_given_up(world: World) -> None:
    upload = world.drop("september.csv", bank_rows(30, start=4000))
    world.fail_for_good(upload)
    (failure,) = world.ledger.newest("failure")
    world.tell(RetryRequested(failure=failure.id, about=upload.key, operation=digest("o5")))


def _what_a_person_decides_about_rows(world: World) -> None:
    """One upload is withdrawn before a version without it is made, one version is trusted for the next, and one that a run
    doubts as well."""
    august = next(one.id for one in world.ledger.newest("upload") if one.values["name"] == "august.csv")
    world.tell(
        WithdrawalRequested(upload=august, operation=digest("o6"), by=BY, reason="another campaign's labels"),
        TrustRequested(dataset="bank", version=3, operation=digest("o7"), by=BY, reason="checked by hand"),
    )
    run = world.pipeline.submissions[-1]
    doubt = {"version": run.version, "kind": "one answer", "reason": "all 30 rows are positive"}
    world.finish_run(run.name, doubts=[doubt])
    trust = TrustRequested(
        dataset="bank", version=run.version, operation=digest("o8"), by=BY, reason="all of them bought"
    )
    world.tell(trust)


def _what_a_person_is_told(world: World) -> None:
    """A list that cannot be scored is the matter until one is; a test of the channels, of which there are none."""
    clients = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(9, start=7000).splitlines()) + "\n"
    world.files.write("scoring", "wrong.csv", b"a;b\n1;2\n")
    world.tell(ScoringDue(tick="wrong"))
    world.tell(AlertCheckDue(tick="1", clock="ReconcileDue"))
    world.files.write("scoring", "right.csv", clients.encode())
    world.policy = replace(world.policy, engine_bytes=0)
    world.tell(ScoringDue(tick="right"))
    world.tell(AlertCheckDue(tick="2", clock="ReconcileDue"))
    world.tell(AlertTestRequested(operation=digest("o8"), by=BY))
