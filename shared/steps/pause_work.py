"""Pause: an operator halts whatever would begin something new, until work is resumed."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import Fact, WorkPaused
from shared.procedures.work_pause import ALL, WORK_PAUSE, WorkPause
from shared.services import Services


def pause_work(fact: WorkPaused, services: Services) -> Iterable[Fact]:
    """raises: Conflict when work was paused or resumed at the same moment"""
    pause = services.ledger.documents.read(WORK_PAUSE, ALL)
    if pause is None or not pause.value.paused:
        value = WorkPause(
            paused=True,
            operation=fact.operation,
            by=fact.by,
            reason=fact.reason,
            since=services.now().isoformat(timespec="milliseconds"),
        )
        services.ledger.documents.write(WORK_PAUSE, ALL, value, over=pause)
    return []
