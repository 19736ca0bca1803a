"""A release in its stages: compared on the last batch, held for a person, watched under a share of the traffic, ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

import pytest
from flow.world import POLICY, World, bank_rows

from shared.adapters.memory import MemoryEndpoint
from shared.domain.facts import (
    ROLL_BACK,
    Fact,
    ModelAccepted,
    ModelReleased,
    PromotionRequested,
    ReconcileDue,
    ReleaseDecided,
    ReleaseDue,
    ReleaseHeld,
    ReleaseNotPossible,
    ReleaseRolledBack,
    RollbackRequested,
    ScoringDue,
    StepDeadLettered,
    TrafficStrayed,
    WorkPaused,
    WorkResumed,
)
from shared.errors import Refused, Transient
from shared.ports import RequestMetrics, Scores
from shared.procedures import release
from shared.procedures.open_batches import close_batch, open_batch
from shared.procedures.rollout import LATE_MS, ROLLOUT
from shared.procedures.run_slot import SLOT
from shared.steps.release_model import release_model
from shared.steps.restore_traffic import restore_traffic

ENDPOINT = "campanha-bank"
OLD, NEW = "model-1", "model-2"
SHARED = {NEW: 10, OLD: 90}
BAKING = replace(POLICY, release_baking_seconds=600, release_canary_percent=10, release_latency_ratio=1e6)
"""No time of a busy machine that runs the tests is an alarm."""
CLIENTS = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(60).splitlines()) + "\n"


@dataclass
class Endpoint(MemoryEndpoint):
    """Deployments that answer golden rows well, unless they are to fail, and others moved by a given amount."""

    moved: dict[str, float] = field(default_factory=dict)
    out: set[str] = field(default_factory=set)
    """Deployments that do not answer."""
    refusing: set[str] = field(default_factory=set)
    """Those that refuse whole clients, which the golden rows are not."""
    wrong: set[str] = field(default_factory=set)

    def score(self, endpoint: str, deployment: str, rows: Any) -> Scores:
        if deployment in self.out:
            raise Transient(f"{deployment} was busy")
        scores = super().score(endpoint, deployment, rows)
        if deployment in self.wrong:
            return replace(scores, model_version="7")
        golden = rows.num_columns == 1
        if deployment in self.refusing and not golden:
            raise Refused("it knows no such column")
        by = 0.0 if golden else self.moved.get(deployment, 0.0)
        if not by:
            return scores
        from shared.domain.models.answers import Answers

        probability = [min(max(p + by, 0.0), 1.0) for p in scores.answers.scores().tolist()]
        decisions = ["call" if p >= 0.5 else "skip" for p in probability]
        answers = Answers.checked(probability, scores.answers.decile, decisions, rows=len(probability))
        return replace(scores, answers=answers)


@pytest.fixture
def world(world: World) -> World:
    """Model 1 answers and has scored a batch; model 2's run is under way, and its release will bake for ten minutes."""
    world.policy = BAKING
    world.endpoint = Endpoint()
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    world.files.write("scoring", "clients.csv", CLIENTS.encode())
    world.tell(ScoringDue(tick="1"))
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    return world


@pytest.fixture
def endpoint(world: World) -> Endpoint:
    assert isinstance(world.endpoint, Endpoint)
    return world.endpoint


def _until(world: World, done: Callable[[], bool], *facts: Fact) -> None:
    """Delivers one after another, each at its time, until it is done."""
    world.due += [(world.time, fact) for fact in facts]
    while not done():
        assert world.due, "nothing is due any more"
        world.due.sort(key=lambda item: item[0])
        when, fact = world.due.pop(0)
        world.time = max(world.time, when)
        world.deliver(fact)


def _accepted(world: World, version: int = 2) -> None:
    """The run is over and its model accepted; what that leads to waits."""
    with mock.patch.object(
        world, "tell", lambda *facts, **_: world.due.extend((world.time, f) for f in facts)
    ):
        world.finish_run(f"bank-v{version}-a1")


def _baking(world: World, version: int = 2) -> None:
    """The new model has its share of the traffic, and the next look at it waits."""
    _accepted(world, version)
    _until(world, lambda: world.state("model", f"bank:{version}") == "canary")


