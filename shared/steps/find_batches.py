"""Discovery of batches: the new files in the scoring container that a released model can score now."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain import names
from shared.domain.facts import BatchDue, Fact, ScoringDue
from shared.domain.tables.contract import Contract
from shared.domain.tables.dialect import LONGEST, FileProblem, read_header
from shared.domain.tables.header_match import match
from shared.domain.tables.unreadable import UnreadableFile, content_faults
from shared.errors import CampanhaError, Superseded
from shared.ports import Blob
from shared.procedures.released_model import RELEASED
from shared.procedures.unseen_blobs import unseen_blobs
from shared.services import Services


def find_batches(fact: ScoringDue, services: Services) -> Iterable[Fact]:
    """Names each new file once. A file whose dataset has no released model yet waits for a later tick."""
    if fact.late and services.policy.score_catch_up == "none":
        return
    for blob, due in unseen_blobs(names.SCORING, _due, services):
        if _can_be_scored(blob, services):
            yield due


def _due(blob: Blob) -> Fact:
    return BatchDue(name=blob.name, etag=blob.etag)


def _can_be_scored(blob: Blob, services: Services) -> bool:
    """Whether a model is there for it; a file that fits no contract, or cannot be read, is taken up too, to fail alone."""
    try:
        with content_faults():
            header, _ = read_header([services.files.read_range(blob, 0, min(blob.size, LONGEST + 1))])
        if isinstance(header, FileProblem):
            return True
        contract = match(header.names, services.contracts, "scoring")
    except Superseded:
        return False
    except (CampanhaError, UnreadableFile):
        return True  # it fails as a batch of its own, by its name, and keeps no other waiting
    if not isinstance(contract, Contract):
        return True
    return services.ledger.documents.read(RELEASED, contract.dataset) is not None
