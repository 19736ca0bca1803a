"""What people decided about a dataset's rows: uploads that are withdrawn, and dataset versions whose rows are trusted.

A decision stands for good, in a document of its own that is written once: whoever makes a dataset version reads all of
the dataset's. So it does not matter when a decision comes, before or after an upload's rows are in a version, nor
what dies in between. Decisions are a person's, and few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from shared.domain.datasets.manifest import Decision, Trusted
from shared.domain.kinds.kind import Change
from shared.domain.names import digest
from shared.errors import Conflict, Transient
from shared.ledger import Document
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """An upload whose rows no dataset version is to have any more."""

    upload: str
    operation: str
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Trust:
    """A dataset version whose new rows are learned from, however implausible they are."""

    version: int
    operation: str
    by: str
    reason: str


NOT_ADMITTED = {
    "arrived": "it is still being checked: ask again once it is admitted",
    "rejected": "no row of it was ever taken: it lies in quarantine as a whole",
    "replaced": "its rows are gone: a newer version of the file replaced it; withdraw that one",
}
"""Why an upload in one of these states cannot be withdrawn."""

T = TypeVar("T", Withdrawal, Trust)

WITHDRAWALS = Document(name="withdrawal", type=Withdrawal, placement="current")
"""By the digest of the upload's id, within a dataset."""
TRUSTS = Document(name="trust", type=Trust, placement="current")
"""By the version, within a dataset."""


def withdraw(dataset: str, withdrawal: Withdrawal, services: Services) -> Withdrawal:
    """Writes it down; returns the one that stands, which is an earlier one where there is one."""
    return _decide(WITHDRAWALS, digest(withdrawal.upload), withdrawal, dataset, services)


def trust(dataset: str, trusted: Trust, services: Services) -> Trust:
    """As `withdraw`."""
    return _decide(TRUSTS, str(trusted.version), trusted, dataset, services)


def _decide(document: Document[T], part: str, decision: T, dataset: str, services: Services) -> T:
    documents = services.ledger.documents
    try:
        return documents.write(document, part, decision, over=None, within=dataset).value
    except Conflict:
        standing = documents.read(document, part, within=dataset)
    if standing is None:
        raise Transient("the decision was there and is gone; it is written again")
    return standing.value


def withdrawal_of(dataset: str, upload: str, services: Services) -> Withdrawal | None:
    """The decision by which the upload was withdrawn; None where it was not."""
    found = services.ledger.documents.read(WITHDRAWALS, digest(upload), within=dataset)
    return found.value if found else None


def trust_of(dataset: str, version: int, services: Services) -> Trust | None:
    """The decision by which the version's new rows are trusted; None where they are not."""
    found = services.ledger.documents.read(TRUSTS, str(version), within=dataset)
    return found.value if found else None


def withdrawn_uploads(dataset: str, services: Services) -> dict[str, Decision]:
    """All that were withdrawn from a dataset."""
    found = services.ledger.documents.read_all(WITHDRAWALS, within=dataset)
    return {one.value.upload: Decision(by=one.value.by, reason=one.value.reason) for one in found}


def trusted_versions(dataset: str, services: Services) -> list[Trusted]:
    """All versions of a dataset whose new rows are trusted, the oldest first."""
    found = (one.value for one in services.ledger.documents.read_all(TRUSTS, within=dataset))
    told = [Trusted(version=one.version, by=one.by, reason=one.reason) for one in found]
    return sorted(told, key=lambda one: one.version)


def settled(version: str, services: Services) -> list[Change]:
    """A dataset version whose rows were in doubt waits for a person no longer. version: its id"""
    known = services.ledger.find("dataset", version)
    if known is None or known.state != "doubted":
        return []
    return [Change(kind="dataset", id=version, state="settled")]
