"""A dataset's run slot: a mutex that lets one training run at a time hold the dataset, and remembers the last."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.errors import Conflict
from shared.ledger import Document
from shared.procedures.submission import Intent
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Slot(Intent):
    """The run that holds the slot, or held it last: `intended` before the POST, `submitted` after, then `free`."""

    version: int
    attempt: int
    failed: bool = False
    """Whether that run came to nothing, so that a retry may make another for the same version."""
    rows: int = 0
    """Of its version."""
    after: int | None = None
    """The version whose run held the slot before; None where none did, or where an older release wrote this."""
    begun: tuple[str, ...] = ()
    """When the runs that the budget counts began (ISO 8601); the oldest first."""


SLOT = Document(name="slot", type=Slot, placement="standing", shown=True)
"""One per dataset."""


@dataclass(frozen=True, kw_only=True)
class WantedRun:
    """A run that waits for the slot, and why it need not wait for the run budget as well."""

    version: int
    asked: bool = False
    """Whether a person asked for it."""
    drifted: bool = False


WANTED = Document(name="wanted-run", type=WantedRun, placement="standing")
"""One per dataset that ever had one; it counts until a run of its version, or of a newer one, has the slot."""


def want(dataset: str, wanted: WantedRun, services: Services) -> None:
    """To be done before whoever frees the slot looks; a wish that was fulfilled is forgotten. raises: Conflict, to be done
    again"""
    documents = services.ledger.documents
    there, slot = documents.read(WANTED, dataset), documents.read(SLOT, dataset)
    is_open = there is not None and (slot is None or there.value.version > slot.value.version)
    known = there.value if there and is_open else wanted
    both = WantedRun(
        version=max(known.version, wanted.version),
        asked=known.asked or wanted.asked,
        drifted=known.drifted or wanted.drifted,
    )
    if there is None or both != there.value:
        documents.write(WANTED, dataset, both, over=there)


def wanted_after(version: int, dataset: str, services: Services) -> WantedRun:
    """What the next run need not wait for. version: of the last that had the slot"""
    there = services.ledger.documents.read(WANTED, dataset)
    return there.value if there and there.value.version > version else WantedRun(version=version)


def free_slot(dataset: str, run: str, services: Services, *, failed: bool) -> Slot | None:
    """Lets the dataset's next run begin; returns the slot, or None when the run does not hold it (any more)."""
    documents = services.ledger.documents
    slot = documents.read(SLOT, dataset)
    if slot is None or slot.value.run != run:
        return None
    if slot.value.state == "free":
        return slot.value
    freed = replace(slot.value, state="free", failed=failed)
    try:
        return documents.write(SLOT, dataset, freed, over=slot).value
    except Conflict:
        return free_slot(dataset, run, services, failed=failed)
