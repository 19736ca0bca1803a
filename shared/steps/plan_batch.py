"""Cut a file of clients into shards, and pin them to the model that answers now."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from shared.domain import names
from shared.domain.batches.plan import BatchPlan
from shared.domain.batches.shard_plan import plan_shards
from shared.domain.facts import BatchDue, BatchDuplicated, BatchRefused, Fact, ProfileDue
from shared.domain.kinds.kind import Change
from shared.domain.tables.dialect import FileProblem
from shared.domain.tables.unreadable import UnreadableFile, content_faults
from shared.errors import Conflict
from shared.ledger import Document
from shared.ports import Blob
from shared.procedures.file_version import file_version
from shared.procedures.held_batches import replace_held
from shared.procedures.open_batches import close_batch, open_batch
from shared.procedures.released_model import RELEASED
from shared.procedures.scored_before import scored_before
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class PinnedModel:
    """The model that all shards of a batch are scored by."""

    endpoint: str
    deployment: str
    version: int
    since: str


PINNED = Document(name="pinned-model", type=PinnedModel)
"""One per batch."""


def plan_batch(fact: BatchDue, services: Services) -> Iterable[Fact | Change]:
    """Writes the batch's plan: which bytes, which model. A held batch of an older version of the file is over.

    Reads a little around each cut, not the file, unless the model has scored one of its size: the same clients are
    scored again only when somebody asks for it. The model is chosen once and for all shards, so a release in the middle
    of a batch does not show in it.
    """
    blob = file_version(names.SCORING, fact.name, fact.etag, services)
    plan = blob if isinstance(blob, str) else _plan(fact, blob, services)
    if isinstance(blob, str) or isinstance(plan, str):
        close_batch(fact.batch, services)  # an earlier delivery may have opened it
        return [BatchRefused(batch=fact.batch, name=fact.name, reason=str(plan))]
    first = scored_before(plan, blob, services) if fact.attempt == 1 else ""
    if first:
        close_batch(plan.batch, services)  # an earlier delivery may have opened it
        return [BatchDuplicated(batch=plan.batch, name=fact.name, first_batch=first)]
    open_batch(plan.batch, plan.deployment, services)
    changes = [*_written(plan, services), *replace_held(plan, services)]
    return [ProfileDue(batch=plan.batch), *changes]


def _plan(fact: BatchDue, blob: Blob, services: Services) -> BatchPlan | str:
    """The plan, or why there can be none."""
    try:
        with content_faults():
            cut = plan_shards(
                lambda start, end: services.files.read_range(blob, start, end),
                blob.size,
                services.contracts,
                shard_bytes=services.policy.shard_bytes,
                control_share=services.policy.control_share,
            )
    except UnreadableFile as fault:
        return str(fault)
    if isinstance(cut, FileProblem):
        return cut.message
    model = _pinned(fact.batch, cut.contract.dataset, services)
    if model is None:
        return f"dataset {cut.contract.dataset} has no released model; drop the file again when it has"
    return BatchPlan(batch=fact.batch, name=blob.name, etag=blob.etag, **asdict(model), cut=cut)


def _pinned(batch: str, dataset: str, services: Services) -> PinnedModel | None:
    """The model the batch belongs to: chosen by the first delivery, and the same for all later ones."""
    documents = services.ledger.documents
    released = documents.read(RELEASED, dataset)
    if released is None:
        return None
    model = PinnedModel(
        endpoint=released.value.endpoint,
        deployment=released.value.deployment,
        version=released.value.version,
        since=services.now().isoformat(timespec="milliseconds"),
    )
    try:
        return documents.write(PINNED, batch, model, over=None).value
    except Conflict:
        pinned = documents.read(PINNED, batch)
        return pinned.value if pinned else None


def _written(plan: BatchPlan, services: Services) -> list[Change]:
    services.files.write(names.SCORED, names.batch_plan_blob(plan.batch), json.dumps(plan.to_json()).encode())
    dataset, shards = plan.cut.contract.dataset, len(plan.cut.shards)
    values = {"dataset": dataset, "model_version": plan.version, "size_bytes": plan.cut.size}
    values |= {"deployment": plan.deployment, "shards": shards, "shards_scored": 0}
    values |= {"started_at": plan.since}
    model = services.ledger.find("model", plan.model)
    values |= {"model_traceparent": model.trace.traceparent} if model and model.trace else {}
    return [
        Change(kind="batch", id=plan.batch, values=values),
        Change(kind="scored-by", id=plan.model, values={"batch": plan.batch}),
    ]
