"""A release under way: its plan, its smoke test, the canary share, the traffic switch, and what is recorded of each."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from shared.domain.facts import ROLL_BACK, ModelAccepted, ReleaseDue
from shared.domain.models.baking import scores_seen
from shared.domain.models.endpoint_health import WINDOW
from shared.domain.names import dataset_id
from shared.errors import Refused, Transient
from shared.ledger import Versioned
from shared.ports import DeploymentPlan
from shared.procedures.endpoint_probe import golden_rows, probe
from shared.procedures.released_model import RELEASED, ReleasedModel
from shared.procedures.rollout import Rollout, advance, plan_of, take_up
from shared.procedures.shadow_batch import last_sealed, shadowed
from shared.services import Services

PROBES_A_LOOK = 10
"""Of each deployment, each time that a release in its baking time is looked at."""
MOST_SHARES = 5
"""So often the new deployment is given its share anew; then somebody else wants the traffic elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """One model on its way to the endpoint."""

    fact: ModelAccepted | ReleaseDue
    plan: DeploymentPlan
    serving: Versioned[ReleasedModel] | None
    """What answers until the traffic moves."""
    rollout: Versioned[Rollout]

    @property
    def requested_ms(self) -> int:
        """When an operator requested it; 0 for a release that the gate decided."""
        return self.fact.requested_ms if isinstance(self.fact, ReleaseDue) else 0

    @property
    def because(self) -> str:
        return self.fact.because if isinstance(self.fact, ReleaseDue) else ""

    @property
    def is_roll_back(self) -> bool:
        """Whether the model answered before: then it is tested, and answers at once."""
        return self.because == ROLL_BACK

    @property
    def polls(self) -> int:
        """How often the release was looked at."""
        return self.fact.poll if isinstance(self.fact, ReleaseDue) else 0

    @property
    def deployment_id(self) -> str:
        return f"{self.plan.endpoint}/{self.plan.deployment}"

    def at(self, rollout: Versioned[Rollout]) -> Release:
        return replace(self, rollout=rollout)


def release_of(fact: ModelAccepted | ReleaseDue, services: Services) -> Release | None:
    """The release that the fact is of; None where it comes late (see `take_up`)."""
    serving = services.ledger.documents.read(RELEASED, fact.dataset)
    rollout = take_up(fact, serving, services)
    if rollout is None:
        return None
    plan = plan_of(fact.dataset, fact.version, services)
    return Release(fact=fact, plan=plan, serving=serving, rollout=rollout)


def hopeless(state: str, release: Release, services: Services) -> str:
    """Why the deployment in the making will not come to anything; empty while it may."""
    if state in ("Failed", "Canceled"):
        return f"the deployment ended as {state}; its log says why"
    if release.polls >= services.policy.release_most_polls:
        return f"the deployment was still {state} after {release.polls} polls"
    return ""


def untestable(plan: DeploymentPlan, services: Services) -> str:
    """Why nobody could say of a deployment whether it answers rightly; empty where its model has golden rows."""
    try:
        golden_rows(plan, services)
    except Refused as no:
        return str(no)
    return ""


def smoke_test(plan: DeploymentPlan, services: Services) -> str:
    """Scores the golden rows, whose answers are known. What is wrong with the answers; empty when nothing is."""
    try:
        golden = golden_rows(plan, services)
        scores = services.endpoint.score(plan.endpoint, plan.deployment, golden.rows)
    except Refused as no:
        return f"the smoke test was refused: {no}"
    return golden.faults(scores.answers.scores().tolist(), scores.model_version, plan.version)


def needs_no_baking(release: Release, services: Services) -> bool:
    """Whether it needs no time under a share of the traffic: there is nobody to share with, it answered before, or the
    setting says so."""
    return not (release.serving and services.policy.release_baking_seconds) or release.is_roll_back


def hold(release: Release, reason: str, services: Services) -> Release:
    """From now on it waits for a person."""
    until = services.now() + timedelta(hours=services.policy.release_approval_hours)
    held = replace(
        release.rollout.value,
        stage="held",
        reason=reason[:1000],
        until=until.isoformat(timespec="milliseconds"),
    )
    return release.at(advance(release.fact.dataset, release.rollout, held, services))


