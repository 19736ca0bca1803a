"""Whether an operator has paused work, by whom and why: one document, read before anything new begins."""

from __future__ import annotations

from dataclasses import dataclass

from shared.ledger import Document
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class WorkPause:
    """The newest pause; `paused` is False once work was resumed."""

    paused: bool
    operation: str
    by: str
    reason: str
    since: str


WORK_PAUSE = Document(name="work-pause", type=WorkPause, placement="standing", shown=True)
ALL = "all"
"""The one part there is."""


def is_paused(services: Services) -> bool:
    pause = services.ledger.documents.read(WORK_PAUSE, ALL)
    return pause is not None and pause.value.paused
