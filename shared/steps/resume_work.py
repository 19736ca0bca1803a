"""An operator lets work go on: everything that waited is due now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from shared.domain.facts import Fact, WorkResumed
from shared.domain.kinds.kind import Change
from shared.services import Services
from shared.steps.pause_work import WORK


def resume_work(fact: WorkResumed, services: Services) -> Iterable[Fact]:
    """First work goes on, then what waited is told: whatever comes in between finds that it need not wait.

    raises: Conflict when somebody paused or resumed at the same moment
    """
    work = services.ledger.document(WORK, "now")
    if work is not None and work.value["paused"]:
        services.ledger.put(WORK, "now", {**work.value, "paused": False}, over=work)
    if work is not None:
        values = {"resumed_by": fact.by, "resumed_because": fact.reason or None}
        services.ledger.record(
            [Change(kind="work", id=work.value["operation"], state="resumed", values=values)]
        )
    waiting = [waiting for waiting, _ in services.ledger.unfinished(older_than=timedelta(0))]
    return [one for one in waiting if one.waits]
