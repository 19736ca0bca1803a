"""Removal of a deployment that nobody needs any more."""

from __future__ import annotations

from shared.domain.kinds.kind import Change
from shared.domain.names import digest
from shared.errors import Refused
from shared.procedures.endpoint_probe import PROBES
from shared.services import Services


def remove(endpoint: str, deployment: str, services: Services) -> list[Change]:
    """Deletes the deployment; one that was made by hand has no record, and gets none."""
    try:
        services.workspace.delete_deployment(endpoint, deployment)
    except Refused:
        return []  # it stays where it is, without traffic; the next release tries again
    id_ = f"{endpoint}/{deployment}"
    probes = services.ledger.documents.read(PROBES, digest(id_))
    if probes is not None:  # it stands among what each look at the present reads
        services.ledger.documents.delete(PROBES, probes)
    if services.ledger.find("deployment", id_) is None:
        return []
    return [Change(kind="deployment", id=id_, state="removed", values={"traffic_percent": 0})]
