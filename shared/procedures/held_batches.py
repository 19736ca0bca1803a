"""Held batches: files that wait for a person's look, by name, so that a mended version takes the place of the older one."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from shared.domain import names
from shared.domain.batches.plan import BatchPlan
from shared.domain.kinds.kind import Change
from shared.errors import Conflict
from shared.ledger import Document
from shared.procedures.open_batches import close_batch
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class HeldBatch:
    """The batch that is held of a file."""

    batch: str


HELD = Document(name="held-batch", type=HeldBatch, placement="current")
"""By the file's name."""


def hold_batch(plan: BatchPlan, services: Services) -> None:
    """Its deployment stays needed: what is approved is scored by the model that it was held against."""
    with suppress(Conflict):  # held by an earlier delivery
        services.ledger.documents.write(HELD, names.digest(plan.name), HeldBatch(batch=plan.batch), over=None)


def free_batch(plan: BatchPlan, services: Services) -> None:
    """It is held no more."""
    held = services.ledger.documents.read(HELD, names.digest(plan.name))
    if held is not None and held.value.batch == plan.batch:
        services.ledger.documents.delete(HELD, held)


def replace_held(plan: BatchPlan, services: Services) -> Iterable[Change]:
    """What is held of an older version of the plan's file is over: the newer version is scored instead."""
    held = services.ledger.documents.read(HELD, names.digest(plan.name))
    if held is None or held.value.batch == plan.batch:
        return []
    close_batch(held.value.batch, services)
    services.ledger.documents.delete(HELD, held)
    values = {"replaced_by": plan.batch}
    return [Change(kind="batch", id=held.value.batch, state="replaced", values=values)]
