"""The flow table: event handlers of the saga, one rule each (when these facts, do this step, which leads to those).

And `handle`, the idempotent consumer that does a fact's step once, over the ledger.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from shared import kinds, telemetry
from shared.domain import facts as f
from shared.domain.facts import Fact
from shared.domain.kinds.kind import Change
from shared.domain.trace import Trace
from shared.errors import InProgress, Transient, in_words
from shared.ledger.claims import Claim, Outcome
from shared.ledger.lease import Lease
from shared.procedures import clock_health
from shared.procedures.live_config import in_force
from shared.procedures.mended_rates import found_by_sweep
from shared.procedures.work_pause import is_paused
from shared.services import Services
from shared.steps.admit_upload import admit_upload
from shared.steps.begin_delivery import begin_delivery
from shared.steps.begin_operation import begin_operation
from shared.steps.begin_replay import begin_replay
from shared.steps.change_config import change_config
from shared.steps.check_alerts import check_alerts
from shared.steps.choose_model import choose_model
from shared.steps.close_experiment import close_experiment
from shared.steps.close_run import close_run
from shared.steps.collect_batch_run import collect_batch_run
from shared.steps.collect_experiment import collect_experiment
from shared.steps.decide_release import decide_release
from shared.steps.deliver_alerts import deliver_alerts
from shared.steps.find_batches import find_batches
from shared.steps.follow_run import follow_run
from shared.steps.join_outcomes import join_outcomes
from shared.steps.judge_run import judge_run
from shared.steps.list_calls import list_calls
from shared.steps.measure_drift import measure_drift
from shared.steps.notify_subscribers import notify_subscribers
from shared.steps.pause_work import pause_work
from shared.steps.plan_batch import plan_batch
from shared.steps.probe_endpoint import probe_endpoint
from shared.steps.profile_batch import profile_batch
from shared.steps.readmit_rows import readmit_rows
from shared.steps.reconcile import reconcile
from shared.steps.register_dataset import register_dataset
from shared.steps.release_model import release_model
from shared.steps.replay_events import replay_events
from shared.steps.restore_traffic import restore_traffic
from shared.steps.resume_work import resume_work
from shared.steps.retry_step import retry_step
from shared.steps.score_shard import score_shard
from shared.steps.seal_batch import seal_batch
from shared.steps.start_batch_run import start_batch_run
from shared.steps.start_experiment import start_experiment
from shared.steps.start_run import start_run
from shared.steps.trust_rows import trust_rows
from shared.steps.try_channels import try_channels
from shared.steps.withdraw_upload import withdraw_upload
from shared.telemetry.spans import Active

Step = Callable[..., Iterable[Fact | Change]]
"""Returns what it led to, and beside it what it knows of things: a step writes no records itself."""


@dataclass(frozen=True)
class Rule:
    """When one of these facts comes in, `do` is done, and what it led to is one or more of `leads_to`."""

    when: tuple[type[Fact], ...]
    do: Step
    leads_to: tuple[type[Fact], ...]


FLOW = (
    # new data becomes a dataset version
    Rule(
        (f.UploadArrived,),
        admit_upload,
        (f.UploadAdmitted, f.UploadDuplicated, f.UploadRejected, f.DatasetDue),
    ),
    Rule(
        (f.DatasetDue, f.RetrainDue),
        register_dataset,
        (f.DatasetRegistered, f.DriftDue, f.NothingNew, f.RunDue, f.DatasetDue),
    ),
    # how far it is from what the serving model learned
    Rule((f.DriftDue,), measure_drift, (f.RetrainDue,)),
    # a dataset version becomes a model
    Rule((f.DatasetRegistered, f.RunDue), start_run, (f.RunStarted, f.RunPostponed, f.RunFailed, f.RunDue)),
    Rule(
        (f.RunMoved,), follow_run, (f.RunProgressed, f.RunFinished, f.BatchRunFinished, f.ExperimentFinished)
    ),
    Rule(
        (f.RunFinished, f.JudgementDue),
        judge_run,
        (f.ModelAccepted, f.ModelRefused, f.ModelUndecided, f.RunFailed),
    ),
    # a better model becomes the one that answers
    Rule(
        (f.ModelAccepted, f.ReleaseDue),
        release_model,
        (f.ModelReleased, f.ReleaseHeld, f.ReleaseRolledBack, f.ReleaseDue, f.JudgementDue),
    ),
    Rule(
        (f.ModelReleased, f.ModelRefused, f.ModelUndecided, f.ReleaseHeld, f.ReleaseRolledBack, f.RunFailed),
        close_run,
        (f.RunDue,),
    ),
    # a dataset version becomes a better recipe
    Rule(
        (f.ExperimentDue,),
        start_experiment,
        (f.ExperimentStarted, f.ExperimentPostponed, f.ExperimentFailed, f.ExperimentDue),
    ),
    Rule(
        (f.ExperimentFinished,),
        collect_experiment,
        (f.RecipeFound, f.NothingFound, f.RivalJudged, f.ExperimentFailed),
    ),
    Rule((f.RecipeFound, f.NothingFound, f.RivalJudged, f.ExperimentFailed), close_experiment, ()),
    # clients become scores
    Rule((f.ScoringDue,), find_batches, (f.BatchDue,)),
    Rule((f.BatchDue,), plan_batch, (f.ProfileDue, f.BatchDuplicated, f.BatchRefused)),
    Rule(
        (f.ProfileDue, f.BatchApproved),
        profile_batch,
        (f.ShardDue, f.BatchRunDue, f.BatchHeld, f.BatchRefused),
    ),
    Rule((f.ShardDue,), score_shard, (f.ShardsScored, f.BatchRefused)),
    Rule((f.ShardsScored,), seal_batch, (f.BatchScored, f.BatchRefused)),
    # scores become calls
    Rule((f.BatchScored,), list_calls, (f.RetrainDue,)),
    # calls bring outcomes
    Rule((f.OutcomesArrived,), join_outcomes, (f.OutcomesJoined, f.OutcomesRefused)),
    # many clients become scores on a cluster
    Rule((f.BatchRunDue,), start_batch_run, (f.BatchRunStarted, f.BatchRunDue, f.BatchRefused)),
    Rule((f.BatchRunFinished,), collect_batch_run, (f.BatchScored, f.BatchRunDue, f.BatchRefused)),
    # an operator's actions
    Rule(
        (f.OperationRequested,),
        begin_operation,
        (
            f.UploadArrived,
            f.OutcomesArrived,
            f.ScoringDue,
            f.BatchDue,
            f.BatchApproved,
            f.RetrainDue,
            f.ExperimentDue,
            f.PromotionRequested,
            f.RollbackRequested,
            f.ReleaseDecided,
            f.ReadmissionRequested,
            f.QuarantineDecided,
            f.WithdrawalRequested,
            f.TrustRequested,
            f.RetryRequested,
            f.WorkPaused,
            f.WorkResumed,
            f.ConfigChanged,
            f.AlertTestRequested,
            f.EventReplayRequested,
        ),
    ),
    Rule(
        (f.PromotionRequested, f.RollbackRequested),
        choose_model,
        (f.ReleaseDue, f.ReleaseRolledBack, f.ReleaseNotPossible),
    ),
    Rule((f.ReleaseDecided,), decide_release, (f.ReleaseDue, f.ReleaseRolledBack, f.ReleaseNotPossible)),
    Rule(
        (f.ReadmissionRequested,),
        readmit_rows,
        (f.UploadAdmitted, f.UploadDuplicated, f.ReadmissionRefused, f.DatasetDue),
    ),
    Rule((f.WithdrawalRequested,), withdraw_upload, (f.UploadWithdrawn, f.DecisionNotPossible, f.RetrainDue)),
    Rule((f.TrustRequested,), trust_rows, (f.RowsTrusted, f.DecisionNotPossible, f.RetrainDue)),
    Rule((f.WorkPaused,), pause_work, ()),
    Rule((f.WorkResumed,), resume_work, (f.RetrainDue, f.RunDue, f.ReleaseDue)),
    Rule((f.ConfigChanged,), change_config, (f.RunDue,)),
    Rule((f.RetryRequested,), retry_step, (f.UploadArrived, f.BatchDue, f.OutcomesArrived)),
    # what answers, and how well
    Rule((f.TrafficStrayed,), restore_traffic, ()),
    Rule((f.EndpointProbeDue,), probe_endpoint, ()),
    # people are told
    Rule((f.AlertCheckDue,), check_alerts, (f.AlertRaised, f.AlertOver)),
    Rule((f.AlertRaised, f.AlertOver), begin_delivery, (f.AlertDeliveryDue,)),
    Rule((f.AlertDeliveryDue,), deliver_alerts, (f.AlertDeliveryDue,)),
    Rule((f.AlertTestRequested,), try_channels, (f.AlertDeliveryDue,)),
    # webhook delivery
    Rule((f.NotificationDue,), notify_subscribers, (f.NotificationDue, f.StepDeadLettered)),
    Rule((f.EventReplayRequested,), begin_replay, (f.EventReplayDue,)),
    Rule((f.EventReplayDue,), replay_events, (f.EventReplayDue,)),
    # reconciliation
    Rule(
        (f.ReconcileDue,),
        reconcile,
        (
            f.UploadArrived,
            f.OutcomesArrived,
            f.RunMoved,
            f.DatasetDue,
            f.RunDue,
            f.TrafficStrayed,
            f.EndpointProbeDue,
            f.NotificationDue,
            f.StepDeadLettered,
        ),
    ),
)

STEPS: dict[type[Fact], Step] = {fact: rule.do for rule in FLOW for fact in rule.when}

RECORDS_ITSELF = {fact for rule in FLOW for fact in rule.leads_to if any(when.hint for when in rule.when)}
"""Facts that a hint may lead to. A hint leaves no trace, so nobody records them before they are handled."""


def handle(fact: Fact, services: Services, *, expected: bool = False) -> tuple[Fact, ...]:
    """Does the fact's step once, however often the fact is delivered, and publishes what it led to.

    Claim, step, settle, record, finish, publish: a crash after any of them loses nothing and repeats nothing that
    shows (steps derive the names of what they make from the fact). A fact no rule waits for is only recorded.

    expected: whether we published it ourselves, so that the outbox has it already
    returns: what the fact led to, now or at its first delivery
    raises: InProgress while another delivery is at it; whatever the step raises, after freeing the claim
    """
    try:
        if fact.waits and is_paused(services):
            if not fact.hint:  # it stays in the outbox; a hint comes again with its clock
                services.ledger.outbox.expect((fact.due_now(),))
            return ()
        services = in_force(services)
        return _handle_hint(fact, services) if fact.hint else _handle_fact(fact, services, expected=expected)
    finally:
        with suppress(Transient):  # long polls read the token themselves after a second
            services.ledger.token.flush()


def tick(fact: f.ReconcileDue | f.ScoringDue, services: Services) -> None:
    """Handles what a clock says; a clock whose step keeps failing becomes a dead letter, and is resolved when it works.

    First people are told of what is the matter, whatever becomes of the step, and past the queue: no backlog in it, and
    no service that the step waits for, is in the way.

    raises: whatever the step raises
    """
    told = _tell_people(fact, services)
    try:
        handle(fact, services)
    except Exception as problem:
        with suppress(Transient):  # where not even that can be counted, the health check says so
            _tell(clock_health.failed(fact, problem, services), services)
        raise
    with suppress(Transient):  # the next tick says it too
        _tell(clock_health.succeeded(fact, services), services)
        if told:
            clock_health.beat(fact, services)


def _tell_people(fact: f.ReconcileDue | f.ScoringDue, services: Services) -> bool:
    """Whether it could be looked what is the matter. What fails there keeps nothing else from being done; it keeps the
    heartbeat from being written, so that the page, and the health check, say it.

    The scoring clock looks only where the reconciliation's has stopped: a clock cannot miss itself.
    """
    clock = type(fact).__name__
    try:
        if clock != clock_health.SWEEP and not clock_health.is_stopped(services):
            return True
        for found in handle(f.AlertCheckDue(tick=fact.tick, clock=clock), services):
            with suppress(InProgress):  # whoever had it from the queue
                handle(found, services, expected=True)
        handle(f.AlertDeliveryDue(tick=fact.tick), services)
    except Exception as problem:  # noqa: BLE001  (nothing of it may stop the clock)
        said = f"{in_words(problem)}; the next tick tries again."
        telemetry.say(telemetry.Action.ALERTS, said, level=logging.WARNING, problem=type(problem).__name__)
        return False
    return True


def _tell(facts: Iterable[Fact], services: Services) -> None:
    for fact in facts:
        handle(fact, services)


def _handle_hint(fact: Fact, services: Services) -> tuple[Fact, ...]:
    """A hint is acted on any number of times: all it does is publish, and add to what is known.

    What it found before it failed is published all the same. It has a span only if it found more than hints, and its
    trace goes on in what it led to only if somebody asked for it: a clock is the beginning of nothing.
    """
    step = STEPS[type(fact)]
    asked = fact.trace
    parent = asked.span_id if asked else ""
    place = asked.child() if asked else Trace.begun()
    active = Active(step.__name__, place, parent, attributes=telemetry.about(fact))
    led_to: list[Fact] = []
    with telemetry.span(active, exported=lambda: not all(one.hint for one in led_to)):
        found, failure = _as_far_as_it_goes(step(fact, services))
        outcome = Outcome.of(found)
        led_to += _in_traces(outcome.facts, fact, active if asked else None, services)
        due = services.ledger.outbox.expect(one for one in led_to if not one.hint)
        _link(due.facts, active)
        # Published first: a record of what was never published would keep the next hint from finding it.
        services.bus.publish([*due.facts, *(one for one in led_to if one.hint)])
        services.ledger.records.apply(outcome.changes, cause=fact.key, trace=place, met=active.link)
        if isinstance(fact, f.ReconcileDue):
            services.ledger.outbox.count(found_by_sweep(due))
        telemetry.done(fact, "failed" if failure else "done")
        if failure:
            raise failure
    return tuple(led_to)


def _in_traces(facts: Iterable[Fact], cause: Fact, active: Active | None, services: Services) -> list[Fact]:
    """What a fact led to, each in its trace: the one it was found in before, or that of the thing it goes on with, or else
    that of the fact. active: the span of what found it; None where it goes on in no trace

    A fact that asks for itself again goes on in its own trace without a look.
    """
    here = active.place if active else None
    known: dict[tuple[str, str], Trace | None] = {}

    def placed(fact: Fact) -> Fact:
        if fact.trace is not None:
            return fact
        thing = None if type(fact) is type(cause) else fact.continues
        if thing is None:
            return fact.in_trace(here)
        if thing not in known:
            record = services.ledger.find(*thing)
            known[thing] = record.trace if record else None
        there = known[thing]
        return fact.in_trace(here if there is None or (here and here.is_with(there)) else there)

    return [placed(fact) for fact in facts]


def _link(facts: Iterable[Fact], active: Active) -> None:
    for fact in facts:
        if fact.trace is not None:
            active.link(fact.trace)


def _as_far_as_it_goes(returned: Iterable[Fact | Change]) -> tuple[list[Fact | Change], Exception | None]:
    found: list[Fact | Change] = []
    try:
        found.extend(returned)
    except Exception as failure:  # noqa: BLE001  (it is raised once the others are published)
        return found, failure
    return found, None


def _handle_fact(fact: Fact, services: Services, *, expected: bool) -> tuple[Fact, ...]:
    """The first delivery that claims the fact decides on its trace: the one it comes in, or a new one."""
    ledger, given = services.ledger, fact.trace or telemetry.carried()
    fact = fact.in_trace(given or Trace.begun())
    claim = ledger.claims.claim(fact)
    if claim.outcome is not None and not ledger.outbox.is_open(fact):
        return claim.outcome.facts  # finished by an earlier delivery
    above = claim.trace or fact.trace
    assert above is not None  # noqa: S101
    if given is None and above == fact.trace:
        telemetry.begin_trace(above, fact)
    fact = fact.in_trace(above)
    step = STEPS.get(type(fact))
    name = step.__name__ if step else type(fact).__name__
    attributes = telemetry.about(fact) | {"campanha.attempt": claim.attempt}
    active = Active(name, above.child(), above.span_id, attributes=attributes)
    with telemetry.span(active):
        try:
            return _handle_claimed(replace(claim, fact=fact), active, services, expected=expected)
        except Exception:
            telemetry.done(fact, "failed")
            raise


def _handle_claimed(claim: Claim, active: Active, services: Services, *, expected: bool) -> tuple[Fact, ...]:
    ledger, fact = services.ledger, claim.fact
    try:
        events, all_new = _begun(claim, active, services, expected=expected)
    except Exception as problem:
        # Nobody else may know of the fact yet, so the next delivery must not take this one for one that is at work.
        if claim.outcome is None:
            ledger.claims.free(claim, in_words(problem))
        raise
    again = claim.outcome is not None
    if not again:
        claim = _settled(claim, events, services)
    outcome = claim.outcome or Outcome()
    outcome = replace(outcome, facts=tuple(_in_traces(outcome.facts, fact, active, services)))
    _link(outcome.facts, active)
    made = ledger.records.apply(_changes(claim, outcome), cause=fact.key, trace=active.place, met=active.link)
    logged = {
        event["event"]["id"] for event in events
    }  # what the fact itself says, its outcome may say again
    events += [event for event in made if event["event"]["id"] not in logged]
    _finish(claim, outcome, events, services, again=again, all_new=all_new)
    return outcome.facts


def _begun(
    claim: Claim, active: Active, services: Services, *, expected: bool
) -> tuple[list[dict[str, Any]], bool]:
    """Notes the fact, where nobody has; the events that it is itself, and whether no attempt before can have logged any."""
    ledger, fact = services.ledger, claim.fact
    own = kinds.changes(fact) if type(fact) in RECORDS_ITSELF or not expected else []
    # Recorded first, then logged: a crash before `begin` finds the same moves by their cause, and makes the same events
    # again. Events logged first would announce what the API cannot show yet.
    events = ledger.records.apply(own, cause=fact.key, trace=fact.trace, met=active.link)
    # What is settled had begun; begun anew, it might be open once another worker has finished it.
    if claim.outcome is not None:
        return events, False
    # At its first delivery ever, no attempt before it can have put events into the log: none need be looked up there.
    if not expected:
        return ([], claim.first) if ledger.outbox.begin(fact, events, claim=claim) else (events, False)
    return events, claim.first


def _settled(claim: Claim, events: Sequence[dict[str, Any]], services: Services) -> Claim:
    """events: what the fact itself says, which is known and so told, whatever becomes of its step"""
    step = STEPS.get(type(claim.fact))
    if step is None:
        return services.ledger.claims.settle(claim, Outcome())
    with telemetry.step(step.__name__, claim.fact.key) as note:
        lease = Lease(claim.row)
        try:
            with services.ledger.claims.held(lease):
                outcome = Outcome.of(step(claim.fact, services))
        except Exception as problem:
            held = replace(claim, row=lease.row)
            with suppress(Transient):  # the next attempt tells it
                services.ledger.outbox.append(events, held)
            services.ledger.claims.free(held, in_words(problem))
            raise
        note(outcome.facts)
    return services.ledger.claims.settle(replace(claim, row=lease.row), outcome)


def _changes(claim: Claim, outcome: Outcome) -> list[Change]:
    """What the fact's outcome says of things: recorded before it is published, so that no one acts on the unseen."""
    resolved = [Change(kind="failure", id=claim.failure, state="resolved")] if claim.failure else []
    led_to = [fact for fact in outcome.facts if type(fact) not in RECORDS_ITSELF]
    return [*outcome.changes, *(change for fact in led_to for change in kinds.changes(fact)), *resolved]


def _finish(
    claim: Claim,
    outcome: Outcome,
    events: Sequence[dict[str, Any]],
    services: Services,
    *,
    again: bool,
    all_new: bool,
) -> None:
    """again: whether an earlier attempt had settled it: what it led to may be done by now, and is not due once more

    all_new: whether no attempt before can have logged any of the events
    """
    due = [fact for fact in outcome.facts if type(fact) in STEPS or type(fact) in RECORDS_ITSELF]
    if again:
        due = [fact for fact in due if fact.hint or not services.ledger.outbox.is_done(fact)]
    noted = (fact for fact in due if not fact.hint)
    if services.ledger.outbox.finish(claim, noted, events, all_new=all_new):
        services.bus.publish(
            due
        )  # after the transaction: a crash here leaves rows that the reconciler publishes
        unannounced = [claim.fact] if type(claim.fact) in RECORDS_ITSELF else []
        services.bus.announce(fact for fact in (*unannounced, *outcome.facts) if not fact.hint)
        telemetry.done(claim.fact, "done")
        telemetry.happened(
            *unannounced, *(fact for fact in outcome.facts if type(fact) not in RECORDS_ITSELF)
        )
