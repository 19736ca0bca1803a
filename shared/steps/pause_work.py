"""An operator halts work: what begins something new waits until somebody lets it go on."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import Fact, WorkPaused
from shared.services import Services

WORK = "work"
"""One document: whether work is paused, by whom and why."""


def pause_work(fact: WorkPaused, services: Services) -> Iterable[Fact]:
    """raises: Conflict when somebody paused or resumed at the same moment"""
    work = services.ledger.document(WORK, "now")
    if work is None or not work.value["paused"]:
        value = {"paused": True, "operation": fact.operation, "by": fact.by, "reason": fact.reason}
        value |= {"since": services.now().isoformat(timespec="milliseconds")}
        services.ledger.put(WORK, "now", value, over=work)
    return []
