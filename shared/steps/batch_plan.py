"""What a batch's steps share: its plan as written once, and the list of batches that still need their deployment."""

from __future__ import annotations

from contextlib import suppress

from shared.domain import names
from shared.domain.batch_plan import BatchPlan
from shared.errors import Conflict
from shared.services import Services

OPEN = "open-batches"


def read_plan(batch: str, services: Services) -> BatchPlan:
    """raises: LookupError when somebody removed it; the batch cannot go on without it."""
    text = services.files.content(names.SCORED, names.batch_plan_blob(batch))
    if text is None:
        raise LookupError(
            f"the plan of batch {batch} is missing from the {names.SCORED} container; drop the file again"
        )
    return BatchPlan.from_json(text)


def open_batch(batch: str, deployment: str, services: Services) -> None:
    """From now on the deployment is needed, whatever else is released."""
    with suppress(Conflict):  # opened by an earlier delivery
        services.ledger.put(OPEN, batch, {"deployment": deployment}, over=None)


def close_batch(batch: str, services: Services) -> None:
    opened = services.ledger.document(OPEN, batch)
    if opened is not None:
        services.ledger.remove(opened)


def deployments_in_use(services: Services) -> set[str]:
    """Those that batches under way are pinned to."""
    return {opened.value["deployment"] for opened in services.ledger.documents(OPEN)}
