"""A ledger with a long past: uploads and their events as the app itself would have written them, only quicker."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.data.tables import TableClient

from shared.adapters.tables import AzureTable
from shared.domain.facts import UploadArrived
from shared.domain.kinds.kind import Change
from shared.domain.names import digest
from shared.errors import Conflict, Transient
from shared.kinds import changes
from shared.ledger import history
from shared.ledger.append_log import HOT, SEGMENT, AppendLog
from shared.ledger.event_log import SUMS
from shared.ledger.ledger import NOW
from shared.ports import Insert

TRANSACTION = 100
AT_ONCE = 4
TRIES = 5
ENTRIES_EACH = 3
"""Entries an upload leaves: its record, and two events."""
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)

Row = tuple[str, str, dict[str, Any]]
"""Partition, row and value."""


def write_past(past: TableClient, present: TableClient, entries: int) -> int:
    """Fills the ledger with at least so many entries; returns how many."""
    cold, hot = AzureTable(past), AzureTable(present)
    uploads = (
        -(-entries // (ENTRIES_EACH * SEGMENT)) * SEGMENT
    )  # whole segments: a page then always lies alike
    logs = {
        "upload": Filled(AppendLog("upload", hot=hot, cold=cold, within="upload"), uploads),
        "event": Filled(AppendLog("event", hot=hot, cold=cold, within=NOW), 2 * uploads),
    }
    with ThreadPoolExecutor(AT_ONCE) as writers:
        under_way: deque[Future[None]] = deque()
        for partition, writes in _transactions(_rows(uploads, logs)):
            table = hot if partition in ("upload", NOW) else cold
            under_way.append(writers.submit(_commit, table, partition, writes))
            if len(under_way) > 4 * AT_ONCE:  # the whole past does not have to lie in memory
                under_way.popleft().result()
        for writing in under_way:
            writing.result()
    for filled in logs.values():
        hot.insert(filled.log.within, filled.log.end_key, {"next": filled.count})
    hot.insert(NOW, SUMS, {"tally": {"upload/registered/bank": uploads}, "weighted": {}})
    return uploads * ENTRIES_EACH


def _commit(table: AzureTable, partition: str, writes: list[Insert]) -> None:
    """On a busy machine storage may answer too late; what it did all the same is there then."""
    for _ in range(TRIES):
        try:
            table.commit(partition, writes)
        except Conflict:
            return
        except Transient:
            continue
        return
    raise Transient(f"storage did not take {len(writes)} rows in {TRIES} tries")


@dataclass
class Filled:
    """One log while it is filled: a segment is a row when it is full, and the newest entries are a row each."""

    log: AppendLog
    total: int
    count: int = 0
    segment: dict[str, Any] = field(default_factory=dict)

    def add(self, value: dict[str, Any]) -> Iterator[Row]:
        number, self.count = self.count, self.count + 1
        if number >= self.total - HOT:
            yield (self.log.within, self.log.key(number), value)
            return
        self.segment[str(number % SEGMENT)] = value
        if self.count % SEGMENT == 0:
            segment, self.segment = self.segment, {}
            yield (*self.log.segment_key(number), segment)


def _rows(uploads: int, logs: dict[str, Filled]) -> Iterator[Row]:
    for number in range(uploads):
        record, events = _record(number)
        key = digest(record["id"])
        yield (f"upload-at-{key[:2]}", key, {"at": number})
        yield from logs["upload"].add(record)
        for event in events:
            yield from logs["event"].add(event)


def _record(number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """An upload of long ago, and its events: it came, and became part of a version."""
    arrived = UploadArrived(name=f"calls-{number:07}.csv", etag=f"0x8D{number:012X}")
    values = {
        "dataset": "bank", "rows": 1000 + number % 500, "rejected_rows": 0, "sha256": digest(f"bytes {number}") * 2,
        "content_hash": digest(f"content {number}") * 2, "dataset_version": f"bank:{number // 50 + 1}",
    }  # fmt: skip
    moves = (changes(arrived)[0], Change(kind="upload", id=arrived.key, state="registered", values=values))
    record: dict[str, Any] | None = None
    events: list[dict[str, Any]] = []
    for move in moves:
        record = history.advanced(record, move, BEGAN + timedelta(seconds=number), cause=move.id)
        events += history.events(move, record, cause=move.id)
    assert record is not None
    return record, [{**event, "tally": {}} for event in events]  # the snapshot has them all


def _transactions(rows: Iterator[Row]) -> Iterator[tuple[str, list[Insert]]]:
    """The rows gathered by partition, a transaction's worth at a time."""
    waiting: dict[str, list[Insert]] = defaultdict(list)
    for partition, row, value in rows:
        writes = waiting[partition]
        writes.append(Insert(row=row, value=value))
        if len(writes) == TRANSACTION:
            yield partition, waiting.pop(partition)
    yield from waiting.items()
