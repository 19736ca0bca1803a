"""The gather window: a debounce over admitted uploads, so that a burst of files becomes one dataset version.

An upload joins in two steps: its row is written, then the window's document is read. Closing goes the other way round:
the document is deleted, then the rows are read. So an upload is either read by the worker that closes, or finds the
window closed and opens the next one; and one `DatasetDue` is enough for each window, made by the upload that opened it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from shared.domain.facts import DatasetDue, UploadAdmitted
from shared.domain.names import digest
from shared.errors import Conflict
from shared.ledger import Document, Versioned
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Window:
    """An open window of one dataset."""

    opened_by: str
    """The upload that opened it, and so says when it is due."""


WINDOW = Document(name="window", type=Window, placement="current")
"""One per dataset while its window is open."""
GATHERED = Document(name="gathered", type=UploadAdmitted, placement="current")
"""The uploads in a dataset's window, by the digest of their id."""


def join_window(admitted: UploadAdmitted, services: Services) -> list[DatasetDue]:
    """Puts the upload into its dataset's window; what is due then, if this one opened it."""
    documents, dataset = services.ledger.documents, admitted.dataset
    with suppress(Conflict):  # joined by an earlier delivery
        documents.write(GATHERED, digest(admitted.upload), admitted, over=None, within=dataset)
    window = documents.read(WINDOW, dataset)
    if window is None:
        with suppress(Conflict):  # another upload opened it at the same moment
            window = documents.write(WINDOW, dataset, Window(opened_by=admitted.upload), over=None)
    if window is None or window.value.opened_by != admitted.upload:
        return []
    quiet = services.policy.gather_quiet_seconds
    return [DatasetDue(dataset=dataset, cause=admitted.upload, after_seconds=quiet)]


def gathered(dataset: str, services: Services) -> list[Versioned[UploadAdmitted]]:
    """The uploads in the window, in the order in which they joined."""
    rows = services.ledger.documents.read_all(GATHERED, within=dataset)
    return sorted(rows, key=lambda row: row.changed)


def close_window(dataset: str, services: Services) -> None:
    """From now on an upload that joins opens the next one. To be done before the rows are read."""
    window = services.ledger.documents.read(WINDOW, dataset)
    if window is not None:
        services.ledger.documents.delete(WINDOW, window)


def leave_window(members: Iterable[Versioned[UploadAdmitted]], services: Services) -> None:
    """These are in a dataset version now."""
    services.ledger.documents.delete(GATHERED, *members)
