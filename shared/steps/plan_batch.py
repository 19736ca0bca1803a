"""Cut a file of clients into shards, pin them to the model that answers now, and choose who scores them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from shared.domain import names
from shared.domain.batches.plan import BatchPlan
from shared.domain.batches.shard_plan import ShardPlan, plan_shards
from shared.domain.facts import BatchDue, BatchRefused, BatchRunDue, Fact, ShardDue
from shared.domain.kinds.kind import Change
from shared.domain.names import dataset_id
from shared.domain.tables.dialect import FileProblem
from shared.domain.tables.unreadable import UnreadableFile, content_faults
from shared.errors import Conflict
from shared.ledger import Document
from shared.ports import Blob
from shared.procedures.file_version import file_version
from shared.procedures.open_batches import open_batch
from shared.procedures.released_model import RELEASED
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
    """Writes the batch's plan (which bytes, which model) and has each shard scored, or all by one run on a cluster.

    Reads a little around each cut, not the file. The model is chosen once and for all shards, so a release in the
    middle of a batch does not show in it.
    """
    batch = names.batch_id(fact.name, fact.etag)
    blob = file_version(names.SCORING, fact.name, fact.etag, services)
    if isinstance(blob, str):
        return [BatchRefused(batch=batch, name=fact.name, reason=blob)]
    try:
        with content_faults():
            cut = plan_shards(
                lambda start, end: services.files.read_range(blob, start, end),
                blob.size,
                services.contracts,
                shard_bytes=services.policy.shard_bytes,
            )
    except UnreadableFile as fault:
        return [BatchRefused(batch=batch, name=fact.name, reason=str(fault))]
    if isinstance(cut, FileProblem):
        return [BatchRefused(batch=batch, name=fact.name, reason=cut.message)]
    model = _pinned(batch, cut.contract.dataset, services)
    if model is None:
        reason = f"dataset {cut.contract.dataset} has no released model; drop the file again when it has"
        return [BatchRefused(batch=batch, name=fact.name, reason=reason)]
    if _is_for_the_engine(blob, services):
        return [BatchRunDue(batch=batch), *_written(batch, blob, cut, model, services)]
    open_batch(batch, model.deployment, services)
    changes = _written(batch, blob, cut, model, services)
    return [*(ShardDue(batch=batch, number=shard.number) for shard in cut.shards), *changes]


def _is_for_the_engine(blob: Blob, services: Services) -> bool:
    """Whether a run on a cluster scores it. Azure ML puts an input's name into a step's command as it is: a name
    that a shell could misread stays with the endpoint, which takes files of any size."""
    return 0 < services.policy.engine_bytes <= blob.size and names.is_plain(blob.name)


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


def _written(batch: str, blob: Blob, cut: ShardPlan, model: PinnedModel, services: Services) -> list[Change]:
    plan = BatchPlan(batch=batch, name=blob.name, etag=blob.etag, **asdict(model), cut=cut)
    services.files.write(names.SCORED, names.batch_plan_blob(batch), json.dumps(plan.to_json()).encode())
    values = {"dataset": cut.contract.dataset, "model_version": model.version, "size_bytes": cut.size}
    values |= {"deployment": model.deployment, "shards": len(cut.shards), "shards_scored": 0}
    values |= {"started_at": model.since}
    version = dataset_id(cut.contract.dataset, model.version)
    return [
        Change(kind="batch", id=batch, state="scoring", values=values),
        Change(kind="scored-by", id=version, values={"batch": batch}),
    ]
