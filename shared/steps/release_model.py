"""Blue/green release: an accepted model is deployed beside the serving one, smoke-tested, then given all traffic."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import Fact, ModelAccepted, ModelReleased, ReleaseDue, ReleaseRolledBack
from shared.domain.kinds.kind import Change
from shared.domain.names import dataset_id
from shared.errors import Refused
from shared.procedures.deployments import collect_unneeded, remove, retire
from shared.procedures.release import (
    Release,
    give_traffic_back,
    hopeless,
    release_of,
    smoke_test,
    switch_traffic,
)
from shared.services import Services


def release_model(fact: ModelAccepted | ReleaseDue, services: Services) -> Iterable[Fact | Change]:
    """Deploys at no traffic, smoke-tests with golden rows, then moves all traffic; or rolls back.

    Making a deployment takes minutes, so this step does not wait: it polls, does what can be done now, and comes
    round again as `ReleaseDue`. Until the traffic moves, the old deployment serves untouched.
    """
    release = release_of(fact, services)
    plan, serving = release.plan, release.serving
    if serving and serving.value.version == fact.version:
        return _released(release, serving.value.previous, services)
    state = services.workspace.deployment_state(plan.endpoint, plan.deployment)
    if state is None:
        return _begun(release, services)
    if state == "Succeeded":
        problem = smoke_test(plan, services)
        if problem:
            give_traffic_back(release, services)  # first: it must not stay with what failed
            return _taken_down(release, problem, services)
        return _released(release, switch_traffic(release, services).previous, services)
    problem = hopeless(state, release, services)
    return _taken_down(release, problem, services) if problem else [_poll_again(release, services)]


def _begun(release: Release, services: Services) -> list[Fact | Change]:
    plan, round_ = release.plan, release.requested_ms or None
    try:
        services.workspace.begin_deployment(plan)
    except Refused as no:  # so there is no deployment, and no traffic to give back
        return [_rolled_back(release, str(no))]
    values = {"endpoint": plan.endpoint, "deployment": plan.deployment}
    about = {**values, "dataset": plan.model, "version": plan.version, "traffic_percent": 0}
    model, deployment = dataset_id(plan.model, plan.version), f"{plan.endpoint}/{plan.deployment}"
    return [
        _poll_again(release, services),
        Change(kind="model", id=model, state="releasing", values=values, round=round_),
        Change(kind="deployment", id=deployment, state="creating", values=about, round=round_),
    ]


def _poll_again(release: Release, services: Services) -> ReleaseDue:
    fact, poll = release.fact, release.polls + 1
    return ReleaseDue(
        run=fact.run,
        dataset=fact.dataset,
        version=fact.version,
        poll=poll,
        after_seconds=min(services.policy.release_poll_seconds, 2 ** min(poll, 16)),
        requested_ms=release.requested_ms,
        because=release.because,
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
    retired = retire(release, previous) if previous else []
    return [released, *retired, *collect_unneeded(release, previous, services)]


def _taken_down(release: Release, reason: str, services: Services) -> list[Fact | Change]:
    removed = remove(release.plan.endpoint, release.plan.deployment, services)
    return [_rolled_back(release, reason), *removed]


def _rolled_back(release: Release, reason: str) -> ReleaseRolledBack:
    fact = release.fact
    return ReleaseRolledBack(
        run=fact.run,
        dataset=fact.dataset,
        version=fact.version,
        reason=reason[:1000],
        requested_ms=release.requested_ms,
    )
