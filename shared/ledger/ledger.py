"""The ledger as one object: its parts put together over two tables, the large one of the past and the small present."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from shared.domain.policy import Policy
from shared.kinds import STATES
from shared.ledger.audit_log import AuditLog
from shared.ledger.change_feed import ChangeFeed
from shared.ledger.change_token import ChangeToken
from shared.ledger.claims import Claims
from shared.ledger.documents import Document, Documents, Remembered
from shared.ledger.event_log import EventLog, Sums
from shared.ledger.open_causes import Causes
from shared.ledger.outbox import COUNT, Counted, Outbox, Watch
from shared.ledger.records import Record, Records
from shared.ports import Row, Table

T = TypeVar("T")

NOW = "now"
"""The partition of what stands for the present: few rows, and changed in transactions."""


@dataclass(frozen=True, kw_only=True)
class Present:
    """What stands for the present, in one read: standing documents, sums, and how many facts are done and open."""

    rows: dict[str, Row]
    documents: Documents
    sums: Sums
    causes: Causes
    counted: Counted

    def document(self, document: Document[T], part: str) -> T | None:
        return self.documents.of(document, self.rows, part)

    def each(self, document: Document[T]) -> dict[str, T]:
        """All parts of a standing document, by part."""
        first = document.row_key("")
        parts = [key.removeprefix(first) for key in self.rows if key.startswith(first)]
        return {part: found for part in parts if (found := self.document(document, part)) is not None}


class Ledger:
    """Claims, outbox, records, events, documents and change tokens over a table for the present and one for the past."""

    def __init__(
        self,
        past: Table,
        *,
        now: Callable[[], datetime],
        lease_seconds: int,
        most_attempts: int = Policy.most_attempts,
        present: Table | None = None,
        remembered: Remembered | None = None,
        mended: Watch = lambda counted: None,
    ) -> None:
        """present: a table for the little that stands for the present, beside all that is past. Azure finds a
        partition whatever else is in the table; the embedded storage scans the whole table for it.

        remembered: by this process, of documents that seldom change
        mended: told of what mends itself
        """
        self._present = present = present or past
        self.token = ChangeToken(present, NOW)
        self.claims = Claims(past, now=now, lease_seconds=lease_seconds, most_attempts=most_attempts)
        self.events = EventLog(hot=present, cold=past, within=NOW)
        self.outbox = Outbox(
            present,
            within=NOW,
            claims=self.claims,
            events=self.events,
            token=self.token,
            now=now,
            lease_seconds=lease_seconds,
            mended=mended,
        )
        self.records = Records(
            present=present, past=past, kinds=STATES, now=now, noted=self.token.note_things
        )
        self.changes = ChangeFeed(self.events, self.records)
        self.documents = Documents(
            present=present,
            past=past,
            now_partition=NOW,
            token=self.token,
            now=now,
            remembered={} if remembered is None else remembered,
        )
        self.audit = AuditLog(present=present, past=past)

    def find(self, kind: str, id_: str) -> Record | None:
        """The record of that id, as it is now."""
        return self.records.find(kind, id_)

    def newest(self, kind: str, *, limit: int = 50) -> list[Record]:
        """The newest records of a kind."""
        return [listed.record for listed in self.records.newest(kind, limit=limit)]

    def present(self) -> Present:
        """All that stands for the present and is bounded, in one read."""
        rows: Sequence[Row] = list(self._present.rows(NOW, after=COUNT, before="event~~"))
        return Present(
            rows={row.row: row for row in rows},
            documents=self.documents,
            sums=self.events.sums(rows),
            causes=self.events.causes(rows),
            counted=self.outbox.counted(rows),
        )
