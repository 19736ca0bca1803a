"""A copy of the ledger, taken while it is written: it looks as if every process had died at one moment.

Storage gives no snapshot of a table, so the copy is read in an order that makes it one that the ledger can go on from:

1. the partition that stands for the present (`now`): which facts are open, and where the logs end. This is the cut;
2. the rest of the small table: what steps wrote after the cut is there as after a death before their facts were finished,
   and steps are done again without harm;
3. the large table. What came into it after the cut, and would say of a fact that it is done although the cut does not
   know what it did, is left out: facts' entries that changed after the cut, and segments of entries that are hot there.

What is left out is found again, as after a death: an open fact is published again by the reconciler and leads to the same
facts, a file that no fact knows is found in its container. Blobs are copied after the ledger, so that each one it names is
there. Messages are not copied: the outbox has them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.errors import Transient
from shared.kinds import STATES
from shared.ledger.append_log import LAST, SEGMENT
from shared.ledger.audit_log import AUDIT
from shared.ledger.ledger import NOW
from shared.ports import Row

PRESENT, PAST = "present", "past"
"""The two tables, as a copy names them."""
EVENT_END = "event~end"
CLAIM = re.compile(r"fact-[0-9a-f]{2}")
SEGMENT_OF = re.compile(r"(?P<log>.+)-\d{7}")
WITHIN = {**{kind: kind for kind in STATES}, "event": NOW, AUDIT: AUDIT}
"""The partition of each log's hot tail."""
TRIES = 20


@dataclass(frozen=True, kw_only=True)
class Copied:
    """A row of one of the tables."""

    table: str
    partition: str
    row: str
    value: dict[str, Any]


class Source(Protocol):
    """A table that is read whole."""

    def partition(self, name: str) -> Iterable[Row]: ...

    def everything(self) -> Iterable[Row]: ...


def snapshot(present: Source, past: Source, *, cut: datetime) -> Iterator[Copied]:
    """The rows of both tables. cut: by storage's clock, a moment before this reads anything

    raises: Transient where so much happens that the present cannot be read in one go
    """
    now = _whole(present)
    rest = [row for row in present.everything() if row.partition != NOW]
    yield from (_copied(PRESENT, row) for row in (*now, *rest))
    hot = _first_hot([*now, *rest])
    for row in past.everything():
        if not _is_after(row, cut, hot):
            yield _copied(PAST, row)


def _whole(present: Source) -> list[Row]:
    """The partition as it was at one moment: read again until no transaction came between."""
    before = list(present.partition(NOW))
    for _ in range(TRIES):
        after = list(present.partition(NOW))
        if _etag(before) == _etag(after) and {row.row for row in before} == {row.row for row in after}:
            return after
        before = after
    raise Transient(
        "the ledger moves faster than it is read: pause work (`./dev status --pause`), or stop the app"
    )


def _etag(rows: list[Row]) -> str:
    return next((row.etag for row in rows if row.row == EVENT_END), "")


def _first_hot(rows: Iterable[Row]) -> dict[str, int]:
    """By log: the lowest number that has a row of its own."""
    found: dict[str, int] = defaultdict(lambda: 0)
    for row in rows:
        name, _, key = row.row.rpartition("-")
        if WITHIN.get(name) == row.partition and key.isdigit():
            number = LAST - int(key)
            found[name] = min(found[name], number) if name in found else number
    return found


def _is_after(row: Row, cut: datetime, hot: dict[str, int]) -> bool:
    """Whether a row of the large table tells of what the copy of the small one does not know."""
    if CLAIM.fullmatch(row.partition):
        return row.changed >= cut
    segment = SEGMENT_OF.fullmatch(row.partition)
    if segment and segment["log"] in WITHIN and row.row.isdigit():
        return int(row.row) * SEGMENT >= hot[segment["log"]]
    return False


def _copied(table: str, row: Row) -> Copied:
    return Copied(table=table, partition=row.partition, row=row.row, value=row.value)
