"""Score one stretch of a batch through the deployed model and put the result aside as a block."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from shared.domain import names
from shared.domain.facts import Fact, ShardDue, ShardScored
from shared.domain.scoring import Scored, read_shard, write_scored
from shared.errors import Transient
from shared.ports import Blob
from shared.services import Services
from shared.steps.batch_plan import BatchPlan, read_plan


def score_shard(fact: ShardDue, services: Services) -> Iterable[Fact]:
    """Reads just the shard's bytes, asks the model the batch is pinned to, and stages the answers.

    The block's id is the shard's number: scoring a shard twice writes the same block twice.
    raises: Transient, Refused as the endpoint answers; Superseded when the file was overwritten
    """
    plan = read_plan(fact.batch, services)
    shard = plan.cut.shards[fact.number]
    data = services.files.read_range(_source(plan, services), shard.start, shard.end) if shard.rows else b""
    records = read_shard(data, plan.cut, shard)
    good = [record.values for record in records if record.values is not None]
    scored = _score(good, plan, services)
    output = write_scored(records, scored, plan.cut, shard)
    services.files.stage(names.SCORED, names.scored_blob(fact.batch), fact.number, output)
    return [
        ShardScored(batch=fact.batch, number=fact.number, rows=len(records), refused=len(records) - len(good))
    ]


def _source(plan: BatchPlan, services: Services) -> Blob:
    """The file as it was planned; reading it fails when it is no longer that version."""
    size = plan.cut.shards[-1].end
    return Blob(container=names.SCORING, name=plan.name, etag=plan.etag, size=size, modified=services.now())


def _score(rows: Sequence[tuple[Any, ...]], plan: BatchPlan, services: Services) -> list[Scored]:
    scored: list[Scored] = []
    step = services.policy.request_rows
    for start in range(0, len(rows), step):
        scores = services.endpoint.score(
            plan.endpoint, plan.deployment, plan.cut.features, rows[start : start + step]
        )
        if scores.model_version != str(plan.version):
            raise Transient(
                f"model {scores.model_version} answered for deployment {plan.deployment}; the batch is pinned to"
                f" model {plan.version}"
            )
        scored += [
            Scored(probability=probability, decision=decision, model_version=scores.model_version)
            for probability, decision in zip(scores.probability, scores.decision, strict=True)
        ]
    return scored
