"""A run is asked for once: the document that says so is written before the POST, and read by whoever comes after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.errors import Refused, Transient
from shared.ports import PipelineEndpoint, Row
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Submission:
    """How far it has come."""

    document: Row
    """As it is kept now."""
    run: str | None
    """The workspace's name for the run; None while nobody can know whether there is one."""
    wait_seconds: int = 0
    """After so long it can be known."""


def submit_once(
    pipeline: PipelineEndpoint[Any], request: Any, document: Row, services: Services
) -> Submission:
    """POSTs the request, unless an earlier POST of it has arrived, or may yet arrive.

    The POST is the one act that cannot be taken back. Whoever comes after a crash, or after an answer that was lost,
    looks the run up by the name we chose; not finding it proves nothing until the fence has passed.
    document: `intended`; its value's `posted` is the time of the last POST, or None
    raises: Refused when the answer is a definite no; the next attempt may then come at once
    """
    posted, now, amend = document.value["posted"], services.now(), services.ledger.amend
    run = pipeline.find(request) if posted else None
    if run is None:
        wait = _fence(posted, now, services)
        if wait > 0:
            return Submission(document=document, run=None, wait_seconds=wait)
        document = amend(document, {**document.value, "posted": now.isoformat()})
        try:
            run = pipeline.submit(request)
        except Refused:
            amend(document, {**document.value, "posted": None})
            raise
        except Transient:
            seconds = max(1, services.policy.submit_fence_seconds)
            return Submission(document=document, run=None, wait_seconds=seconds)
    submitted = {**document.value, "state": "submitted", "run": run, "started": now.isoformat()}
    return Submission(document=amend(document, submitted), run=run)


def _fence(posted: str | None, now: datetime, services: Services) -> int:
    """Seconds until an unanswered submission can no longer arrive."""
    if posted is None:
        return 0
    passed = now - datetime.fromisoformat(posted)
    left = timedelta(seconds=services.policy.submit_fence_seconds) - passed
    return max(0, round(left.total_seconds()))
