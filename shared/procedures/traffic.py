"""Traffic compared with the ledger: whether what answers for a dataset is the model that was released."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain import names
from shared.domain.facts import ModelAccepted, ReleaseDue
from shared.procedures.released_model import RELEASED, ReleasedModel
from shared.procedures.rollout import ROLLOUT
from shared.services import Services


def stray_traffic(dataset: str, services: Services) -> Mapping[str, int] | None:
    """What the endpoint's traffic should be, in percent by deployment; None when it is that, or another's business.

    A release moves the traffic before it writes down that it did: while a worker is at one, it is that worker's. So
    the traffic is read first: whoever had moved it by then is either still at work, or has written it down. Between two
    looks at a model in its baking time its share is its own, as long as there is a next look.
    """
    endpoint = names.endpoint_name(services.policy.endpoint_prefix, dataset)
    traffic = services.workspace.traffic_of(endpoint)
    released = services.ledger.documents.read(RELEASED, dataset)
    wanted = {released.value.deployment: 100} if released else {}
    if traffic == wanted or _is_being_released(
        dataset, traffic, released.value if released else None, services
    ):
        return None
    if not released and not _are_ours(endpoint, traffic, services):
        return None
    return wanted


def _is_being_released(
    dataset: str, traffic: Mapping[str, int], serving: ReleasedModel | None, services: Services
) -> bool:
    claims, rollout = services.ledger.claims, services.ledger.documents.read(ROLLOUT, dataset)
    for release in services.ledger.outbox.open(ModelAccepted, ReleaseDue):
        if not isinstance(release, ModelAccepted | ReleaseDue) or release.dataset != dataset:
            continue
        entry = claims.find(release.key)
        if entry and claims.is_held(entry):
            return True
        baking = rollout and rollout.value.stage == "baking" and rollout.value.is_of(release)
        if rollout and baking and serving and traffic == rollout.value.traffic(serving):
            return True
    return False


def _are_ours(endpoint: str, traffic: Mapping[str, int], services: Services) -> bool:
    """Whether the ledger knows what answers: a new ledger takes no traffic from what an older one released."""
    return all(services.ledger.find("deployment", f"{endpoint}/{name}") for name in traffic)
