"""Traffic compared with the ledger: whether what answers for a dataset is the model that was released."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain import names
from shared.domain.facts import ModelAccepted, ReleaseDue
from shared.procedures.released_model import RELEASED
from shared.services import Services


def stray_traffic(dataset: str, services: Services) -> Mapping[str, int] | None:
    """What the endpoint's traffic should be, in percent by deployment; None when it is that, or another's business.

    A release moves the traffic before it writes down that it did: while a worker is at one, it is that worker's. So
    the traffic is read first: whoever had moved it by then is either still at work, or has written it down.
    """
    endpoint = names.endpoint_name(services.policy.endpoint_prefix, dataset)
    traffic = services.workspace.traffic_of(endpoint)
    released = services.ledger.documents.read(RELEASED, dataset)
    wanted = {released.value.deployment: 100} if released else {}
    if traffic == wanted or _is_being_released(dataset, services):
        return None
    if not released and not _are_ours(endpoint, traffic, services):
        return None
    return wanted


def _is_being_released(dataset: str, services: Services) -> bool:
    claims = services.ledger.claims
    for release in services.ledger.outbox.open(ModelAccepted, ReleaseDue):
        entry = claims.find(release.key)
        of_dataset = isinstance(release, ModelAccepted | ReleaseDue) and release.dataset == dataset
        if of_dataset and entry and claims.is_held(entry):
            return True
    return False


def _are_ours(endpoint: str, traffic: Mapping[str, int], services: Services) -> bool:
    """Whether the ledger knows what answers: a new ledger takes no traffic from what an older one released."""
    return all(services.ledger.find("deployment", f"{endpoint}/{name}") for name in traffic)
