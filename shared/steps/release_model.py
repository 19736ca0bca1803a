"""Put an accepted model behind the endpoint: beside the old one first, tested, then in its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shared.domain import names
from shared.domain.facts import Fact, ModelAccepted, ModelReleased, ReleaseDue, ReleaseRolledBack
from shared.domain.kinds.kind import Change
from shared.domain.models.smoke_test import faults
from shared.domain.names import dataset_id
from shared.errors import Refused
from shared.ports import DeploymentPlan, Row
from shared.procedures.open_batches import deployments_in_use
from shared.services import Services

ROLL_BACK = "roll back"
RELEASED = "released"
"""One document per dataset: the version that answers, its deployment, and the one before it."""


@dataclass(frozen=True)
class Release:
    """One model on its way to the endpoint."""

    fact: ModelAccepted | ReleaseDue
    plan: DeploymentPlan
    serving: Row | None

    @property
    def asked(self) -> int:
        """When an operator asked for it; 0 when the model earned it by itself."""
        return self.fact.asked if isinstance(self.fact, ReleaseDue) else 0

    @property
    def because(self) -> str:
        return self.fact.because if isinstance(self.fact, ReleaseDue) else ""


def release_model(fact: ModelAccepted | ReleaseDue, services: Services) -> Iterable[Fact]:
    """Deploys at no traffic, asks golden rows with known answers, then moves all traffic; or takes it all back.

    Making a deployment takes minutes, so this step does not wait: it looks, does what can be done now, and comes
    round again as `ReleaseDue`. Until the traffic moves, the old deployment serves untouched.
    """
    plan = DeploymentPlan(
        endpoint=names.endpoint_name(services.policy.endpoint_prefix, fact.dataset),
        deployment=names.deployment_name(fact.version),
        model=fact.dataset,
        version=fact.version,
    )
    release = Release(fact, plan, services.ledger.document(RELEASED, fact.dataset))
    if release.serving and release.serving.value["version"] == fact.version:
        return [_released(release, release.serving.value["previous"], services)]
    state = services.workspace.deployment_state(plan.endpoint, plan.deployment)
    if state is None:
        try:
            services.workspace.begin_deployment(plan)
        except Refused as no:
            return [_roll_back(release, str(no), services)]
        _note(release, services)
        return [_look_again(release, services)]
    if state == "Succeeded":
        return [_switch(release, services)]
    hopeless = _hopeless(state, fact, services)
    return [_roll_back(release, hopeless, services) if hopeless else _look_again(release, services)]


def _hopeless(state: str, fact: ModelAccepted | ReleaseDue, services: Services) -> str:
    """Why the deployment in the making will not come to anything; empty while it may."""
    looks = fact.look if isinstance(fact, ReleaseDue) else 0
    if state in ("Failed", "Canceled"):
        return f"the deployment ended as {state}; its log says why"
    if looks >= services.policy.release_most_looks:
        return f"the deployment was still {state} after {looks} looks"
    return ""


def _note(release: Release, services: Services) -> None:
    plan, round_ = release.plan, release.asked or None
    values = {"endpoint": plan.endpoint, "deployment": plan.deployment}
    id_ = dataset_id(plan.model, plan.version)
    about = {**values, "dataset": plan.model, "version": plan.version, "traffic": 0}
    services.ledger.record(
        [
            Change(kind="model", id=id_, state="releasing", values=values, round=round_),
            Change(kind="deployment", id=_id(plan), state="creating", values=about, round=round_),
        ]
    )


def _id(plan: DeploymentPlan) -> str:
    return f"{plan.endpoint}/{plan.deployment}"


def _look_again(release: Release, services: Services) -> ReleaseDue:
    fact = release.fact
    look = fact.look + 1 if isinstance(fact, ReleaseDue) else 1
    wait = min(services.policy.release_look_seconds, 2**look)
    return ReleaseDue(
        run=fact.run,
        dataset=fact.dataset,
        version=fact.version,
        look=look,
        after_seconds=wait,
        asked=release.asked,
        because=release.because,
    )


def _switch(release: Release, services: Services) -> Fact:
    problem = _smoke_test(release, services)
    if problem:
        return _roll_back(release, problem, services)
    plan, serving = release.plan, release.serving
    previous: str = serving.value["deployment"] if serving else ""
    services.workspace.set_traffic(plan.endpoint, {plan.deployment: 100})
    value = {"version": plan.version, "deployment": plan.deployment, "previous": previous}
    value |= {"endpoint": plan.endpoint, "since": services.now().isoformat()}
    services.ledger.put(RELEASED, plan.model, value, over=serving)
    return _released(release, previous, services)


def _smoke_test(release: Release, services: Services) -> str:
    """What is wrong with the new deployment's answers; empty when nothing is."""
    from shared.domain.models.answers import asked

    plan = release.plan
    golden = services.workspace.model_documents(plan.model, plan.version)["golden"]
    try:
        rows = asked(golden["columns"], golden["rows"])
        scores = services.endpoint.score(plan.endpoint, plan.deployment, rows)
    except Refused as no:
        return f"the smoke test was refused: {no}"
    return faults(golden, scores.answers.scores().tolist(), scores.model_version, plan.version)


def _released(release: Release, previous: str, services: Services) -> Fact:
    """Keeps the previous deployment for the way back, and removes those before it that no batch still needs."""
    plan, fact = release.plan, release.fact
    needed = {plan.deployment, previous, *deployments_in_use(services)}
    if previous:
        _retire(release, previous, services)
    for name in services.workspace.deployments(plan.endpoint):
        if name not in needed:
            _remove(plan.endpoint, name, services)
    return ModelReleased(
        run=fact.run,
        dataset=fact.dataset,
        version=fact.version,
        deployment=plan.deployment,
        previous=previous,
        endpoint=plan.endpoint,
        asked=release.asked,
    )


def _retire(release: Release, deployment: str, services: Services) -> None:
    """The model that answered until now: replaced by a better one, or taken back by an operator."""
    values: dict[str, Any] = {"traffic": 0}
    id_ = dataset_id(release.plan.model, int(deployment.removeprefix("model-")))
    taken_back = release.because == ROLL_BACK
    reason = {"reason": f"rolled back to model {release.plan.version} by an operator"} if taken_back else {}
    state = "rolled-back" if taken_back else "previous"
    standby = f"{release.plan.endpoint}/{deployment}"
    services.ledger.record([Change(kind="model", id=id_, state=state, values={**values, **reason})])
    _move(standby, "standby", values, services)


def _remove(endpoint: str, deployment: str, services: Services) -> None:
    services.workspace.delete_deployment(endpoint, deployment)
    _move(f"{endpoint}/{deployment}", "removed", {"traffic": 0}, services)


def _move(deployment: str, state: str, values: dict[str, Any], services: Services) -> None:
    """A deployment that somebody made by hand has no record, and gets none."""
    if services.ledger.find("deployment", deployment) is not None:
        services.ledger.record([Change(kind="deployment", id=deployment, state=state, values=values)])


def _roll_back(release: Release, reason: str, services: Services) -> Fact:
    plan, fact = release.plan, release.fact
    _remove(plan.endpoint, plan.deployment, services)
    return ReleaseRolledBack(
        run=fact.run, dataset=fact.dataset, version=fact.version, reason=reason[:1000], asked=release.asked
    )
