"""Synthetic monitoring: the released model scores its golden rows; a window of times and faults is its health."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.facts import EndpointProbeDue, Fact
from shared.domain.kinds.kind import Change
from shared.domain.models.endpoint_health import Probe, summary, with_probe
from shared.domain.models.smoke_test import faults
from shared.domain.names import digest
from shared.errors import Conflict, Refused, Transient
from shared.ledger import Document
from shared.procedures.released_model import RELEASED, ReleasedModel
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Probes:
    """The newest probes of a deployment, the oldest first: each a time in ms or a fault."""

    probes: list[Probe]


PROBES = Document(name="probes", type=Probes, placement="standing")
"""One per deployment that answers, at the digest of its id."""


def probe_endpoint(fact: EndpointProbeDue, services: Services) -> Iterable[Fact | Change]:
    """A probe changes nothing but the deployment's recorded health: a fault shows there and moves no traffic: a
    rollback is an operator's decision."""
    documents = services.ledger.documents
    released = documents.read(RELEASED, fact.dataset)
    if released is None:
        return []
    serving = released.value
    probe = _probe(fact.dataset, serving, services)
    before = documents.read(PROBES, digest(serving.deployment_id))
    window = with_probe(before.value.probes if before else [], probe)
    try:
        documents.write(PROBES, digest(serving.deployment_id), Probes(probes=window), over=before)
    except Conflict:
        return []  # another worker probed at the same moment
    values = {"health": summary(window), "released_at": serving.since}
    return [Change(kind="deployment", id=serving.deployment_id, values=values)]


def _probe(dataset: str, serving: ReleasedModel, services: Services) -> Probe:
    from shared.domain.models.answers import feature_table

    try:
        golden = services.workspace.model_documents(dataset, serving.version)["golden"]
        rows = feature_table(golden["columns"], golden["rows"])
        began = time.monotonic()
        scores = services.endpoint.score(serving.endpoint, serving.deployment, rows)
        took = (time.monotonic() - began) * 1000
    except (Transient, Refused) as problem:
        return {"fault": str(problem)[:200]}
    fault = faults(golden, scores.answers.scores().tolist(), scores.model_version, serving.version)
    return {"fault": fault[:200]} if fault else {"ms": round(took, 2)}
