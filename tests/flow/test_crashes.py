"""The process dies before or after every single call it makes: nothing is lost, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flow.world import POLICY, World, bank_rows, evaluation_of, golden

from shared.domain.datasets.manifest import Manifest
from shared.domain.facts import (
    BatchScored,
    Fact,
    OperationRequested,
    ReconcileDue,
    ScoringDue,
    TrustRequested,
    WithdrawalRequested,
)
from shared.domain.policy import Policy
from shared.errors import Conflict
from shared.ports import RunView
from shared.procedures.gather_window import gathered

MESSAGE_LEASE = timedelta(minutes=10)
"""How long the host keeps a message from others; a killed host's messages come back after it."""


class Killed(BaseException):
    """The process is gone; no except clause of ours may see it coming."""


class Fuse:
    """Counts the calls made through all ports and kills at the one it is set to."""

    def __init__(self, at: int | None = None, *, after: bool = False) -> None:
        self.at, self.after, self.calls, self.burning = at, after, 0, True

    def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self.burning:
            return method(*args, **kwargs)
        self.calls += 1
        if self.calls == self.at and not self.after:
            raise Killed
        result = method(*args, **kwargs)
        if self.calls == self.at:
            raise Killed
        return result


class Wired:
    """A port whose every call goes over the fuse."""

    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port, self._fuse = port, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name == "take" or not callable(found):  # the test's own way to look at the bus
            return found
        return lambda *args, **kwargs: self._fuse.call(found, *args, **kwargs)


CLIENTS = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(12).splitlines()) + "\n"


FAULTY = bank_rows(10).replace("\n25;", "\nold;", 1)


def live_through(
    fuse: Fuse,
    *,
    until_scored: bool = False,
    lost: bool = False,
    first: Mapping[str, str] = {},
    later: Mapping[str, str] = {},
    asked: Callable[[World], list[Fact]] | None = None,
    policy: Policy = POLICY,
    minutes: int = 60,
) -> World:
    """A day: a file with a bad row is dropped, its run ends, clients are scored; with a reconciliation a minute.

    lost: the message of the killed worker does not come back
    first: files that are dropped too
    later: files that are dropped after twenty minutes; then the fuse burns, and the policy holds, only from there on
    asked: what an operator asks for then; the same
    """
    world = World()
    for name, text in {"may.csv": FAULTY, **first}.items():
        world.files.write("incoming", name, text.encode())
    world.files.write("scoring", "clients.csv", CLIENTS.encode())
    bare = {
        name: getattr(world, name) for name in ("table", "present", "files", "pipeline", "workspace", "bus")
    }
    for name, port in bare.items():
        setattr(world, name, Wired(port, fuse))
    fuse.burning = not (later or asked)
    for minute in range(minutes):
        if minute == 20 and asked:
            world.due += [(world.time, operation(fact)) for fact in asked(world)]
            fuse.burning = True
        if minute == 20 and later:
            for name, text in later.items():
                bare["files"].write("incoming", name, text.encode())
            fuse.burning, world.policy = True, policy
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


def operation(fact: Fact) -> OperationRequested:
    """As the API has it; what it asks for is in the outbox from then on, whoever dies."""
    facts = [fact.to_json()]
    return OperationRequested(operation=f"of/{fact.key}", action="act", by="key:operator", facts=facts)


def drain(world: World, bare: dict[str, Any], *, until: Any, lost: bool) -> None:
    while ready := [item for item in world.due if item[0] <= until]:
        item = min(ready, key=lambda item: item[0])
        world.due.remove(item)
        world.time = max(world.time, item[0])
        try:
            world.deliver(item[1])
        except Conflict:  # with what the dead worker left half done, which another takes over after a while
            world.due += [] if item[1].hint else [(item[0] + MESSAGE_LEASE, item[1])]
        except Killed:
            world.due += [(world.time, fact) for fact in bare["bus"].take()]
            # A timer's tick does not come back; a message does, and so does a client whose request had no answer.
            asked_again = isinstance(item[1], OperationRequested)
            if not item[1].hint and (asked_again or not lost):
                world.due.append((item[0] + MESSAGE_LEASE, item[1]))


def end_runs(bare: dict[str, Any]) -> None:
    for request in bare["pipeline"].submissions:
        name = request.name
        bare["workspace"].runs[name] = RunView(name=name, status="Completed")
        documents = {"evaluation": evaluation_of(request.version, request.champion)}
        documents["golden"] = golden(request.version)
        bare["workspace"].documents[request.dataset, request.version] = documents


