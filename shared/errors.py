"""Every error Campanha raises, split by what the host should do about it.

    CampanhaError
    ├── Transient              the host delivers the message again, later
    │   ├── Conflict           somebody else changed the row first: read again, decide again
    │   └── Superseded         the blob is no longer the one we were told about
    ├── InProgress             another delivery is doing this fact now: let it
    ├── Refused                the other side said no for good; the reason is part of the outcome
    │   ├── Unanswerable       the model failed on these rows; on others it may not
    │   └── Gone               a subscriber wants to hear no more
    └── ConfigurationError     at start-up: nothing works until the settings are mended

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


class Conflict(Transient):
    """The row was changed, or made, by somebody else; read it again and decide again."""


class Superseded(Transient):
    """The blob was overwritten or deleted since we were told of it; its newer version has an event of its own."""


class InProgress(CampanhaError):
    """Another delivery of the same fact is being worked on; it, or the reconciler, will finish it."""


class Refused(CampanhaError):
    """The service refused the request and will refuse it again; mend what the message names, then retry."""


class Gone(Refused):
    """Nobody listens there any more; take the address out of the settings, or give the right one."""


class Unanswerable(Refused):
    """The model failed on the rows it was asked about; ask about fewer to find those at fault."""


class ConfigurationError(CampanhaError):
    """Settings are missing or ill-typed; the message lists every one of them."""
