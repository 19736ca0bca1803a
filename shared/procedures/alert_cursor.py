"""The cursor of an alert channel: which alerts it has told of, and how its last tries went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.ledger import Document

TRIES_UNTIL_FAILING = 3
"""In a row. One or two are a restart of the other side; people are told none the later for it."""


@dataclass(frozen=True, kw_only=True)
class AlertCursor:
    """How far one channel is along the list of alerts."""

    next: int
    """The number of the alert that is looked at next."""
    owed: list[int] = field(default_factory=list)
    """Alerts before it that were raised when the channel came, and are still to be told of."""
    told: list[int] = field(default_factory=list)
    """Those that it told of, and whose end is still to be told."""
    failures: int = 0
    """In a row, up to now."""
    failing_since: str | None = None
    problem: str = ""
    """What the last try came to; empty when it was taken."""
    delivered: str | None = None
    """When the last message was taken."""
    not_before: str | None = None
    until: str | None = None
    """A lease: until then one worker tells through this channel, and no other."""

    @property
    def failing(self) -> bool:
        return self.failures >= TRIES_UNTIL_FAILING


ALERT_CURSOR = Document(name="alert-cursor", type=AlertCursor, placement="standing", shown=True)
"""One per channel."""

Cursors = Mapping[str, AlertCursor]
"""By the channel's name."""


def notifier_status(cursors: Cursors) -> str:
    """Whether people are told: `pass`, `warn` (a channel fails), `fail` (all do), or `none` where none is set up."""
    failing = [cursor.failing for cursor in cursors.values()]
    if not failing:
        return "none"
    return "fail" if all(failing) else "warn" if any(failing) else "pass"