def _look(world: World) -> None:
    """The next look, and no other."""
    before = len(world.bus.published)
    _until(world, lambda: len(world.bus.published) > before)


def _rest(world: World) -> None:
    world.tell()


def _roll_back(world: World, operation: str = "o1") -> RollbackRequested:
    world.pass_time(1)
    asked = round(world.now().timestamp() * 1000)
    return RollbackRequested(
        dataset="bank", operation=operation, requested_ms=asked, by="key:operator", reason="complaints"
    )


def _promote(world: World, version: int, by: str = "key:operator") -> PromotionRequested:
    world.pass_time(1)
    asked = round(world.now().timestamp() * 1000)
    return PromotionRequested(
        dataset="bank", version=version, operation=f"p{version}", requested_ms=asked, by=by, reason="urgent"
    )


def _decided(
    decision: str, *, by: str = "key:admin", operation: str = "d1", version: int = 2
) -> ReleaseDecided:
    return ReleaseDecided(
        dataset="bank", version=version, decision=decision, operation=operation, by=by, reason="looked at it"
    )


def _model(world: World, version: int = 2) -> dict[str, Any]:
    record = world.ledger.find("model", f"bank:{version}")
    assert record is not None
    values: dict[str, Any] = record.values
    return values


def _serves(world: World, version: int) -> None:
    """That version answers all, and nothing is left to be done."""
    assert world.workspace.traffic == {ENDPOINT: {f"model-{version}": 100}}, world.told(ReleaseRolledBack)
    assert world.state("deployment", f"{ENDPOINT}/model-{version}") == "serving"
    record = world.ledger.find("deployment", f"{ENDPOINT}/model-{version}")
    assert record is not None
    assert record.values["traffic_percent"] == 100
    assert list(world.ledger.outbox.open(ReleaseDue)) == []


# --- a share of the traffic, then all ------------------------------------------------------------------------


def test_a_new_model_gets_a_share_then_all(world: World) -> None:
    _baking(world)
    assert world.workspace.traffic == {ENDPOINT: SHARED}
    records = [world.ledger.find("deployment", f"{ENDPOINT}/{name}") for name in (NEW, OLD)]
    assert [(record.state, record.values["traffic_percent"]) for record in records if record] == [
        ("canary", 10),
        ("serving", 90),
    ]
    began = world.time
    _rest(world)
    _serves(world, 2)
    assert (world.time - began).total_seconds() == 600
    assert world.state("model", "bank:1") == "previous"
    baking = _model(world)["baking"]
    assert (baking["percent"], baking["seconds"], baking["faults"]) == (10, 600, 0)
    assert baking["probes"] >= 400


def test_no_request_at_all_holds_no_release_up(world: World) -> None:
    """Argo Rollouts, #2027 and #3015: without traffic an analysis stays inconclusive, and the rollout stands still."""
    _baking(world)
    world.tell(within=3600)
    _serves(world, 2)


def test_the_share_adds_up_at_every_moment(world: World) -> None:
    set_traffic = world.workspace.set_traffic
    with mock.patch.object(world.workspace, "set_traffic", side_effect=set_traffic) as moved:
        _baking(world)
        _rest(world)
    moves = [call.args[1] for call in moved.call_args_list]
    assert moves == [SHARED, {NEW: 100}]
    assert {sum(shares.values()) for shares in moves} == {100}


def test_the_first_model_has_nobody_to_share_with(world: World) -> None:
    assert world.state("model", "bank:1") == "released"
    assert _model(world, 1).get("baking") is None


def test_without_a_baking_time_all_traffic_moves_at_once(world: World) -> None:
    world.policy = replace(world.policy, release_baking_seconds=0)
    began = world.time
    world.finish_run("bank-v2-a1")
    _serves(world, 2)
    assert (world.time - began).total_seconds() <= 2


def test_the_old_deployment_stays_and_the_one_before_it_goes(world: World) -> None:
    world.finish_run("bank-v2-a1")
    world.tell(world.drop("july.csv", bank_rows(30, start=2000)))
    _baking(world, 3)
    assert sorted(world.workspace.deployments(ENDPOINT)) == ["model-1", "model-2", "model-3"]
    _rest(world)
    assert sorted(world.workspace.deployments(ENDPOINT)) == ["model-2", "model-3"]


