"""A model's verdict holds against the model that served then: who has it judged again when another one serves."""

from __future__ import annotations

from shared.domain.facts import JudgementDue, ModelAccepted
from shared.domain.names import dataset_id
from shared.procedures.released_model import RELEASED
from shared.procedures.run_slot import SLOT
from shared.services import Services

JUDGED_AGAIN = ("refused", "undecided")
"""States of a model that another champion may change."""


def newest_judged_again(dataset: str, services: Services) -> list[JudgementDue]:
    """Of the newest model, where it was kept out: the champion it was held against may be gone, or back again.

    Older ones stay as they are: the newest one has learned all that they know. One whose run is under way is judged at its
    end.
    """
    slot = services.ledger.documents.read(SLOT, dataset)
    if slot is None or slot.value.state != "free":
        return []
    serving = services.ledger.documents.read(RELEASED, dataset)
    run, version = slot.value.run, slot.value.version
    model = services.ledger.find("model", dataset_id(dataset, version))
    if serving is None or model is None or model.state not in JUDGED_AGAIN or model.values.get("run") != run:
        return []
    return [JudgementDue(run=run, dataset=dataset, version=version, since_ms=serving.value.since_ms)]


def stale_verdict(fact: ModelAccepted, services: Services) -> list[JudgementDue]:
    """Of a model that was accepted, but waited while a person had another one than its champion serve."""
    serving = services.ledger.documents.read(RELEASED, fact.dataset)
    if serving is None:
        return []
    model = services.ledger.find("model", dataset_id(fact.dataset, fact.version))
    if model is None or model.state != "accepted":
        return []
    if serving.value.version in (fact.version, model.values.get("champion")):
        return []
    since = serving.value.since_ms
    return [JudgementDue(run=fact.run, dataset=fact.dataset, version=fact.version, since_ms=since)]
