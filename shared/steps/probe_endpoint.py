"""Synthetic monitoring: the released model scores its golden rows; a window of times and faults is its health."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import EndpointProbeDue, Fact
from shared.domain.kinds.kind import Change
from shared.domain.models.endpoint_health import summary, with_probe
from shared.domain.names import digest
from shared.errors import Conflict
from shared.procedures.endpoint_probe import PROBES, Probes, probe
from shared.procedures.released_model import RELEASED
from shared.services import Services


def probe_endpoint(fact: EndpointProbeDue, services: Services) -> Iterable[Fact | Change]:
    """A probe changes nothing but the deployment's recorded health: a fault shows there and moves no traffic: a
    rollback is an operator's decision."""
    documents = services.ledger.documents
    released = documents.read(RELEASED, fact.dataset)
    if released is None:
        return []
    serving = released.value
    found = probe(serving.plan(fact.dataset), services)
    before = documents.read(PROBES, digest(serving.deployment_id))
    window = with_probe(before.value.probes if before else [], found)
    try:
        documents.write(PROBES, digest(serving.deployment_id), Probes(probes=window), over=before)
    except Conflict:
        return []  # another worker probed at the same moment
    values = {"health": summary(window), "released_at": serving.since}
    return [Change(kind="deployment", id=serving.deployment_id, values=values)]
