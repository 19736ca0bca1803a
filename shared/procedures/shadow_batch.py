"""Shadow deployment without traffic: a new model scores rows of the last batch that the serving model scored.

A bank's endpoint has few requests, but batches in which every row and its answer is known: a sample of the newest one is
scored again, and compared in pairs. What the batch's list says of each row (list columns) was counted when it was
profiled, and goes to the new model as it went to the serving one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from shared.domain import names
from shared.domain.batches.batch_profile import BatchProfile, OtherRows
from shared.domain.batches.plan import BatchPlan
from shared.domain.lists.list_column import ListColumn
from shared.ledger import Record
from shared.ports import DeploymentPlan
from shared.services import Services

if TYPE_CHECKING:
    from shared.domain.batches.scored_sample import ScoredSample
    from shared.domain.models.answers import Answers

MOST_PARTS = 4
"""Parts of the scored file that the sample is drawn from; each is read whole."""


@dataclass(frozen=True, kw_only=True)
class Shadowed:
    """What a shadow comparison found."""

    values: dict[str, Any] = field(default_factory=dict)
    """For the model's record."""
    beyond: str = ""
    """Which limit the figures break, in a sentence."""


def shadowed(plan: DeploymentPlan, serving: int, services: Services) -> Shadowed:
    """The new model against the serving one on the last batch that this one scored, or why there is no comparison.

    serving: the version that answers
    raises: Refused when the new model fails on rows that the serving one answered; Transient
    """
    from shared.domain.models import shadow

    if not services.policy.release_shadow_rows:
        return _skipped("the settings ask for none")
    batch = last_sealed(names.dataset_id(plan.model, serving), services)
    if batch is None:
        return _skipped(f"model {serving} has scored no batch yet")
    wanted, profile = _list_columns(plan, services), _profile(batch, services)
    unknown = [one.name for one in wanted if one not in (profile.list_columns if profile else ())]
    if unknown:
        return _skipped(
            f"it reads {', '.join(unknown)} of a list, which nobody counted in batch {batch.id}, the last that model"
            f" {serving} scored"
        )
    sample = _sample(batch, plan.model, profile and replace(profile, list_columns=wanted), services)
    if sample is None or not len(sample):
        return _skipped(f"of batch {batch.id}, the last that model {serving} scored, no row can be compared")
    answers = _answers(plan, sample, services)
    calls = answers.decision == answers.decision_names.index("call")
    figures = shadow.compared(
        old=sample.probability,
        new=answers.scores(),
        old_calls=sample.calls,
        new_calls=calls,
        columns=sample.columns(),
    )
    figures |= {"batch": batch.id, "champion": serving}
    beyond = shadow.beyond(figures, services.policy)
    return Shadowed(values={"shadow": figures, "shadow_skipped": None}, beyond=beyond)


def _list_columns(plan: DeploymentPlan, services: Services) -> tuple[ListColumn, ...]:
    """Those that the new model asks for."""
    said = services.workspace.model_documents(plan.model, plan.version).get("model", {})
    return tuple(ListColumn.from_json(one) for one in said.get("list_columns", ()))


def _profile(batch: Record, services: Services) -> BatchProfile | None:
    text = services.files.content(names.SCORED, names.batch_profile_blob(batch.id))
    return None if text is None else BatchProfile.from_json(text)


def _skipped(why: str) -> Shadowed:
    return Shadowed(values={"shadow": None, "shadow_skipped": why})


def last_sealed(model: str, services: Services) -> Record | None:
    """The newest batch that this model version scored."""
    return next(
        (batch for batch in services.ledger.records.scored_by(model) if batch.state == "scored"), None
    )


def _sample(
    batch: Record, dataset: str, profile: BatchProfile | None, services: Services
) -> ScoredSample | None:
    """None when its output was removed meanwhile, or was read by a contract with other features.

    profile: the batch's, with the list columns that the new model asks for
    """
    from shared.domain.batches.scored_sample import ScoredSample

    text = services.files.content(names.SCORED, names.batch_plan_blob(batch.id))
    if text is None:
        return None
    cut = BatchPlan.from_json(text).cut
    contract = next(each for each in services.contracts if each.dataset == dataset)
    if [each.name for each in cut.contract.features] != [each.name for each in contract.features]:
        return None
    step = -(-len(cut.shards) // MOST_PARTS)
    parts = {
        number: services.files.content(names.SCORED, names.parquet_blob(batch.id, number))
        for number in range(0, len(cut.shards), step)
    }
    there = {number: part for number, part in parts.items() if part is not None}
    if not there:
        return None
    try:
        return ScoredSample.of(there, cut, profile=profile, most=services.policy.release_shadow_rows)
    except OtherRows:
        return None


def _answers(plan: DeploymentPlan, sample: ScoredSample, services: Services) -> Answers:
    from shared.domain.batches.request_split import sized
    from shared.domain.models.answers import Answers

    requests = sized(sample.features, most_bytes=services.policy.request_bytes)
    return Answers.joined(
        [services.endpoint.score(plan.endpoint, plan.deployment, rows).answers for rows in requests]
    )
