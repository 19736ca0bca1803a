"""Rollout of a model: deployed beside the serving one, tested, compared, watched under a share of the traffic, then all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import ceil

from shared.domain.facts import Fact, ModelAccepted, ModelReleased, ReleaseDue, ReleaseHeld
from shared.domain.kinds.kind import Change
from shared.domain.models.baking import alarm, p95_ms, request_alarm, score_alarm
from shared.domain.models.endpoint_health import summary
from shared.domain.names import dataset_id
from shared.errors import NotLetIn, Refused
from shared.procedures.deployments import collect_unneeded, retire
from shared.procedures.judgement import newest_judged_again, stale_verdict
from shared.procedures.release import (
    MOST_SHARES,
    Release,
    baked_seconds,
    compared,
    counted,
    hold,
    hopeless,
    may_change_scores,
    needs_no_baking,
    probed,
    release_of,
    share_traffic,
    smoke_test,
    switch_traffic,
    undecided_for,
    untestable,
)
from shared.procedures.release_decisions import decided
from shared.procedures.rollout import Stage, end, end_the_one_before, overtaken
from shared.procedures.shadow_batch import Shadowed, shadowed
from shared.procedures.work_pause import is_paused
from shared.services import Services

HELD_LOOK_SECONDS = 900
"""How often a held release is looked at: a message that is lost then is missed for so long, and not for all its time."""

MOST_COUNTED = 1_000_000
"""Polls are counted no further: a message that says otherwise was not written by us."""


def release_model(fact: ModelAccepted | ReleaseDue, services: Services) -> Iterable[Fact | Change]:
    """Deploys at no traffic, tests with golden rows, compares on the last batch, gives a share of the traffic and watches,
    then moves all; or gives all back.

    Each of these takes minutes, so this step does not wait: it looks, does what can be done now, and comes round again
    as `ReleaseDue`. At the end of its time a release is over, whether any request came or none.
    """
    if isinstance(fact, ModelAccepted) and (stale := stale_verdict(fact, services)):
        return stale
    if isinstance(fact, ReleaseDue) and (late := overtaken(fact, services)):
        return late
    release = release_of(fact, services)
    if release is None:
        return []
    if release.serving and release.serving.value.version == fact.version:
        return _released(release, release.serving.value.previous, services)
    if release.polls:
        return _one_step_on(release, services)
    before = end_the_one_before(fact.dataset, release.rollout.value, release.serving, services)
    return [*before, *_one_step_on(release, services)]


def _one_step_on(release: Release, services: Services) -> list[Fact | Change]:
    plan, stage = release.plan, release.rollout.value.stage
    if stage in NOT_TESTED_AGAIN:
        return STAGES[stage](release, services)
    state = services.workspace.deployment_state(plan.endpoint, plan.deployment)
    if state is None:
        return _begun(release, services)
    try:
        problem = smoke_test(plan, services) if state == "Succeeded" else hopeless(state, release, services)
    except NotLetIn:  # a role for a new endpoint takes its time; the same number of looks is enough
        if hopeless(state, release, services):
            raise
        return [_poll_again(release, services)]
    if problem:
        return _ended(release, services, problem)
    if state != "Succeeded":
        return [_poll_again(release, services)]
    return STAGES[stage](release, services)


# --- before any traffic -----------------------------------------------------------------------------------


def _begun(release: Release, services: Services) -> list[Fact | Change]:
    plan = release.plan
    if why := untestable(plan, services):
        return _ended(release, services, why)
    try:
        services.workspace.begin_deployment(plan)
    except Refused as no:
        return _ended(release, services, str(no))
    values = {"endpoint": plan.endpoint, "deployment": plan.deployment}
    about = {**values, "dataset": plan.model, "version": plan.version, "traffic_percent": 0}
    return [
        _poll_again(release, services),
        _model(release, "releasing", **values),
        _deployment(release, "creating", **about),
    ]


def _compared(release: Release, services: Services) -> list[Fact | Change]:
    """The deployment answers as its model should; what its answers would change is looked at next."""
    try:
        found = _shadowed(release, services)
    except Refused as no:
        reason = f"it fails on rows that the serving model answered: {no}"
        return _ended(release, services, reason)
    figures = _model(release, **found.values)
    if found.beyond and services.policy.release_shadow_beyond == "roll-back":
        return [*_ended(release, services, found.beyond), figures]
    why = _why_held(release, found.beyond, services)
    goes_on = _held(hold(release, why, services), services) if why else _given_traffic(release, services)
    return [*goes_on, figures]


def _shadowed(release: Release, services: Services) -> Shadowed:
    """A person who wants another model than the gate has seen to it that answers change: the figures hold nobody up."""
    if release.is_roll_back or release.serving is None:
        return Shadowed()
    found = shadowed(release.plan, release.serving.value.version, services)
    return Shadowed(values=found.values) if release.requested_ms else found


def _why_held(release: Release, beyond: str, services: Services) -> str:
    """Why a person has to look first; empty where none has to."""
    if release.is_roll_back:
        return ""
    if beyond and services.policy.release_shadow_beyond == "hold":
        return beyond
    return "every release is approved by a person" if services.policy.release_approval == "required" else ""


def _held(release: Release, services: Services) -> list[Fact | Change]:
    fact, rollout = release.fact, release.rollout.value
    left = ceil(undecided_for(release, services).total_seconds())
    if left > 0:
        held = ReleaseHeld(
            run=fact.run,
            dataset=fact.dataset,
            version=fact.version,
            reason=rollout.reason,
            until=rollout.until,
            requested_ms=release.requested_ms,
        )
        return [held, _poll_again(release, services, seconds=min(left, HELD_LOOK_SECONDS))]
    hours = services.policy.release_approval_hours
    reason = f"nobody approved or rejected it within {hours} h ({rollout.reason})"
    goes_on = services.policy.release_undecided == "release"
    note = decided(
        fact.dataset,
        fact.version,
        "undecided",
        by="setting:RELEASE_UNDECIDED",
        reason=reason,
        services=services,
    )
    return [*(_given_traffic(release, services) if goes_on else _ended(release, services, reason)), note]


# --- with a share of the traffic, and with all -------------------------------------------------------------


def _given_traffic(release: Release, services: Services) -> list[Fact | Change]:
    """A share of it, or all at once."""
    if needs_no_baking(release, services):
        return _switched(release, services)
    release = share_traffic(release, services)
    percent = release.rollout.value.percent
    return [
        _poll_again(release, services),
        _model(release, "canary"),
        _deployment(release, "canary", traffic_percent=percent),
        _serving(release, services, traffic_percent=100 - percent),
    ]


def _watched(release: Release, services: Services) -> list[Fact | Change]:
    """One look at a release in its baking time: alarms end it, and the end of that time does, however few requests came."""
    assert release.serving is not None  # noqa: S101  (nothing bakes beside nothing)
    policy, rollout = services.policy, release.rollout.value
    wanted = rollout.traffic(release.serving.value)
    if services.workspace.traffic_of(release.plan.endpoint) != wanted:
        if rollout.shares >= MOST_SHARES:
            reason = f"somebody else moved the endpoint's traffic {MOST_SHARES} times while it was watched"
            return _ended(release, services, reason)
        return _given_traffic(release, services)
    release = counted(probed(release, services), services)
    rollout = release.rollout.value
    problem = alarm(rollout.new, rollout.old, ratio=policy.release_latency_ratio)
    problem = problem or request_alarm(rollout.traffic_seen.get("new"), rollout.traffic_seen.get("old"))
    if not problem:
        release, problem = compared(release, services)
        scores = {} if may_change_scores(release, services) else release.rollout.value.scores
        problem = problem or score_alarm(scores, release.serving.value.version if release.serving else 0)
    seen = _seen(release, services)
    if problem:
        return [*_ended(release, services, f"while it was watched: {problem}"), *seen]
    left = policy.release_baking_seconds - baked_seconds(release, services)
    if left > 0 or (is_paused(services) and not release.requested_ms):
        return [_poll_again(release, services, seconds=_until_next_look(release, left, services)), *seen]
    return [*_switched(release, services), *seen]


def _until_next_look(release: Release, left: float, services: Services) -> int:
    usual = services.policy.release_poll_seconds
    return max(1, min(usual, ceil(left))) if left > 0 else usual


def _seen(release: Release, services: Services) -> list[Change]:
    rollout = release.rollout.value
    baking = {
        "percent": rollout.percent,
        "started_at": rollout.baking_since,
        "seconds": round(baked_seconds(release, services)),
        "probes": rollout.probes,
        "faults": rollout.faults,
        "p95_ms": p95_ms(rollout.new),
        "serving_p95_ms": p95_ms(rollout.old),
        "scores": rollout.scores or None,
        "requests": rollout.traffic_seen.get("new"),
        "serving_requests": rollout.traffic_seen.get("old"),
    }
    return [_model(release, baking=baking), _deployment(release, health=summary(rollout.new))]


def _switched(release: Release, services: Services) -> list[Fact | Change]:
    return _released(release, switch_traffic(release, services).previous, services)


# --- what is said of it -------------------------------------------------------------------------------------


def _poll_again(release: Release, services: Services, *, seconds: int | None = None) -> ReleaseDue:
    fact, rollout, poll = release.fact, release.rollout.value, min(release.polls + 1, MOST_COUNTED)
    usual = min(services.policy.release_poll_seconds, 2 ** max(0, min(poll, 16)))
    return ReleaseDue(
        run=fact.run,
        dataset=fact.dataset,
        version=fact.version,
        poll=poll,
        after_seconds=usual if seconds is None else seconds,
        requested_ms=rollout.requested_ms,
        because=rollout.because,
        by=rollout.by,
        approval=rollout.operation,
        watching=rollout.stage == "baking",
    )


def _released(release: Release, previous: str, services: Services) -> list[Fact | Change]:
    plan, fact = release.plan, release.fact
    released = ModelReleased(
        run=fact.run,
        dataset=fact.dataset,
        version=fact.version,
        deployment=plan.deployment,
        previous=previous,
        endpoint=plan.endpoint,
        requested_ms=release.requested_ms,
    )
    retired = retire(previous, plan, taken_back=release.is_roll_back) if previous else []
    again = newest_judged_again(fact.dataset, services)
    return [released, *again, *retired, *collect_unneeded(plan, previous, services)]


def _ended(release: Release, services: Services, reason: str = "") -> list[Fact | Change]:
    """reason: none is needed where an earlier delivery has ended it, and died"""
    return end(release.fact.dataset, release.rollout, release.serving, services, reason=reason)


def _model(release: Release, state: str | None = None, **values: object) -> Change:
    id_ = dataset_id(release.plan.model, release.plan.version)
    return Change(kind="model", id=id_, state=state, values=values, round=release.requested_ms or None)


def _deployment(release: Release, state: str | None = None, **values: object) -> Change:
    return Change(
        kind="deployment",
        id=release.deployment_id,
        state=state,
        values=values,
        round=release.requested_ms or None,
    )


def _serving(release: Release, services: Services, **values: object) -> Change:
    assert release.serving is not None  # noqa: S101  (see `needs_no_baking`)
    order, id_ = Change.order_at(services.now()), release.serving.value.deployment_id
    return Change(kind="deployment", id=id_, values=values, order=order)


STAGES: dict[Stage, Callable[[Release, Services], list[Fact | Change]]] = {
    "deploying": _compared,
    "held": _held,
    "approved": _given_traffic,
    "baking": _watched,
    "switching": _switched,
    "ended": _ended,
}
"""What is done next of a release whose deployment has passed its test."""
NOT_TESTED_AGAIN = ("baking", "ended")
"""Probes do so, or nothing has to."""