def share_traffic(release: Release, services: Services) -> Release:
    """Gives the new deployment its share. The time from which it is watched is written down first: it never counts time
    in which another traffic may have been there."""
    assert release.serving is not None  # noqa: S101  (see `needs_no_baking`)
    before = release.rollout.value
    baking = replace(
        before,
        stage="baking",
        baking_since=services.now().isoformat(timespec="milliseconds"),
        percent=services.policy.release_canary_percent,
        shares=before.shares + 1,
        probes=0,
        faults=0,
        new=[],
        old=[],
        scores={},
        traffic_seen={},
    )
    rollout = advance(release.fact.dataset, release.rollout, baking, services)
    traffic = baking.traffic(release.serving.value)
    services.workspace.set_traffic(release.plan.endpoint, traffic)
    return release.at(rollout)


def probed(release: Release, services: Services) -> Release:
    """With what probes of both deployments find now: they come however little traffic does."""
    assert release.serving is not None  # noqa: S101  (see `needs_no_baking`)
    before, serving = release.rollout.value, release.serving.value.plan(release.plan.model)
    pairs = [(probe(release.plan, services), probe(serving, services)) for _ in range(PROBES_A_LOOK)]
    after = replace(
        before,
        probes=before.probes + len(pairs),
        faults=before.faults + sum("fault" in new for new, _ in pairs),
        new=[*before.new, *(new for new, _ in pairs)][-WINDOW:],
        old=[*before.old, *(old for _, old in pairs)][-WINDOW:],
    )
    return release.at(advance(release.fact.dataset, release.rollout, after, services))


def compared(release: Release, services: Services) -> tuple[Release, str]:
    """With how the new model scores rows that the serving one has scored since the watch began, once for each batch; and
    why the new one fails on them, if it does.

    Batches go to the serving deployment by its name, past the traffic rules: its share of the traffic shows the new model
    none of them. Where no batch comes there is nothing to compare, and the release goes on without.
    """
    assert release.serving is not None  # noqa: S101  (see `needs_no_baking`)
    rollout, serving = release.rollout.value, release.serving.value.version
    batch = last_sealed(dataset_id(release.plan.model, serving), services)
    fresh = batch is not None and batch.updated >= rollout.baking_since
    if batch is None or not fresh or batch.id == rollout.scores.get("batch"):
        return release, ""
    try:
        found = shadowed(release.plan, serving, services).values.get("shadow")
    except Transient:
        return release, ""  # the probes say whether it answers
    except Refused as no:
        return release, f"it fails on rows that the serving model answered: {no}"
    if not found:
        return release, ""
    scores = scores_seen(found, least=services.policy.release_shadow_psi)
    after = replace(rollout, scores=scores)
    return release.at(advance(release.fact.dataset, release.rollout, after, services)), ""


def counted(release: Release, services: Services) -> Release:
    """With what the endpoint counted of both deployments since the watch began; as it was where that is not known now."""
    assert release.serving is not None  # noqa: S101  (see `needs_no_baking`)
    rollout, plan = release.rollout.value, release.plan
    since = datetime.fromisoformat(rollout.baking_since)
    try:
        found = services.workspace.request_metrics(plan.endpoint, since, services.now())
    except (Transient, Refused):
        return release  # no release waits for figures: the probes go on
    names = {"new": plan.deployment, "old": release.serving.value.deployment}
    seen = {which: asdict(found[name]) for which, name in names.items() if name in found}
    after = replace(rollout, traffic_seen=seen)
    return release.at(advance(release.fact.dataset, release.rollout, after, services))


def may_change_scores(release: Release, services: Services) -> bool:
    """Whether a person wants this model, or has seen what it changes, or the settings only want that on record."""
    decided = bool(release.requested_ms or release.rollout.value.operation)
    return decided or services.policy.release_shadow_beyond == "record"


def baked_seconds(release: Release, services: Services) -> float:
    since = datetime.fromisoformat(release.rollout.value.baking_since)
    return (services.now() - since).total_seconds()


def undecided_for(release: Release, services: Services) -> timedelta:
    """How long a held release still waits for a person."""
    return datetime.fromisoformat(release.rollout.value.until) - services.now()


def switch_traffic(release: Release, services: Services) -> ReleasedModel:
    """Moves all traffic to the new deployment, then writes down that it answers.

    In this order: a crash in between leaves a document that names the old one, so the release, done again, moves the
    traffic once more; the other way round it would find itself done, and leave the traffic with the old one."""
    plan, serving = release.plan, release.serving
    advance(plan.model, release.rollout, replace(release.rollout.value, stage="switching"), services)
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
