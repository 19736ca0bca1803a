"""A ledger with a long past: uploads and their events as the app itself would have written them, only quicker."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.data.tables import TableClient

from shared import history
from shared.adapters.tables import AzureTable
from shared.domain.facts import UploadArrived
from shared.domain.kinds.kind import Change
from shared.domain.names import digest
from shared.errors import Conflict, Transient
from shared.journal import GROUP, NOW, Journal
from shared.kinds import changes
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
    table = AzureTable(past)
    uploads = (
        -(-entries // (ENTRIES_EACH * GROUP)) * GROUP
    )  # whole groups: a page then always lies alike in them
    lists = {name: List(Journal(table, name, heads=table)) for name in ("upload", "event")}
    with ThreadPoolExecutor(AT_ONCE) as writers:
        under_way: deque[Future[None]] = deque()
        for partition, writes in _transactions(_rows(uploads, lists)):
            under_way.append(writers.submit(_commit, table, partition, writes))
            if len(under_way) > 4 * AT_ONCE:  # the whole past does not have to lie in memory
                under_way.popleft().result()
        for writing in under_way:
            writing.result()
    for name, filled in lists.items():
        tally = {"upload/registered/bank": uploads} if name == "event" else {}
        head = {"count": filled.count, "last": filled.last, "tally": tally, "averages": {}}
        AzureTable(present).insert(NOW, f"list-{name}", head)
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
class List:
    """One list while it is filled: a group is a row when it is full."""

    journal: Journal
    count: int = 0
    last: dict[str, Any] | None = None
    group: dict[str, Any] = field(default_factory=dict)

    def add(self, id_: str, value: dict[str, Any]) -> Iterator[Row]:
        yield (*self.journal.place_key(id_), {"at": self.count})
        self.group[str(self.count % GROUP)] = value
        self.count, self.last = self.count + 1, {"id": id_, "value": value}
        if self.count % GROUP == 0:
            yield from self.end()

    def end(self) -> Iterator[Row]:
        if self.group:
            group, self.group = self.group, {}
            yield (*self.journal.group_key(self.count - 1), group)


def _rows(uploads: int, lists: dict[str, List]) -> Iterator[Row]:
    for number in range(uploads):
        record = _record(number)
        yield from lists["upload"].add(record["id"], {**record, "untold": []})
        for move in record["untold"]:
            event = history.event("upload", record["id"], move)
            yield from lists["event"].add(event["id"], event)
    for filled in lists.values():
        yield from filled.end()


def _record(number: int) -> dict[str, Any]:
    """An upload of long ago: it came, and became part of a version."""
    arrived = UploadArrived(name=f"calls-{number:07}.csv", etag=f"0x8D{number:012X}")
    values = {
        "dataset": "bank", "rows": 1000 + number % 500, "rejected_rows": 0, "sha256": digest(f"bytes {number}") * 2,
        "content_hash": digest(f"content {number}") * 2, "dataset_version": f"bank:{number // 50 + 1}",
    }  # fmt: skip
    registered = Change(kind="upload", id=arrived.key, state="registered", values=values)
    began = BEGAN + timedelta(seconds=number)
    return history.advanced(history.advanced(None, changes(arrived)[0], began), registered, began)


def _transactions(rows: Iterator[Row]) -> Iterator[tuple[str, list[Insert]]]:
    """The rows gathered by partition, a transaction's worth at a time."""
    waiting: dict[str, list[Insert]] = defaultdict(list)
    for partition, row, value in rows:
        writes = waiting[partition]
        writes.append(Insert(row=row, value=value))
        if len(writes) == TRANSACTION:
            yield partition, waiting.pop(partition)
    yield from waiting.items()
