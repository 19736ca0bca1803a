"""Cut a file of clients into shards, and pin them to the model that answers now."""

from __future__ import annotations

import json
from collections.abc import Iterable

from shared.domain import names
from shared.domain.dialect import FileProblem
from shared.domain.facts import BatchDue, BatchRefused, Fact, ShardDue
from shared.domain.records import Change
from shared.domain.scoring import ShardPlan, plan_shards
from shared.ports import Row
from shared.services import Services
from shared.steps.batch_plan import read_plan


def plan_batch(fact: BatchDue, services: Services) -> Iterable[Fact]:
    """Writes the batch's plan (which bytes, which model) and has each shard scored.

    The plan is written once and read by every shard, so a release in the middle of a batch does not show in it.
    """
    batch = names.batch_id(fact.name, fact.etag)
    blob = services.files.stat(names.SCORING, fact.name)
    if blob is None or blob.etag != fact.etag:
        reason = (
            "the file was deleted or overwritten before it could be read; the newer version is scored instead"
        )
        return [BatchRefused(batch=batch, name=fact.name, reason=reason)]
    if services.files.stat(names.SCORED, names.batch_plan_blob(batch)) is not None:
        return _due(batch, read_plan(batch, services).cut)
    cut = plan_shards(
        services.files.read(blob), services.contracts, rows_per_shard=services.policy.shard_rows
    )
    if isinstance(cut, FileProblem):
        return [BatchRefused(batch=batch, name=fact.name, reason=cut.message)]
    released = services.ledger.document("released", cut.contract.dataset)
    if released is None:
        reason = f"dataset {cut.contract.dataset} has no released model; drop the file again when it has"
        return [BatchRefused(batch=batch, name=fact.name, reason=reason)]
    _write(batch, fact, cut, released, services)
    return _due(batch, cut)


def _write(batch: str, fact: BatchDue, cut: ShardPlan, released: Row, services: Services) -> None:
    model = {name: released.value[name] for name in ("endpoint", "deployment", "version")}
    plan = {"batch": batch, "name": fact.name, "etag": fact.etag, "model": model, "cut": cut.to_json()}
    services.files.write(names.SCORED, names.batch_plan_blob(batch), json.dumps(plan).encode())
    values = {"dataset": cut.contract.dataset, "model_version": model["version"], "rows": cut.rows}
    values |= {"deployment": model["deployment"], "shards": len(cut.shards), "shards_scored": 0}
    services.ledger.record([Change(kind="batch", id=batch, state="scoring", values=values)])


def _due(batch: str, plan: ShardPlan) -> list[Fact]:
    return [ShardDue(batch=batch, number=shard.number) for shard in plan.shards]
