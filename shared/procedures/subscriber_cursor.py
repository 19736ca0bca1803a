"""How far each subscriber is in the log of events."""

from __future__ import annotations

from dataclasses import dataclass

from shared.ledger import Document, Ledger


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """How far one subscriber is in the log of events, and how the last tries went."""

    next: int
    """The number of the event that is delivered next."""
    shook_hands: bool = False
    per_minute: int | None = None
    """How many requests it granted in the handshake; None: as many as there are."""
    failures: int = 0
    not_before: str | None = None
    gone: bool = False
    until: str | None = None
    """A lease: until then one worker delivers to this subscriber, and no other."""


CURSOR = Document(name="cursor", type=Cursor, placement="standing")
"""One per subscriber."""


def cursors(ledger: Ledger) -> dict[str, Cursor]:
    """Of every subscriber that was ever told of events, by its name."""
    found = ledger.documents.read_all(CURSOR)
    return {one.row.row.removeprefix(CURSOR.row_key("")): one.value for one in found}