def outcome(world: World) -> dict[str, Any]:
    """What anybody outside can see at the end of the day."""
    batches = world.ledger.newest("batch")
    uploads = world.ledger.newest("upload")
    failures = world.ledger.newest("failure")
    scored = [blob for blob in world.files.list("scored") if blob.name.endswith("scored.csv")]
    return {
        "submissions": [request.name for request in world.pipeline.submissions],
        "datasets": dict(world.workspace.datasets),
        "traffic": dict(world.workspace.traffic),
        "uploads": [(r.state, r.values["rows"], r.values["rejected_rows"]) for r in uploads],
        "batches": [(r.state, r.values.get("rows"), r.values.get("rejected_rows")) for r in batches],
        "scored": [b"".join(world.files.read(blob)) for blob in scored],
        "quarantine": [b"".join(world.files.read(blob)) for blob in world.files.list("quarantine")],
        "failures": len(failures),
        "unfinished": [fact.key for fact, _ in world.ledger.outbox.unfinished(older_than=timedelta(0))],
    }


@pytest.fixture(scope="module")
def undisturbed() -> tuple[dict[str, Any], int]:
    fuse = Fuse()
    return outcome(live_through(fuse)), fuse.calls


def test_an_undisturbed_day_ends_with_a_model_and_a_batch(undisturbed: tuple[dict[str, Any], int]) -> None:
    seen, _ = undisturbed
    assert seen["submissions"] == ["bank-v1-a1"]
    assert seen["traffic"] == {"campanha-bank": {"model-1": 100}}
    assert seen["uploads"] == [("registered", 9, 1)]
    assert seen["batches"] == [("scored", 12, 0)]
    assert seen["failures"] == 0
    assert seen["unfinished"] == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("every", [29, pytest.param(1, marks=pytest.mark.slow)])
def test_a_crash_at_any_call_changes_nothing(
    undisturbed: tuple[dict[str, Any], int], after: bool, every: int
) -> None:
    """Every other worker takes its message with it: then the reconciler alone brings the day to its end.

    Some calls, and among the slow tests each.
    """
    expected, _ = undisturbed
    calls = calls_that_matter()
    differing = []
    for at in range(1, calls + 1, every):
        lost = (at + after) % 2 == 0
        seen = outcome(live_through(Fuse(at, after=after), lost=lost))
        if seen != expected:
            differing.append((at, {name: seen[name] for name in seen if seen[name] != expected[name]}))
    assert differing == []


def calls_that_matter() -> int:
    """The calls of the day up to the sealed batch; afterwards reconciliations only look."""
    fuse = Fuse()
    live_through(fuse, until_scored=True)
    return fuse.calls


OLD, NEW = bank_rows(5, start=50), bank_rows(6, start=70)
ONE_WITH_A_COPY = {"all.csv": OLD, "copy.csv": OLD}
MENDED = {"may.csv": bank_rows(10), "all.csv": NEW}
"""The faulty file, and one whose rows a copy keeps, are dropped again."""


def overwritten_day(fuse: Fuse, *, lost: bool = False) -> World:
    return live_through(fuse, lost=lost, first=ONE_WITH_A_COPY, later=MENDED)


def dataset(world: World) -> dict[str, Any]:
    """What the dataset holds at the end of the day, and what became of each file that was dropped."""
    newest = max(version for _, version in world.workspace.datasets)
    text = world.files.content("datasets", f"bank/manifests/{newest}.json")
    assert text is not None
    states = {record.id: record.state for record in world.ledger.newest("upload")}
    return {
        "parts": {
            part.source["name"]: (part.rows, states[part.upload]) for part in Manifest.from_json(text).parts
        },
        "uploads": sorted((id_.split("/")[1], state) for id_, state in states.items()),
        "failures": len(world.ledger.newest("failure")),
        "waiting": len(gathered("bank", world.services)),
        "unfinished": [fact.key for fact, _ in world.ledger.outbox.unfinished(older_than=timedelta(0))],
    }


AFTERWARDS = {
    "parts": {
        "may.csv": (10, "registered"),
        "all.csv": (6, "registered"),
        "copy.csv": (5, "duplicate"),
    },
    "uploads": [
        ("all.csv", "registered"),
        ("all.csv", "replaced"),
        ("copy.csv", "duplicate"),
        ("may.csv", "registered"),
        ("may.csv", "replaced"),
    ],
    "failures": 0,
    "waiting": 0,
    "unfinished": [],
}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("every", [97, pytest.param(1, marks=pytest.mark.slow)])
def test_a_crash_while_files_are_replaced_loses_no_row_and_counts_none_twice(after: bool, every: int) -> None:
    fuse = Fuse()
    assert dataset(overwritten_day(fuse)) == AFTERWARDS
    differing = []
    for at in range(1, fuse.calls + 1, every):
        seen = dataset(overwritten_day(Fuse(at, after=after), lost=(at + after) % 2 == 0))
        if seen != AFTERWARDS:
            differing.append((at, {name: seen[name] for name in seen if seen[name] != AFTERWARDS[name]}))
    assert differing == []


