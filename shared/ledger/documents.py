"""Small typed documents under optimistic concurrency: what several workers change, one value at a time.

Who uses a document declares it, with the dataclass of its value; the ledger knows none of them by name. A version that
was read is the fence for the next write, as an ETag is on the wire.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar

from shared.domain.json_types import as_json
from shared.errors import Conflict
from shared.ledger.change_token import ChangeToken
from shared.ports import Delete, Row, Table

T = TypeVar("T")

MOST_WRITES = 100
"""What a table takes in one transaction."""

Placement = Literal["standing", "current", "past"]
"""`standing`: a few, read all at once by the status page; `current`: as long as something is under way, in a
partition of its own; `past`: for good, found by key among any number."""


@dataclass(frozen=True, kw_only=True)
class Document(Generic[T]):
    """One kind of document, as its owner declares it."""

    name: str
    type: type[T]
    placement: Placement = "past"
    shown: bool = False
    """Whether an answer of the API shows it, so that its change moves the change token."""

    @cached_property
    def fields(self) -> frozenset[str]:
        """The names that its values have."""
        of: Any = self.type
        return frozenset(field.name for field in fields(of))

    def row_key(self, part: str) -> str:
        return f"doc-{self.name}--{part}" if self.placement == "standing" else part


@dataclass(frozen=True, kw_only=True)
class Versioned(Generic[T]):
    """A document's value as it was read, or written, last."""

    value: T
    row: Row

    @property
    def changed(self) -> datetime:
        """By storage's clock."""
        return self.row.changed


Remembered = dict[tuple[str, str], tuple[datetime | None, Versioned[Any] | None]]
"""What a process has read of documents that seldom change, by name and part, and when."""


class Documents:
    """Reads and writes documents, each in the table and partition of its placement."""

    def __init__(
        self,
        *,
        present: Table,
        past: Table,
        now_partition: str,
        token: ChangeToken,
        now: Callable[[], datetime],
        remembered: Remembered,
    ) -> None:
        self._present, self._past, self._now, self._token = present, past, now_partition, token
        self._clock, self._remembered = now, remembered

    def read(self, document: Document[T], part: str, *, within: str = "") -> Versioned[T] | None:
        row = self._table(document).get(self._partition(document, within), document.row_key(part))
        return _versioned(document, row) if row else None

    def recent(self, document: Document[T], part: str, *, seconds: float) -> Versioned[T] | None:
        """As it was read here at most so long ago, or written since: for what is looked at often and changes seldom."""
        key, now = (document.name, part), self._clock()
        read, known = self._remembered.get(key, (None, None))
        if read is not None and abs((now - read).total_seconds()) < seconds:
            return known
        found = self.read(document, part)
        self._remembered[key] = (now, found)
        return found

    def read_all(self, document: Document[T], *, within: str = "") -> list[Versioned[T]]:
        """All parts, in the order of their keys."""
        partition = self._partition(document, within)
        first = document.row_key("")
        after, before = (first, f"{first[:-1]}.") if document.placement == "standing" else ("", "")
        rows = self._table(document).rows(partition, after=after, before=before)
        return [_versioned(document, row) for row in rows]

    def write(
        self, document: Document[T], part: str, value: T, *, over: Versioned[T] | None, within: str = ""
    ) -> Versioned[T]:
        """Writes over exactly the version that was read (None: there was none); raises: Conflict."""
        table, body = self._table(document), as_json(value)
        try:
            if over is None:
                row = table.insert(self._partition(document, within), document.row_key(part), body)
            else:
                row = table.replace(over.row, body)
        finally:  # after it, so that no token moves on before it can be seen; and if the answer is lost as well
            self._remembered.pop((document.name, part), None)
            if document.shown:
                self._token.note_things()
        return Versioned(value=value, row=row)

    def delete(self, document: Document[T], *versions: Versioned[T]) -> None:
        """Deletes documents of one partition, whatever became of them."""
        table = self._table(document)
        for start in range(0, len(versions), MOST_WRITES):
            some = versions[start : start + MOST_WRITES]
            if len(some) == 1 or not _deleted_together(table, some):
                for version in some:
                    table.delete(version.row)

    def of(self, document: Document[T], rows: dict[str, Row], part: str) -> T | None:
        """The value of a standing document among rows that were read together."""
        row = rows.get(document.row_key(part))
        return _versioned(document, row).value if row else None

    def _table(self, document: Document[Any]) -> Table:
        return self._past if document.placement == "past" else self._present

    def _partition(self, document: Document[Any], within: str) -> str:
        if document.placement == "standing":
            return self._now
        return f"doc-{document.name}--{within}" if within else f"doc-{document.name}"


def _deleted_together(table: Table, versions: tuple[Versioned[T], ...]) -> bool:
    """Whether they could be deleted in one transaction: not when one of them is gone already, which fails it whole."""
    try:
        table.commit(versions[0].row.partition, [Delete(row=version.row.row) for version in versions])
    except Conflict:
        return False
    return True


def _versioned(document: Document[T], row: Row) -> Versioned[T]:
    """What a newer version of the app wrote beside what this one knows is passed over: a rollback meets it."""
    value = {name: one for name, one in row.value.items() if name in document.fields}
    return Versioned(value=document.type(**value), row=row)
