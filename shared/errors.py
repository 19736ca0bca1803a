"""Errors of the app, by what the host should do about each: redeliver, let another worker finish, or record a refusal.

    CampanhaError
    ├── Transient              the host delivers the message again, later
    │   ├── Busy               a subscriber says when it takes events again
    │   ├── NotLetIn           401 or 403: the caller has no role there, or not yet; nothing was done
    │   ├── Conflict           optimistic concurrency: another wrote first; read, decide again
    │   └── Superseded         the blob is no longer the version the event named
    ├── UnreadableMessage      a message is no fact, and no later delivery makes it one: a dead letter at once
    ├── GivenUp                the step failed as often as it may: a dead letter, whatever delivers it again
    ├── InProgress             another delivery holds this fact's lease: let it finish
    ├── Refused                the other side said no for good; the reason is part of the outcome
    │   ├── Unanswerable       the model failed on these rows; on others it may not
    │   └── Gone               a subscriber answered 410: it is unsubscribed
    └── ConfigurationError     at start-up: nothing works until the settings are mended

Adapters translate each SDK's errors into these. Errors that never leave their caller stand beside it: a route's
`Problem`, a credential's `NotAdmitted`, a batch run's `Mismatch`.

Bad data is not an error: it is an outcome (`UploadRejected`), recorded once. A trigger that raises is called
again by the host, and a file does not get better by being read twice.
"""

from __future__ import annotations


class CampanhaError(Exception):
    """Something went wrong in Campanha; see the message for what to do."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip().splitlines()[0])


class Transient(CampanhaError):
    """The other side did not answer as hoped; the message is delivered again and the step is done again."""


class Busy(Transient):
    """The subscriber takes no event before a time that it named.

    seconds: until then; taken: events it took before
    """

    def __init__(self, message: str, *, seconds: float, taken: int = 0) -> None:
        super().__init__(message)
        self.seconds, self.taken = seconds, taken


class NotLetIn(Transient):
    """The caller is not known there, or has no role: give it one; a new one takes minutes to work."""


class Conflict(Transient):
    """The row was changed, or made, by another worker; read it again and decide again."""


class Superseded(Transient):
    """The blob was overwritten or deleted since its event; its newer version has an event of its own."""


class UnreadableMessage(CampanhaError):
    """The message is not what its queue is for; the reason says what of it cannot be read."""


class GivenUp(CampanhaError):
    """The step failed as often as it may; it is a person's now."""


class InProgress(CampanhaError):
    """Another delivery of the same fact is being worked on; it, or the reconciler, will finish it."""


class Refused(CampanhaError):
    """The service refused the request and will refuse it again; mend what the message names, then retry."""


class Gone(Refused):
    """The subscriber is gone (410); take its address out of the settings, or give the right one."""


class Unanswerable(Refused):
    """The model failed on some of the rows of the request; send fewer to find those at fault."""


class ConfigurationError(CampanhaError):
    """Settings are missing or ill-typed; the message lists every one of them."""


def in_words(problem: Exception) -> str:
    """What a person is told of a failure. Our own errors speak for themselves; of any other only its type is said, since
    its words may hold values of a row."""
    name = type(problem).__name__
    return f"{name}: {problem}" if isinstance(problem, CampanhaError) else f"{name}; the app's log has more"


def started_with_other_inputs(run: str) -> str:
    """What a refusal says of a run that is not the one that was asked for."""
    return (
        f"the workspace has a run {run} that was started with other inputs, by another ledger or by hand; it is not"
        " taken for this one: give each ledger a workspace of its own, or let the retraining clock try again"
    )
