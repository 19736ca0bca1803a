"""A batch's plan as its steps read it: which file, which model, which bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from shared.domain import names
from shared.domain.scoring import ShardPlan
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class BatchPlan:
    """Written once by `plan_batch`, never changed."""

    name: str
    etag: str
    endpoint: str
    deployment: str
    version: int
    cut: ShardPlan


def read_plan(batch: str, services: Services) -> BatchPlan:
    """raises: LookupError when somebody removed it; the batch cannot go on without it."""
    blob = services.files.stat(names.SCORED, names.batch_plan_blob(batch))
    if blob is None:
        raise LookupError(
            f"the plan of batch {batch} is missing from the {names.SCORED} container; drop the file again"
        )
    body = json.loads(b"".join(services.files.read(blob)))
    return BatchPlan(
        name=body["name"], etag=body["etag"], cut=ShardPlan.from_json(body["cut"]), **body["model"]
    )
