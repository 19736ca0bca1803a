"""Let a burst of uploads become one dataset version: put each aside, and look when it may be over."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict

from shared.domain.facts import DatasetDue, Fact, UploadAdmitted
from shared.domain.names import digest
from shared.errors import Conflict
from shared.services import Services


def gather_uploads(fact: UploadAdmitted, services: Services) -> Iterable[Fact]:
    """Adds the upload to its dataset's window; the window's end is decided when the `DatasetDue` comes round."""
    ledger, policy = services.ledger, services.policy
    window = f"gathered-{fact.dataset}"
    with suppress(Conflict):  # gathered by an earlier delivery; what follows is the same
        ledger.put(window, digest(fact.upload), asdict(fact), over=None)
    full = len(ledger.documents(window)) >= policy.gather_most_files
    wait = 0 if full else policy.gather_quiet_seconds
    return [DatasetDue(dataset=fact.dataset, cause=fact.upload, after_seconds=wait)]
