"""A client of one list, for tests of what it is told: it walks the list, follows it, and remembers all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Thread

from shared.ledger import Cursor, Ledger, Listed


@dataclass
class Reader:
    """A client of one list, as the API lets it read: pages of the walk, then pages of what changed."""

    ledger: Ledger
    page: int = 3
    kind: str = "upload"
    told: list[tuple[str, int]] = field(default_factory=list)
    """Each record that was shown, with the move it was shown with, in this order."""
    state: dict[str, tuple[str, int]] = field(default_factory=dict)

    def walk(self, *, between: Callable[[], None] = lambda: None) -> Cursor:
        cursor = self.ledger.changes.position()
        between()
        before: int | None = None
        while True:
            page = self.ledger.records.newest(self.kind, limit=self.page, before=before)
            for listed in page:
                self._takes(listed)
            cursor = cursor.with_page(page)
            between()
            if not page or page[-1].number == 0:
                return cursor
            before = page[-1].number

    def follow(self, cursor: Cursor) -> Cursor:
        """To where the log ends now."""
        while True:
            unread, cursor = self.ledger.changes.unread(cursor)
            if unread <= 0:
                return cursor
            for step in self.ledger.changes.read(self.kind, cursor, limit=min(unread, self.page)):
                cursor = step.cursor
                if step.listed:
                    self._takes(step.listed)

    def keep_up(self, writers: Sequence[Thread]) -> None:
        """Walks the list and follows it until the writers are done, and then to its end."""
        cursor = self.walk()
        while any(writer.is_alive() for writer in writers):
            cursor = self.follow(cursor)
        for writer in writers:
            writer.join()
        self.follow(cursor)

    def _takes(self, listed: Listed) -> None:
        self.told.append((listed.record.id, listed.moved))
        self.state[listed.record.id] = (listed.record.state, listed.moved)

    def repeated(self) -> dict[tuple[str, int], int]:
        return {move: times for move, times in Counter(self.told).items() if times > 1}


def read_anew(ledger: Ledger, kind: str = "upload") -> dict[str, tuple[str, int]]:
    listed = ledger.records.newest(kind, limit=100_000)
    return {one.record.id: (one.record.state, one.moved) for one in listed}
