"""Runs of the workspace that this ledger never started: they are ignored, and health says which, lest they be missed.

They are another program's, or another ledger's on the same workspace: one that was begun anew finds its older runs so.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from shared.errors import Conflict
from shared.ledger import Document
from shared.services import Services

MOST = 10
"""Names that are kept: enough to see whose they are."""


@dataclass(frozen=True, kw_only=True)
class IgnoredRuns:
    """The newest that were ignored, the newest first."""

    runs: list[str]


IGNORED_RUNS = Document(name="ignored-runs", type=IgnoredRuns)


def note_ignored(run: str, services: Services) -> None:
    documents = services.ledger.documents
    known = documents.read(IGNORED_RUNS, "workspace")
    runs = known.value.runs if known else []
    if run in runs:
        return
    with suppress(Conflict):  # another worker noted one as well, and there will be more events of this one
        documents.write(IGNORED_RUNS, "workspace", IgnoredRuns(runs=[run, *runs][:MOST]), over=known)


def ignored_runs(services: Services) -> list[str]:
    """The newest, without those that have become known since: a run's first event may be quicker than its record."""
    known = services.ledger.documents.read(IGNORED_RUNS, "workspace")
    return [run for run in known.value.runs if services.ledger.find("run", run) is None] if known else []
