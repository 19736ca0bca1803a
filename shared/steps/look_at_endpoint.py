"""Ask the model that answers the rows whose answers are known: is it right, and how long does it take?"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from shared.domain.facts import EndpointLookDue, Fact
from shared.domain.kinds.kind import Change
from shared.domain.models.endpoint_health import looked, summary
from shared.domain.models.smoke_test import faults
from shared.errors import Conflict, Refused, Transient
from shared.services import Services
from shared.steps.release_model import RELEASED

LOOKS = "looks"
"""One document per deployment that answers: the window of looks."""


def look_at_endpoint(fact: EndpointLookDue, services: Services) -> Iterable[Fact]:
    """Looking changes nothing but what is known of the deployment; a fault shows there, and takes nobody's traffic."""
    released = services.ledger.document(RELEASED, fact.dataset)
    if released is None:
        return []
    serving = released.value
    look = _look(fact.dataset, serving, services)
    id_ = f"{serving['endpoint']}/{serving['deployment']}"
    kept = services.ledger.document(LOOKS, id_.replace("/", "-"))
    window = looked(kept.value["looks"] if kept else [], look)
    try:
        services.ledger.put(LOOKS, id_.replace("/", "-"), {"looks": window}, over=kept)
    except Conflict:
        return []  # another worker looked at the same moment
    values = {"health": summary(window), "since": serving["since"]}
    services.ledger.record([Change(kind="deployment", id=id_, values=values)])
    return []


def _look(dataset: str, serving: dict[str, Any], services: Services) -> dict[str, Any]:
    from shared.domain.models.answers import asked

    try:
        golden = services.workspace.model_documents(dataset, serving["version"])["golden"]
        rows = asked(golden["columns"], golden["rows"])
        began = time.monotonic()
        scores = services.endpoint.score(serving["endpoint"], serving["deployment"], rows)
        took = (time.monotonic() - began) * 1000
    except (Transient, Refused) as problem:
        return {"fault": str(problem)[:200]}
    fault = faults(golden, scores.answers.scores().tolist(), scores.model_version, serving["version"])
    return {"fault": fault[:200]} if fault else {"ms": round(took, 2)}
