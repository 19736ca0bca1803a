"""A retrain that drift asks for: once for each model, after a cool-down, and within the run budget like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.domain.drift.retrain import reason_to_retrain
from shared.domain.facts import Fact, RetrainDue
from shared.domain.kinds.kind import Change
from shared.domain.names import dataset_id
from shared.ledger import Document
from shared.procedures.released_model import RELEASED
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The newest retrain of a dataset that drift asked for."""

    model: int
    """The version that served."""
    cause: str
    """What showed the drift: an upload or a batch, by kind and id."""
    at: str
    because: str


ASKED = Document(name="drift-asked", type=Asked)
"""One per dataset."""


def ask_for_retrain(
    cause: str, cost: Mapping[str, Any], dataset: str, model: int, services: Services
) -> list[Fact | Change]:
    """Nothing where the settings have none asked for, the loss may as well be none, one was asked for already, or the model
    no longer serves: then another one has learned since.

    cause: an upload or a batch, by kind and id; cost: the values of `kinds.drift.DriftCost`
    raises: Conflict, to be done again
    """
    why = reason_to_retrain(cause, cost, model, services.policy)
    documents = services.ledger.documents
    serving = documents.read(RELEASED, dataset) if why else None
    if serving is None or serving.value.version != model:
        return []
    there = documents.read(ASKED, dataset)
    if there is not None and (there.value.model, there.value.cause) == (model, cause):
        return _asked(dataset, there.value)  # by an earlier delivery, which died
    if there is not None and (there.value.model == model or _cools_down(there.value, services)):
        return []
    asked = Asked(model=model, cause=cause, at=services.now().isoformat(timespec="milliseconds"), because=why)
    documents.write(ASKED, dataset, asked, over=there)
    return _asked(dataset, asked)


def _cools_down(asked: Asked, services: Services) -> bool:
    hours = timedelta(hours=services.policy.drift_retrain_cool_down_hours)
    return services.now() - datetime.fromisoformat(asked.at) < hours


def _asked(dataset: str, asked: Asked) -> list[Fact | Change]:
    values = {"retrain_asked_because": asked.because, "retrain_asked_at": asked.at}
    return [
        RetrainDue(dataset=dataset, tick=f"drift-{asked.model}", drifted=True),
        Change(kind="model", id=dataset_id(dataset, asked.model), values=values),
    ]