# --- alarms ----------------------------------------------------------------------------------------------------


def test_answers_that_go_wrong_roll_it_back(world: World, endpoint: Endpoint) -> None:
    _baking(world)
    endpoint.wrong = {NEW}
    _rest(world)
    _serves(world, 1)
    (fact,) = world.told(ReleaseRolledBack)
    assert fact.reason.startswith(
        "while it was watched: two probes in a row found it wrong: model 7 answered"
    )
    assert world.state("model", "bank:2") == "rolled-back"
    assert world.state("deployment", f"{ENDPOINT}/{NEW}") == "removed"
    assert list(world.workspace.deployments(ENDPOINT)) == [OLD]
    assert _model(world)["baking"]["faults"] > 0


def test_a_deployment_that_fails_its_smoke_test_gets_no_traffic(world: World, endpoint: Endpoint) -> None:
    endpoint.wrong = {NEW}
    _accepted(world)
    _rest(world)
    _serves(world, 1)
    (fact,) = world.told(ReleaseRolledBack)
    assert fact.reason == "model 7 answered in the place of model 2"
    assert "baking" not in _model(world)


def test_a_deployment_that_answers_no_more_is_rolled_back(world: World, endpoint: Endpoint) -> None:
    _baking(world)
    endpoint.out = {NEW}
    _rest(world)
    _serves(world, 1)


def test_golden_rows_that_cannot_be_fetched_now_are_no_fault_of_the_deployment(world: World) -> None:
    """The workspace is away for one look; the look comes again."""
    _baking(world)
    due = list(world.due)
    away = mock.patch.object(world.workspace, "model_documents", side_effect=Transient("answered 503"))
    with away, pytest.raises(Transient, match="503"):
        _look(world)
    world.due += [each for each in due if each not in world.due]
    _rest(world)
    assert world.state("model", "bank:2") == "released"
    assert _model(world)["baking"]["faults"] == 0


def test_a_slow_deployment_is_rolled_back(world: World) -> None:
    world.policy = replace(world.policy, release_latency_ratio=2.0)
    _baking(world)

    def slow(plan: Any, services: Any) -> dict[str, float]:
        return {"ms": 400.0 if plan.deployment == NEW else 40.0}

    with mock.patch.object(release, "probe", slow):
        _rest(world)
    _serves(world, 1)
    (fact,) = world.told(ReleaseRolledBack)
    assert "it is slow: p95 400 ms where the serving model takes 40 ms" in fact.reason
    assert _model(world)["baking"]["p95_ms"] == 400.0


def _scored_meanwhile(world: World, rows: int, name: str = "july.csv") -> None:
    """A batch is scored by the model that serves while the new one is watched."""
    lines = [line.rsplit(";", 1)[0] for line in bank_rows(rows, start=7).splitlines()]
    world.files.write("scoring", name, ("\n".join(lines) + "\n").encode())
    due = ScoringDue(tick=name)
    _until(
        world,
        lambda: any(batch.values["name"] == name and batch.state == "scored" for batch in _batches(world)),
        due,
    )


def _batches(world: World) -> list[Any]:
    return list(world.ledger.newest("batch"))


def test_scores_that_lie_elsewhere_on_the_same_clients_roll_it_back(world: World, endpoint: Endpoint) -> None:
    _baking(world)
    endpoint.moved[NEW] = 0.4
    _scored_meanwhile(world, 400)
    _rest(world)
    _serves(world, 1)
    (why,) = world.told(ReleaseRolledBack)
    assert "while it was watched: its scores of 400 rows of batch" in why.reason
    scores = _model(world)["baking"]["scores"]
    assert scores["psi"] > scores["limit"] == 0.25


def test_few_clients_say_little_of_scores(world: World, endpoint: Endpoint) -> None:
    """Of 12 rows an index of 1.4 may be chance."""
    _baking(world)
    endpoint.moved[NEW] = 0.25
    _scored_meanwhile(world, 12)
    _rest(world)
    _serves(world, 2)
    scores = _model(world)["baking"]["scores"]
    assert 0.25 < scores["psi"] < scores["limit"]


