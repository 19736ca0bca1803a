"""Idempotent submission: a run is POSTed once. An intent log: the intent is written before the POST, and read after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, TypeVar

from shared.errors import NotLetIn, Refused, Transient
from shared.ledger import Document, Versioned
from shared.ledger.outbox import FENCE_WAIT
from shared.ports import PipelineEndpoint
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A run that is to be, or was, submitted."""

    state: Literal["intended", "submitted", "free"]
    run: str
    """The name we chose; once it is submitted, the workspace's."""
    posted: str | None = None
    """When the last POST was made whose answer is not known to be a no."""
    started: str | None = None
    kept_out_since: str | None = None
    """Since when the service has let us in no more, if it does not."""


KNOCK_SECONDS = 10
"""After so long a service that did not let us in is asked again: a role takes its time to work."""
KEPT_OUT = timedelta(minutes=60)
"""After so long it is a person's business; source: roles take up to ten minutes, groups and managed identities longer."""
LONGEST_WRITE, WRITE_TRIES = timedelta(seconds=5), 3
"""From the time that is noted of a POST to the POST; the fence is longer than a request may be late, by more than this."""
IntentT = TypeVar("IntentT", bound=Intent)


@dataclass(frozen=True, kw_only=True)
class Submission(Generic[IntentT]):
    """How far it has come."""

    intent: Versioned[IntentT]
    """As it is stored now."""
    run: str | None
    """The workspace's name for the run; None while it cannot be known whether there is one."""
    wait_seconds: int = 0
    """After so long it can be known."""


def submit_once(
    pipeline: PipelineEndpoint[Any],
    request: Any,
    *,
    document: Document[IntentT],
    part: str,
    intent: Versioned[IntentT],
    services: Services,
) -> Submission[IntentT]:
    """POSTs the request, unless an earlier POST of it has arrived, or may yet arrive.

    The POST is the one act that cannot be undone. After a crash, or an answer that was lost, the run is looked up by
    the name we chose; its absence proves nothing until the fence has passed, since the POST may still be on its way.
    document, part: where the intent is stored
    raises: Refused when the answer is a definite no; the next attempt may then come at once
    """

    def write(value: IntentT, over: Versioned[IntentT]) -> Versioned[IntentT]:
        return services.ledger.documents.write(document, part, value, over=over)

    now = services.now()  # before it is looked: what arrives while it is looked is not found
    run = pipeline.find(request)  # at the first time too: a ledger that was restored may not know of its POST
    if run is None:
        wait = _fence(intent.value.posted, now, services)
        if wait > 0:
            services.ledger.outbox.count(Counter({FENCE_WAIT: 1}))
            return Submission(intent=intent, run=None, wait_seconds=wait)
        intent = _about_to_post(intent, write, services)
        try:
            run = pipeline.submit(request)
        except Refused:
            write(replace(intent.value, posted=None), intent)
            raise
        except NotLetIn as no:
            return Submission(intent=_kept_out(intent, no, write, now), run=None, wait_seconds=KNOCK_SECONDS)
        except Transient:
            services.ledger.outbox.count(Counter({FENCE_WAIT: 1}))
            seconds = max(1, services.policy.submit_fence_seconds)
            return Submission(intent=intent, run=None, wait_seconds=seconds)
    submitted = replace(intent.value, state="submitted", run=run, started=now.isoformat())
    return Submission(intent=write(submitted, intent), run=run)


def _about_to_post(
    intent: Versioned[IntentT],
    write: Callable[[IntentT, Versioned[IntentT]], Versioned[IntentT]],
    services: Services,
) -> Versioned[IntentT]:
    """Notes the time of the POST that comes next. Where writing it down took long it is noted anew: the fence begins there,
    and has to outlast the POST. raises: Transient, when storage is too slow for that"""
    for _ in range(WRITE_TRIES):
        posted = services.now()
        intent = write(replace(intent.value, posted=posted.isoformat()), intent)
        if services.now() - posted <= LONGEST_WRITE:
            return intent
    raise Transient("storage is so slow that nothing can be submitted safely")


def _kept_out(
    intent: Versioned[IntentT],
    no: NotLetIn,
    write: Callable[[IntentT, Versioned[IntentT]], Versioned[IntentT]],
    now: datetime,
) -> Versioned[IntentT]:
    """Nothing was started, so nothing can arrive late. raises: Refused, when it has been so for too long"""
    since = intent.value.kept_out_since or now.isoformat()
    is_over = now - datetime.fromisoformat(since) >= KEPT_OUT
    kept = write(replace(intent.value, posted=None, kept_out_since=None if is_over else since), intent)
    if is_over:
        raise Refused(f"for {KEPT_OUT.total_seconds() / 60:.0f} minutes {no}") from no
    return kept


def _fence(posted: str | None, now: datetime, services: Services) -> int:
    """Seconds until an unanswered submission can no longer arrive."""
    if posted is None:
        return 0
    passed = now - datetime.fromisoformat(posted)
    left = timedelta(seconds=services.policy.submit_fence_seconds) - passed
    return max(0, round(left.total_seconds()))
