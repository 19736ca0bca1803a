"""A release under way: its plan, its smoke test, the traffic switch, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain import names
from shared.domain.facts import ModelAccepted, ReleaseDue
from shared.domain.models.smoke_test import faults
from shared.errors import Refused
from shared.ledger import Versioned
from shared.ports import DeploymentPlan
from shared.procedures.released_model import RELEASED, ReleasedModel
from shared.services import Services

ROLL_BACK = "roll back"


@dataclass(frozen=True, kw_only=True)
class Release:
    """One model on its way to the endpoint."""

    fact: ModelAccepted | ReleaseDue
    plan: DeploymentPlan
    serving: Versioned[ReleasedModel] | None
    """What answers until the traffic moves."""

    @property
    def requested_ms(self) -> int:
        """When an operator requested it; 0 for a release that the gate decided."""
        return self.fact.requested_ms if isinstance(self.fact, ReleaseDue) else 0

    @property
    def because(self) -> str:
        return self.fact.because if isinstance(self.fact, ReleaseDue) else ""

    @property
    def polls(self) -> int:
        """How often the deployment in the making was polled."""
        return self.fact.poll if isinstance(self.fact, ReleaseDue) else 0


def release_of(fact: ModelAccepted | ReleaseDue, services: Services) -> Release:
    plan = DeploymentPlan(
        endpoint=names.endpoint_name(services.policy.endpoint_prefix, fact.dataset),
        deployment=names.deployment_name(fact.version),
        model=fact.dataset,
        version=fact.version,
    )
    serving = services.ledger.documents.read(RELEASED, fact.dataset)
    return Release(fact=fact, plan=plan, serving=serving)


def hopeless(state: str, release: Release, services: Services) -> str:
    """Why the deployment in the making will not come to anything; empty while it may."""
    if state in ("Failed", "Canceled"):
        return f"the deployment ended as {state}; its log says why"
    if release.polls >= services.policy.release_most_polls:
        return f"the deployment was still {state} after {release.polls} polls"
    return ""


def smoke_test(plan: DeploymentPlan, services: Services) -> str:
    """Scores the golden rows, whose answers are known. What is wrong with the answers; empty when nothing is."""
    from shared.domain.models.answers import feature_table

    golden = services.workspace.model_documents(plan.model, plan.version)["golden"]
    try:
        rows = feature_table(golden["columns"], golden["rows"])
        scores = services.endpoint.score(plan.endpoint, plan.deployment, rows)
    except Refused as no:
        return f"the smoke test was refused: {no}"
    return faults(golden, scores.answers.scores().tolist(), scores.model_version, plan.version)


def switch_traffic(release: Release, services: Services) -> ReleasedModel:
    """Moves all traffic to the new deployment, then writes down that it answers.

    In this order: a crash in between leaves a document that names the old one, so the release, done again, moves the
    traffic once more; the other way round it would find itself done, and leave the traffic with the old one."""
    plan, serving = release.plan, release.serving
    services.workspace.set_traffic(plan.endpoint, {plan.deployment: 100})
    released = ReleasedModel(
        version=plan.version,
        endpoint=plan.endpoint,
        deployment=plan.deployment,
        previous=serving.value.deployment if serving else "",
        since=services.now().isoformat(),
    )
    services.ledger.documents.write(RELEASED, plan.model, released, over=serving)
    return released


def give_traffic_back(release: Release, services: Services) -> None:
    """A worker may have died after it moved the traffic and before that was written down: whatever answered before
    answers again, or nothing where nothing did."""
    back = {release.serving.value.deployment: 100} if release.serving else {}
    services.workspace.set_traffic(release.plan.endpoint, back)