def test_a_batch_is_compared_once_and_one_from_before_the_watch_never(
    world: World, endpoint: Endpoint
) -> None:
    _baking(world)
    asked = endpoint.requests
    _look(world)
    probes = endpoint.requests - asked
    _scored_meanwhile(world, 50)
    _look(world)
    asked = endpoint.requests
    _look(world)
    assert endpoint.requests - asked == probes
    _rest(world)
    assert _model(world)["baking"]["scores"]["rows"] == 50


def test_a_model_that_fails_on_what_the_other_answered_is_rolled_back(
    world: World, endpoint: Endpoint
) -> None:
    _baking(world)
    endpoint.refusing.add(NEW)
    _scored_meanwhile(world, 50)
    _rest(world)
    _serves(world, 1)


def _asked(world: World, deployment: str, requests: int, errors: int) -> None:
    found = RequestMetrics(requests=requests, errors=errors, p50_ms=8.0, p95_ms=20.0)
    world.workspace.requests[ENDPOINT, deployment] = found


def test_what_the_endpoint_counted_of_both_deployments_is_on_record(world: World) -> None:
    _baking(world)
    _asked(world, NEW, 40, 0)
    _asked(world, OLD, 360, 1)
    _rest(world)
    _serves(world, 2)
    baking = _model(world)["baking"]
    assert baking["requests"] == {"requests": 40, "errors": 0, "p50_ms": 8.0, "p95_ms": 20.0}
    assert baking["serving_requests"]["requests"] == 360


def test_more_faults_than_the_serving_model_has_roll_it_back(world: World) -> None:
    _baking(world)
    _asked(world, NEW, 40, 6)
    _asked(world, OLD, 360, 1)
    _rest(world)
    _serves(world, 1)
    (why,) = world.told(ReleaseRolledBack)
    assert "6 of 40 requests ended in a fault of its own, where the serving model had 1 of 360" in why.reason


def test_a_fault_or_two_among_few_requests_roll_nothing_back(world: World) -> None:
    _baking(world)
    _asked(world, NEW, 3, 2)
    _rest(world)
    _serves(world, 2)


def test_metrics_that_cannot_be_read_hold_no_release_up(world: World) -> None:
    _baking(world)
    with mock.patch.object(world.workspace, "request_metrics", side_effect=Transient("it answered 429")):
        _rest(world)
    _serves(world, 2)
    assert not _model(world)["baking"].get("requests")


def test_a_person_who_wants_other_scores_is_not_overruled(world: World, endpoint: Endpoint) -> None:
    _accepted(world)
    world.policy = replace(world.policy, release_approval="required")
    _until(world, lambda: world.state("model", "bank:2") == "awaiting-approval")
    _until(world, lambda: world.state("model", "bank:2") == "canary", _decided("approved"))
    endpoint.moved[NEW] = 0.4
    _scored_meanwhile(world, 400)
    _rest(world)
    _serves(world, 2)
    scores = _model(world)["baking"]["scores"]
    assert scores["psi"] > scores["limit"], "it is on record"


def test_a_release_that_was_rolled_back_lets_the_next_run_begin(world: World, endpoint: Endpoint) -> None:
    _baking(world)
    endpoint.wrong = {NEW}
    _rest(world)
    world.tell(world.drop("july.csv", bank_rows(30, start=2000)))
    assert [request.name for request in world.pipeline.submissions][-1] == "bank-v3-a1"


# --- by hand, while it is watched ------------------------------------------------------------------------------


def test_a_roll_back_while_it_is_watched_takes_its_share_away(world: World) -> None:
    _baking(world)
    _until(world, lambda: world.workspace.traffic == {ENDPOINT: {OLD: 100}}, _roll_back(world))
    assert world.state("model", "bank:2") == "rolled-back"
    assert world.state("model", "bank:1") == "released"
    _rest(world)
    _serves(world, 1)
    (fact,) = world.told(ReleaseRolledBack)
    assert fact.reason == "rolled back by key:operator: complaints"
    (decision,) = _model(world)["decisions"]
    assert (decision["decision"], decision["by"], decision["reason"]) == (
        "rolled-back",
        "key:operator",
        "complaints",
    )
    assert world.told(ModelReleased)[-1].version == 1


def test_a_roll_back_asked_for_twice_takes_back_one_release(world: World) -> None:
    _baking(world)
    asked = _roll_back(world)
    world.tell(asked, asked)
    _serves(world, 1)
    assert world.told(ReleaseNotPossible) == []


