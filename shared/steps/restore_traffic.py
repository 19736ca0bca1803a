"""Drift correction of an endpoint's traffic: it goes back to the model that the ledger says answers."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain import names
from shared.domain.facts import Fact, TrafficStrayed
from shared.procedures.traffic import stray_traffic
from shared.services import Services


def restore_traffic(fact: TrafficStrayed, services: Services) -> Iterable[Fact]:
    """Looks once more, since the hint may be late. Whoever wants another model to answer promotes it; a release that was
    given up between the move of the traffic and the ledger left it with a model that nobody vouches for."""
    wanted = stray_traffic(fact.dataset, services)
    if wanted is not None:
        endpoint = names.endpoint_name(services.policy.endpoint_prefix, fact.dataset)
        services.workspace.set_traffic(endpoint, dict(wanted))
    return []
