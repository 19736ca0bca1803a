"""A synthetic probe: a deployment scores its model's golden rows; the time it took, or what is wrong with the answer."""

from __future__ import annotations

import time
from dataclasses import dataclass

from shared.domain.models.endpoint_health import Probe
from shared.domain.models.smoke_test import GoldenRows
from shared.domain.names import dataset_id
from shared.errors import Refused, Transient
from shared.ledger import Document
from shared.ports import DeploymentPlan
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Probes:
    """The newest probes of a deployment, the oldest first: each a time in ms or a fault."""

    probes: list[Probe]


PROBES = Document(name="probes", type=Probes, placement="standing")
"""One per deployment that answers, at the digest of its id."""


def golden_rows(plan: DeploymentPlan, services: Services) -> GoldenRows:
    """Of the plan's model. raises: Transient; Refused where it has none"""
    documents = services.workspace.model_documents(plan.model, plan.version)
    return GoldenRows.of(dataset_id(plan.model, plan.version), documents)


def probe(plan: DeploymentPlan, services: Services) -> Probe:
    """Raises nothing of the endpoint's: that it does not answer is what a probe is to find out.

    raises: Transient when the golden rows cannot be read now, which is no fault of the endpoint's
    """
    try:
        golden = golden_rows(plan, services)
    except Refused as problem:
        return {"fault": str(problem)[:200]}
    try:
        began = time.monotonic()
        scores = services.endpoint.score(plan.endpoint, plan.deployment, golden.rows)
        took = (time.monotonic() - began) * 1000
    except (Transient, Refused) as problem:
        return {"fault": str(problem)[:200]}
    fault = golden.faults(scores.answers.scores().tolist(), scores.model_version, plan.version)
    return {"fault": fault[:200]} if fault else {"ms": round(took, 2)}