def test_after_the_watch_a_roll_back_is_to_the_model_before_and_at_once(world: World) -> None:
    world.finish_run("bank-v2-a1")
    began = world.time
    world.tell(_roll_back(world))
    _serves(world, 1)
    assert (world.time - began).total_seconds() <= 2
    assert _model(world, 2)["decisions"][-1]["decision"] == "rolled-back"


def test_the_model_that_is_watched_can_be_promoted_and_is_watched_anew(world: World) -> None:
    _baking(world)
    world.tell(_promote(world, 2))
    _serves(world, 2)
    record = world.ledger.find("model", "bank:2")
    assert record is not None
    assert (record.state, record.values["decisions"][0]["decision"]) == ("released", "promoted")


def test_a_second_release_while_one_is_watched_takes_its_place(world: World) -> None:
    """The one that is begun last goes on; two never share the traffic with the old one."""
    world.finish_run("bank-v2-a1")
    world.tell(world.drop("july.csv", bank_rows(30, start=2000)))
    _baking(world, 3)
    assert world.workspace.traffic == {ENDPOINT: {"model-3": 10, "model-2": 90}}
    _until(
        world,
        lambda: world.workspace.traffic == {ENDPOINT: {"model-1": 10, "model-2": 90}},
        _promote(world, 1),
    )
    (fact,) = world.told(ReleaseRolledBack)
    assert (fact.version, fact.reason) == (3, "model 1 is released in its place")
    assert world.state("model", "bank:3") == "rolled-back"
    assert "model-3" not in world.workspace.deployments(ENDPOINT)
    _rest(world)
    _serves(world, 1)


def test_while_work_is_paused_a_watch_goes_on_and_nothing_else(world: World, endpoint: Endpoint) -> None:
    _baking(world)
    world.due.append((world.time, WorkPaused(operation="w1", by="key:operator", reason="")))
    began = world.time
    _until(world, lambda: (world.time - began).total_seconds() > 1200)
    assert world.workspace.traffic == {ENDPOINT: SHARED}
    world.due.append((world.time, WorkResumed(operation="w2", by="key:operator", reason="")))
    _rest(world)
    _serves(world, 2)


# --- the traffic, by whomever it was moved ------------------------------------------------------------------------


def test_a_share_that_is_being_watched_is_no_stray_traffic(world: World) -> None:
    _baking(world)
    restore_traffic(TrafficStrayed(dataset="bank"), world.services)
    assert world.workspace.traffic == {ENDPOINT: SHARED}


def test_a_release_that_was_given_up_while_it_was_watched_loses_its_share(world: World) -> None:
    _baking(world)
    (due,) = world.ledger.outbox.open(ReleaseDue)
    world.ledger.outbox.dead_letter(due, retries=0)
    world.due.clear()
    world.tell(StepDeadLettered(queue="steps", about=due.key, reason="given up"), ReconcileDue(tick="1"))
    assert world.workspace.traffic == {ENDPOINT: {OLD: 100}}


def test_traffic_that_was_moved_by_hand_is_shared_anew_and_the_time_begins_again(world: World) -> None:
    _baking(world)
    began = world.time
    _until(world, lambda: (world.time - began).total_seconds() > 300)
    world.workspace.set_traffic(ENDPOINT, {OLD: 100})
    moved = world.time
    _rest(world)
    _serves(world, 2)
    assert (world.time - moved).total_seconds() >= 600


def test_who_keeps_moving_the_traffic_ends_the_release_and_does_not_hang_it(world: World) -> None:
    _baking(world)
    world.workspace.set_traffic(ENDPOINT, {OLD: 100})
    with mock.patch.object(world.workspace, "set_traffic"):  # as if it were moved back at once
        _rest(world)
    _serves(world, 1)
    (fact,) = world.told(ReleaseRolledBack)
    assert "somebody else moved the endpoint's traffic" in fact.reason


# --- the comparison on the last batch ------------------------------------------------------------------------------


def test_a_new_model_is_compared_on_the_last_batch_before_it_gets_any_traffic(world: World) -> None:
    _baking(world)
    shadow = _model(world)["shadow"]
    (batch,) = world.ledger.newest("batch")
    assert (shadow["batch"], shadow["champion"], shadow["rows"]) == (batch.id, 1, 60)
    assert (shadow["decisions_differing"], shadow["psi"]) == (0.0, 0.0)


