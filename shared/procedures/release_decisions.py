"""What people decided on a model's releases: who, what and why, kept in the model's record for good."""

from __future__ import annotations

from shared.domain.kinds.kind import Change
from shared.domain.names import dataset_id
from shared.services import Services


def decided(dataset: str, version: int, decision: str, *, by: str, reason: str, services: Services) -> Change:
    """The model's record with one decision more; decision: a name of `kinds.release.DECISIONS`"""
    id_ = dataset_id(dataset, version)
    model = services.ledger.find("model", id_)
    before = (model.values.get("decisions") if model else None) or []
    now = services.now()
    at = now.isoformat(timespec="milliseconds")
    entry = {"decision": decision, "by": by, "reason": reason or None, "decided_at": at}
    return Change(kind="model", id=id_, values={"decisions": [*before, entry]}, order=Change.order_at(now))
