"""The rollout of a dataset's newest release: one document, whose version fences it against whoever ends it.

    deploying ──tested, shadowed──▶ baking ──time over──▶ switching ──▶ what answers is written down (`RELEASED`)
        │                             ▲
        └──▶ held ──approved──────────┘         from anywhere before that `ended`, by an alarm, a person, another release

Each delivery of a release reads it, does what can be done now, and writes it before it touches the traffic. Whoever
ends a rollout from outside writes it too, so one of the two meets a conflict, comes again, and finds what is so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from shared.domain import names
from shared.domain.facts import (
    ROLL_BACK,
    Fact,
    ModelAccepted,
    ModelReleased,
    ReleaseDue,
    ReleaseRolledBack,
)
from shared.domain.kinds.kind import Change
from shared.domain.models.baking import split
from shared.domain.models.endpoint_health import Probe
from shared.domain.names import dataset_id
from shared.ledger import Document, Versioned
from shared.ports import DeploymentPlan
from shared.procedures.deployment_removal import remove
from shared.procedures.deployments import retire
from shared.procedures.open_batches import deployments_in_use
from shared.procedures.released_model import RELEASED, ReleasedModel
from shared.services import Services

Stage = Literal["deploying", "held", "approved", "baking", "switching", "ended"]


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """How far the newest release of a dataset is, as far as its endpoint does not say so itself."""

    run: str
    version: int
    requested_ms: int = 0
    by: str = ""
    """Who requested it; empty: the gate decided it."""
    because: str = ""
    """As the `ReleaseDue`'s."""
    stage: Stage = "deploying"
    operation: str = ""
    """Of the person who let it go on, or ended it: polls from before it are late."""
    reason: str = ""
    """Why it is held, or has ended."""
    until: str = ""
    """When a held one is decided without a person."""
    baking_since: str = ""
    percent: int = 0
    """The share of the traffic that it is watched with: as it was chosen when it got it."""
    shares: int = 0
    """How often it was given its share of the traffic: once, unless somebody else moves the traffic."""
    probes: int = 0
    faults: int = 0
    """Probes of the new deployment since then, and those of them that found a fault."""
    new: list[Probe] = field(default_factory=list)
    old: list[Probe] = field(default_factory=list)
    """What the newest probes of the new and the serving deployment found."""
    scores: dict[str, Any] = field(default_factory=dict)
    """What the newest comparison found of a batch that the serving model scored meanwhile (`baking.scores_seen`)."""
    traffic_seen: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the endpoint counted since then of the requests to the new (`new`) and the serving deployment (`old`)."""
    instead_of: dict[str, str | int] = field(default_factory=dict)
    """The release that was under way when this one began, and was ended by that: run, version, requested_ms."""
    after: dict[str, Any] = field(default_factory=dict)
    """Of the release whose model answered when this one began: its `ModelReleased`, and whether it was a rollback. Whoever
    had written down that it answers may have died before that was told."""

    def is_of(self, fact: ModelAccepted | ReleaseDue) -> bool:
        requested = fact.requested_ms if isinstance(fact, ReleaseDue) else 0
        return (self.version, self.requested_ms) == (fact.version, requested)

    def is_under_way(self, serving: ReleasedModel | None) -> bool:
        return self.stage != "ended" and not (serving and serving.version == self.version)

    def has_traffic(self, serving: ReleasedModel | None) -> bool:
        """Whether some of it, or all, may be with the new deployment already."""
        return self.stage in ("baking", "switching") and self.is_under_way(serving)

    def has_traffic_since(self, requested_ms: int, serving: ReleasedModel | None) -> bool:
        """Whether it got that long after something else was requested: not where the two crossed."""
        baking = self.baking_since
        began = round(datetime.fromisoformat(baking).timestamp() * 1000) if baking else self.requested_ms
        return self.has_traffic(serving) and began > requested_ms + LATE_MS

    def traffic(self, serving: ReleasedModel) -> dict[str, int]:
        """While it is watched."""
        return split(names.deployment_name(self.version), serving.deployment, self.percent)


LATE_MS = 10 * 60 * 1000
"""So long after it was requested a release, or a rollback, counts as late where another model answers, or is watched,
since: not where the two crossed."""
ROLLOUT = Document(name="rollout", type=Rollout, placement="standing")
"""One per dataset that ever had a release."""


def take_up(
    fact: ModelAccepted | ReleaseDue, serving: Versioned[ReleasedModel] | None, services: Services
) -> Versioned[Rollout] | None:
    """The rollout of this release, begun where it is new; None for a fact that comes late: another release, or a person,
    has taken its place, or its model answers already.

    The release that begins last is the one that goes on: what was under way is ended, and `instead_of` says so.
    """
    documents = services.ledger.documents
    there = documents.read(ROLLOUT, fact.dataset)
    due = fact if isinstance(fact, ReleaseDue) else None
    if there and there.value.is_of(fact):
        return there if there.value.operation == (due.approval if due else "") else None
    if (there and due and due.poll) or (serving and serving.value.version == fact.version):
        return None
    if there and isinstance(fact, ModelAccepted) and _has_moved_on(fact, services):
        return None
    begun = Rollout(
        run=fact.run,
        version=fact.version,
        requested_ms=due.requested_ms if due else 0,
        by=due.by if due else "",
        because=due.because if due else "",
    )
    if there and there.value.is_under_way(serving.value if serving else None):
        _keep_from_switching(fact.dataset, there.value, serving, services)
        begun = replace(begun, instead_of=_named(there.value))
    elif there and serving and there.value.stage != "ended":
        begun = replace(begun, after=_told_of(fact.dataset, there.value, serving.value))
    return documents.write(ROLLOUT, fact.dataset, begun, over=there)


def overtaken(fact: ReleaseDue, services: Services) -> list[Fact]:
    """An operator's release that is looked at for the first time long after it was requested, as one that failed and is
    tried again: what was released, or requested, since then stays. It is told, so that nobody waits for it."""
    if fact.poll or not fact.requested_ms:
        return []
    documents = services.ledger.documents
    there, serving = documents.read(ROLLOUT, fact.dataset), documents.read(RELEASED, fact.dataset)
    if (there and there.value.is_of(fact)) or (serving and serving.value.version == fact.version):
        return []
    newer, answering = None, serving.value if serving else None
    is_newer = there and there.value.requested_ms > fact.requested_ms
    if there and (is_newer or there.value.has_traffic_since(fact.requested_ms, answering)):
        newer = there.value.version
    elif serving and serving.value.since_ms > fact.requested_ms + LATE_MS:
        newer = serving.value.version
    if newer is None:
        return []
    reason = f"model {newer} came after it was requested; request it again where it is still wanted"
    return [rolled_back(fact.dataset, _named(fact), reason)]


def _named(release: Rollout | ReleaseDue) -> dict[str, str | int]:
    """What tells the release from every other one of its dataset."""
    return {"run": release.run, "version": release.version, "requested_ms": release.requested_ms}


def _has_moved_on(fact: ModelAccepted, services: Services) -> bool:
    """Whether the model was accepted long ago: it was released meanwhile, and another one after it."""
    model = services.ledger.find("model", dataset_id(fact.dataset, fact.version))
    return model is not None and model.state != "accepted"


def _told_of(dataset: str, old: Rollout, serving: ReleasedModel) -> dict[str, Any]:
    released = ModelReleased(
        run=old.run, dataset=dataset, version=old.version, deployment=serving.deployment, previous=serving.previous,
        endpoint=serving.endpoint, requested_ms=old.requested_ms,
    )  # fmt: skip
    return {"released": released.to_json(), "was_rollback": old.because == ROLL_BACK}


def advance(
    dataset: str, rollout: Versioned[Rollout], new: Rollout, services: Services
) -> Versioned[Rollout]:
    """raises: Conflict when somebody has ended it meanwhile"""
    if new == rollout.value:
        return rollout
    return services.ledger.documents.write(ROLLOUT, dataset, new, over=rollout)


def end(
    dataset: str,
    rollout: Versioned[Rollout],
    serving: Versioned[ReleasedModel] | None,
    services: Services,
    *,
    reason: str,
    operation: str = "",
) -> list[Fact | Change]:
    """Gives all traffic back to what answered before, and takes the new deployment down; to be done again after a crash.

    operation: of the person who ends it
    """
    old = rollout.value
    if old.stage != "ended":
        _keep_from_switching(dataset, old, serving, services)
        ended = replace(old, stage="ended", reason=reason[:1000], operation=operation or old.operation)
        old = advance(dataset, rollout, ended, services).value
    release = _named(old)
    back = give_traffic_back(dataset, serving, services)  # first: it must not stay with what failed
    return [
        rolled_back(dataset, release, old.reason),
        *back,
        *_taken_down(dataset, release, serving, services),
    ]


def end_the_one_before(
    dataset: str, rollout: Rollout, serving: Versioned[ReleasedModel] | None, services: Services
) -> list[Fact | Change]:
    """What is left to do of the release that this one began instead of, or after; to be done before anything of its own."""
    if rollout.after:
        return _told(rollout.after, services)
    old = rollout.instead_of
    if not old:
        return []
    back = give_traffic_back(dataset, serving, services)
    if old["version"] == rollout.version:  # the same model, asked for again
        return [*back]
    reason = f"model {rollout.version} is released in its place"
    return [rolled_back(dataset, old, reason), *back, *_taken_down(dataset, old, serving, services)]


def _told(after: Mapping[str, Any], services: Services) -> list[Fact | Change]:
    """That the model before answers, where whoever was to tell it has died: its run holds the slot until then."""
    released = ModelReleased.from_json(after["released"])
    if services.ledger.outbox.is_noted(released):
        return []
    plan = plan_of(released.dataset, released.version, services)
    taken_back = bool(after["was_rollback"])
    retired = retire(released.previous, plan, taken_back=taken_back) if released.previous else []
    return [released, *retired]


def _taken_down(
    dataset: str,
    release: Mapping[str, str | int],
    serving: Versioned[ReleasedModel] | None,
    services: Services,
) -> list[Change]:
    """Its deployment is removed, unless that stands by for a rollback, or a batch under way is pinned to it."""
    plan = plan_of(dataset, int(release["version"]), services)
    standby = {serving.value.previous} if serving else set()
    if plan.deployment not in standby | deployments_in_use(services):
        return remove(plan.endpoint, plan.deployment, services)
    id_, round_ = f"{plan.endpoint}/{plan.deployment}", int(release["requested_ms"]) or None
    return [Change(kind="deployment", id=id_, state="standby", values={"traffic_percent": 0}, round=round_)]


def rolled_back(dataset: str, release: Mapping[str, str | int], reason: str) -> ReleaseRolledBack:
    """release: its run, version and requested_ms"""
    return ReleaseRolledBack(
        run=str(release["run"]),
        dataset=dataset,
        version=int(release["version"]),
        reason=reason,
        requested_ms=int(release["requested_ms"]),
    )


def give_traffic_back(
    dataset: str, serving: Versioned[ReleasedModel] | None, services: Services
) -> list[Change]:
    """Whatever answered before answers all again, or nothing where nothing did."""
    endpoint = names.endpoint_name(services.policy.endpoint_prefix, dataset)
    back = {serving.value.deployment: 100} if serving else {}
    if services.workspace.traffic_of(endpoint) != back:
        services.workspace.set_traffic(endpoint, back)
    order = Change.order_at(services.now())
    return [
        Change(kind="deployment", id=f"{endpoint}/{name}", values={"traffic_percent": share}, order=order)
        for name, share in back.items()
    ]


def _keep_from_switching(
    dataset: str, rollout: Rollout, serving: Versioned[ReleasedModel] | None, services: Services
) -> None:
    """A worker that is about to write down that the new model answers finds another version than it read, and stops.

    raises: Conflict when it has done so already
    """
    if rollout.stage == "switching" and serving:
        services.ledger.documents.write(RELEASED, dataset, serving.value, over=serving)


def plan_of(dataset: str, version: int, services: Services) -> DeploymentPlan:
    return DeploymentPlan(
        endpoint=names.endpoint_name(services.policy.endpoint_prefix, dataset),
        deployment=names.deployment_name(version),
        model=dataset,
        version=version,
    )