def test_a_sample_is_enough(world: World) -> None:
    world.policy = replace(world.policy, release_shadow_rows=20)
    _baking(world)
    assert _model(world)["shadow"]["rows"] == 20


@pytest.mark.parametrize(
    ("rows", "why"), [(0, "the settings ask for none"), (2000, "has scored no batch yet")]
)
def test_where_there_is_nothing_to_compare_that_is_said(world: World, rows: int, why: str) -> None:
    world.policy = replace(world.policy, release_shadow_rows=rows)
    if rows:
        world.finish_run("bank-v2-a1")
        world.tell(world.drop("july.csv", bank_rows(30, start=2000)))
        world.finish_run("bank-v3-a1")
    else:
        world.finish_run("bank-v2-a1")
    newest = _model(world, 3 if rows else 2)
    assert why in newest["shadow_skipped"]
    _serves(world, 3 if rows else 2)


def test_a_batch_whose_output_is_gone_holds_no_release_up(world: World) -> None:
    for blob in list(world.files.list("scored")):
        del world.files._blobs["scored", blob.name]
    world.finish_run("bank-v2-a1")
    assert "no row can be compared" in _model(world)["shadow_skipped"]
    _serves(world, 2)


def test_answers_that_change_more_than_is_allowed_wait_for_a_person(world: World, endpoint: Endpoint) -> None:
    endpoint.moved = {NEW: 0.4}
    _accepted(world)
    _until(world, lambda: world.state("model", "bank:2") == "awaiting-approval")
    assert world.workspace.traffic == {ENDPOINT: {OLD: 100}}
    (held,) = world.told(ReleaseHeld)
    assert "of 60 decisions differ from those of model 1, more than 30%" in held.reason
    shadow = _model(world)["shadow"]
    assert shadow["newly_called"] == shadow["decisions_differing"] > 0.3
    assert shadow["mean_difference"] == pytest.approx(shadow["mean_absolute_difference"])
    _until(world, lambda: world.state("model", "bank:2") == "canary", _decided("approved"))
    _rest(world)
    _serves(world, 2)


def test_or_roll_it_back_or_are_only_recorded(world: World, endpoint: Endpoint) -> None:
    endpoint.moved = {NEW: 0.4}
    world.policy = replace(world.policy, release_shadow_beyond="roll-back")
    world.finish_run("bank-v2-a1")
    _serves(world, 1)
    assert _model(world)["shadow"]["decisions_differing"] > 0.3
    world.policy = replace(world.policy, release_shadow_beyond="record")
    world.tell(world.drop("july.csv", bank_rows(30, start=2000)))
    endpoint.moved = {"model-3": 0.4}
    world.finish_run("bank-v3-a1")
    _serves(world, 3)


def test_a_model_that_fails_on_the_last_batch_never_gets_traffic(world: World, endpoint: Endpoint) -> None:
    endpoint.refusing = {NEW}
    world.finish_run("bank-v2-a1")
    _serves(world, 1)
    (fact,) = world.told(ReleaseRolledBack)
    assert "fails on rows that the serving model answered" in fact.reason


# --- four eyes -----------------------------------------------------------------------------------------------------


@pytest.fixture
def held(world: World) -> World:
    """Model 2 is accepted and tested, and waits for a person."""
    world.policy = replace(world.policy, release_approval="required", release_approval_hours=24)
    _accepted(world)
    _until(world, lambda: world.state("model", "bank:2") == "awaiting-approval")
    return world


def test_a_release_waits_for_a_person_without_traffic(held: World) -> None:
    assert held.workspace.traffic == {ENDPOINT: {OLD: 100}}
    assert held.workspace.deployments(ENDPOINT) == [OLD, NEW]
    assert _model(held)["held_because"] == "every release is approved by a person"


def test_an_approved_release_goes_on_and_says_who_and_why(held: World) -> None:
    approved = held.time
    _until(held, lambda: held.state("model", "bank:2") == "canary", _decided("approved"))
    assert held.time == approved
    _rest(held)
    _serves(held, 2)
    (decision,) = _model(held)["decisions"]
    assert (decision["decision"], decision["by"], decision["reason"]) == (
        "approved",
        "key:admin",
        "looked at it",
    )
    assert len(held.told(ModelReleased)) == 2


