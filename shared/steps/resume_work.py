"""An operator lets work go on: everything that waited is due now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from shared.domain.facts import Fact, WorkResumed
from shared.domain.kinds.kind import Change
from shared.procedures.work_pause import ALL, WORK_PAUSE
from shared.services import Services


def resume_work(fact: WorkResumed, services: Services) -> Iterable[Fact | Change]:
    """First the pause ends, then what waited is published: a fact that comes in between finds that it need not wait.

    raises: Conflict when work was paused or resumed at the same moment
    """
    pause = services.ledger.documents.read(WORK_PAUSE, ALL)
    if pause is not None:
        if pause.value.paused:
            services.ledger.documents.write(WORK_PAUSE, ALL, replace(pause.value, paused=False), over=pause)
        values = {"resumed_by": fact.by, "resumed_because": fact.reason or None}
        yield Change(kind="work", id=pause.value.operation, state="resumed", values=values)
    for waiting, _ in services.ledger.outbox.unfinished(older_than=timedelta(0)):
        if waiting.waits:
            yield waiting