# --- rows that a person withdraws, and others that one trusts -------------------------------------------------


BAD, GOOD = bank_rows(5, start=50), bank_rows(6, start=70)
WITH_FAULTS = {"bad.csv": BAD, "copy.csv": BAD, "worse.csv": GOOD.replace("\n31;", "\nold;", 1)}


def withdrawn_day(fuse: Fuse, *, lost: bool = False) -> World:
    """Two uploads are withdrawn, one of them held by a copy too; a version is trusted, and the dataset is trained anew."""
    return live_through(fuse, lost=lost, first=WITH_FAULTS, asked=_decisions)


def _decisions(world: World) -> list[Fact]:
    ids = {record.values["name"]: record.id for record in world.ledger.newest("upload")}
    by: dict[str, Any] = {"by": "key:operator", "reason": "wrong", "retrain": True}
    return [
        WithdrawalRequested(upload=ids["bad.csv"], operation="o1", **by),
        WithdrawalRequested(upload=ids["worse.csv"], operation="o2", **by),
        TrustRequested(dataset="bank", version=1, operation="o3", **by),
    ]


AFTER_DECISIONS = {
    "parts": {"may.csv": (9, "registered"), "copy.csv": (5, "duplicate")},
    "uploads": [
        ("bad.csv", "withdrawn"),
        ("copy.csv", "duplicate"),
        ("may.csv", "registered"),
        ("worse.csv", "withdrawn"),
    ],
    "failures": 0,
    "waiting": 0,
    "unfinished": [],
    "withdrawn": ["bad.csv", "worse.csv"],
    "trusted": [1],
}


def decided(world: World) -> dict[str, Any]:
    newest = max(version for _, version in world.workspace.datasets)
    text = world.files.content("datasets", f"bank/manifests/{newest}.json")
    assert text is not None
    manifest = Manifest.from_json(text)
    return {
        **dataset(world),
        "withdrawn": sorted(one.upload.split("/")[1] for one in manifest.withdrawn),
        "trusted": [one.version for one in manifest.trusted],
    }


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("every", [97, pytest.param(1, marks=pytest.mark.slow)])
def test_a_crash_while_people_decide_about_rows_loses_none_and_counts_none_twice(
    after: bool, every: int
) -> None:
    fuse = Fuse()
    assert decided(withdrawn_day(fuse)) == AFTER_DECISIONS
    differing = []
    for at in range(1, fuse.calls + 1, every):
        seen = decided(withdrawn_day(Fuse(at, after=after), lost=(at + after) % 2 == 0))
        if seen != AFTER_DECISIONS:
            differing.append((at, {name: seen[name] for name in seen if seen[name] != AFTER_DECISIONS[name]}))
    assert differing == []


# --- a release in its stages -----------------------------------------------------------------------------------


ROLLOUT_DAY = replace(
    POLICY,
    release_baking_seconds=60,
    release_latency_ratio=1e6,
    release_approval="required",
    release_approval_hours=1,
    release_undecided="release",
)
"""A second model is held for a person, who does not come, and then watched with a share of the traffic."""


def released_day(fuse: Fuse, *, lost: bool = False) -> World:
    return live_through(
        fuse, lost=lost, later={"june.csv": bank_rows(12, start=90)}, policy=ROLLOUT_DAY, minutes=125
    )


def release_outcome(world: World) -> dict[str, Any]:
    deployments = {
        record.id: record.values["traffic_percent"] for record in world.ledger.newest("deployment")
    }
    return {
        "traffic": dict(world.workspace.traffic),
        "shares": deployments,
        "models": [(record.id, record.state) for record in world.ledger.newest("model")],
        "failures": len(world.ledger.newest("failure")),
        "unfinished": [fact.key for fact, _ in world.ledger.outbox.unfinished(older_than=timedelta(0))],
    }


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("every", [97, pytest.param(1, marks=pytest.mark.slow)])
def test_a_crash_during_a_release_leaves_no_traffic_with_what_nobody_released(
    after: bool, every: int
) -> None:
    fuse = Fuse()
    wanted = release_outcome(released_day(fuse))
    assert wanted["traffic"] == {"campanha-bank": {"model-2": 100}}
    assert wanted["shares"] == {"campanha-bank/model-1": 0, "campanha-bank/model-2": 100}
    assert wanted["models"] == [("bank:2", "released"), ("bank:1", "previous")]
    differing = []
    for at in range(1, fuse.calls + 1, every):
        seen = release_outcome(released_day(Fuse(at, after=after), lost=(at + after) % 2 == 0))
        if seen != wanted:
            differing.append((at, {name: seen[name] for name in seen if seen[name] != wanted[name]}))
    assert differing == []