def test_a_rejected_release_is_taken_down(held: World) -> None:
    held.tell(_decided("rejected"))
    _serves(held, 1)
    (fact,) = held.told(ReleaseRolledBack)
    assert fact.reason == "rejected by key:admin: looked at it"
    assert held.workspace.deployments(ENDPOINT) == [OLD]
    assert _model(held)["decisions"][0]["decision"] == "rejected"


@pytest.mark.parametrize(("then", "serves"), [("refuse", 1), ("release", 2)])
def test_a_release_that_nobody_decides_on_is_decided_at_its_time(held: World, then: Any, serves: int) -> None:
    held.policy = replace(held.policy, release_undecided=then)
    began = held.time
    _rest(held)
    _serves(held, serves)
    assert (held.time - began).total_seconds() >= 24 * 3600
    assert _model(held)["decisions"][0]["decision"] == "undecided"


def test_the_next_run_does_not_wait_for_a_person(held: World) -> None:
    """And its release takes the place of the one that waits."""
    with mock.patch.object(held, "tell", lambda *facts, **_: held.due.extend((held.time, f) for f in facts)):
        held.tell(held.drop("july.csv", bank_rows(30, start=2000)))
    _until(held, lambda: held.pipeline.submissions[-1].name == "bank-v3-a1")
    _accepted(held, 3)
    _until(held, lambda: held.state("model", "bank:3") == "awaiting-approval")
    assert held.state("model", "bank:2") == "rolled-back"
    assert sorted(held.workspace.deployments(ENDPOINT)) == [OLD, "model-3"]
    held.tell(_decided("approved", version=3))
    _serves(held, 3)


def test_a_decision_comes_once_and_on_what_waits(held: World) -> None:
    held.tell(_decided("approved"), _decided("rejected", operation="d2"))
    (no,) = held.told(ReleaseNotPossible)
    assert "no release of model 2 of bank waits for a person" in no.reason
    _serves(held, 2)


@pytest.mark.parametrize("by", ["key:operator", "session:operator:0011223344556677"])
def test_who_asked_for_a_release_may_not_approve_it(world: World, by: str) -> None:
    world.policy = replace(world.policy, release_approval="required")
    world.finish_run("bank-v2-a1", worse=True)
    assert world.state("model", "bank:2") == "refused"
    _until(world, lambda: world.state("model", "bank:2") == "awaiting-approval", _promote(world, 2))
    _until(world, lambda: bool(world.told(ReleaseNotPossible)), _decided("approved", by=by))
    assert "another person has to approve it" in world.told(ReleaseNotPossible)[0].reason
    assert world.workspace.traffic == {ENDPOINT: {OLD: 100}}
    _until(world, lambda: world.state("model", "bank:2") == "canary", _decided("approved", operation="d2"))
    _rest(world)
    _serves(world, 2)
    assert [each["decision"] for each in _model(world)["decisions"]] == ["promoted", "approved"]


def test_a_roll_back_waits_for_nobody(world: World) -> None:
    world.finish_run("bank-v2-a1")
    world.policy = replace(world.policy, release_approval="required")
    world.tell(_roll_back(world))
    _serves(world, 1)


# --- whoever is quicker --------------------------------------------------------------------------------------------


def test_a_roll_back_in_the_middle_of_the_switch_wins_or_comes_after_it(world: World) -> None:
    """The worker has moved all traffic, and is about to write down that it did, when the rollback ends its release."""
    _baking(world)
    asked = _roll_back(world)
    set_traffic = world.workspace.set_traffic

    def then_rolled_back(name: str, shares: dict[str, int]) -> None:
        set_traffic(name, shares)
        if shares == {NEW: 100}:
            world.deliver(asked)

    with (
        mock.patch.object(world.workspace, "set_traffic", side_effect=then_rolled_back),
        pytest.raises(Transient),
    ):
        _rest(world)
    world.pass_time(world.policy.claim_seconds + 1)
    world.tell(ReconcileDue(tick="1"))
    _serves(world, 1)
    assert world.state("model", "bank:2") == "rolled-back"
    rollout = world.ledger.documents.read(ROLLOUT, "bank")
    assert rollout is not None
    assert rollout.value.stage == "ended"


# --- late, and after a death ----------------------------------------------------------------------------------


def test_a_request_that_is_tried_again_after_a_newer_release_takes_no_traffic(world: World) -> None:
    """It failed as often as it may, and somebody retries whatever failed, hours later."""
    world.finish_run("bank-v2-a1")
    asked = round(world.now().timestamp() * 1000)
    late = ReleaseDue(
        run="bank-v1-a1",
        dataset="bank",
        version=1,
        poll=0,
        after_seconds=0,
        requested_ms=asked,
        because=ROLL_BACK,
    )
    world.pass_time(3600)
    world.tell(world.drop("july.csv", bank_rows(30, start=2000)))
    world.finish_run("bank-v3-a1")
    world.tell(late)
    _serves(world, 3)
    assert world.told(ReleaseRolledBack)[-1].reason.startswith("model 3 came after it was requested")


@pytest.mark.parametrize("asks", ["roll back", "promote"])
def test_nor_does_it_end_a_canary_that_has_begun_since(world: World, asks: str) -> None:
    world.finish_run("bank-v2-a1")
    late = _roll_back(world) if asks == "roll back" else _promote(world, 1)
    world.pass_time(LATE_MS / 1000 + 1)
    world.tell(world.drop("july.csv", bank_rows(30, start=2000)))
    _baking(world, 3)
    world.deliver(late)
    _rest(world)
    _serves(world, 3)
    refused = [*world.told(ReleaseNotPossible), *world.told(ReleaseRolledBack)]
    assert [fact.reason for fact in refused] == [
        "model 3 came after it was requested; request it again where it is still wanted"
    ]


def test_nor_does_one_that_a_newer_request_overtook(world: World) -> None:
    world.finish_run("bank-v2-a1")
    first, second = _promote(world, 2), _roll_back(world)
    world.tell(second)
    _serves(world, 1)
    world.tell(first)
    _serves(world, 1)


def test_nor_a_model_that_was_accepted_long_ago(world: World) -> None:
    world.finish_run("bank-v2-a1")
    world.tell(world.drop("july.csv", bank_rows(30, start=2000)))
    world.finish_run("bank-v3-a1")
    again = ModelAccepted(run="bank-v2-a1", dataset="bank", version=2, reason="better")
    assert list(release_model(again, world.services)) == []
    _serves(world, 3)


def test_a_model_whose_teller_died_after_the_switch_is_told_by_the_release_that_follows(world: World) -> None:
    """Else its run would hold the slot, and no version of the dataset would have another one."""
    _baking(world)
    busy = mock.patch.object(world.workspace, "deployments", side_effect=Transient("429"))
    with busy, pytest.raises(Transient):
        _rest(world)
    world.tell(_roll_back(world))
    for minute in range(3):
        world.pass_time(POLICY.claim_seconds + 1)
        world.tell(ReconcileDue(tick=str(minute)))
    _serves(world, 1)
    assert (world.state("model", "bank:2"), world.state("model", "bank:1")) == ("rolled-back", "released")
    assert [fact.version for fact in world.told(ModelReleased)] == [1, 2, 1]
    slot = world.ledger.documents.read(SLOT, "bank")
    assert slot is not None
    assert slot.value.state == "free"


@pytest.mark.parametrize("serving", [2, 3])
def test_a_release_that_fails_takes_down_no_deployment_that_somebody_needs(
    world: World, endpoint: Endpoint, serving: int
) -> None:
    """It stands by for a rollback (2), or a batch that is under way is scored by it (3)."""
    open_batch("a-batch", OLD, world.services)
    world.finish_run("bank-v2-a1")
    if serving == 3:
        world.tell(world.drop("july.csv", bank_rows(30, start=2000)))
        world.finish_run("bank-v3-a1")
    else:
        close_batch("a-batch", world.services)
    endpoint.wrong = {OLD}
    world.tell(_promote(world, 1))
    _serves(world, serving)
    assert world.told(ReleaseRolledBack)[-1].version == 1
    assert OLD in world.workspace.deployments(ENDPOINT)
    assert world.state("deployment", f"{ENDPOINT}/{OLD}") == "standby"
