"""A ledger with a long past: uploads and their events as the app itself would have written them, only quicker."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.data.tables import TableClient

from shared.adapters.tables import AzureTable
from shared.domain import history
from shared.domain.facts import UploadArrived
from shared.domain.names import digest
from shared.domain.records import Change, changes
from shared.journal import NOW, Journal
from shared.ports import Insert

TRANSACTION = 100
AT_ONCE = 4
ROWS_EACH = 6
"""Rows an upload leaves: its record, two events, and where each of the three stands."""
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)

Row = tuple[str, str, dict[str, Any]]
"""Partition, row and value."""


def write_past(client: TableClient, entries: int) -> int:
    """Fills the table with at least `entries` rows of the past; returns how many."""
    table = AzureTable(client)
    uploads = -(-entries // ROWS_EACH)
    lists = {name: Journal(table, name) for name in ("upload", "event")}
    heads = {name: {"count": 0, "last": None, "tally": {}, "averages": {}} for name in lists}
    with ThreadPoolExecutor(AT_ONCE) as writers:
        under_way: deque[Future[None]] = deque()
        for partition, writes in _transactions(_rows(uploads, lists, heads)):
            under_way.append(writers.submit(table.commit, partition, writes))
            if len(under_way) > 4 * AT_ONCE:  # the whole past does not have to lie in memory
                under_way.popleft().result()
        for writing in under_way:
            writing.result()
    heads["event"]["tally"] = {"upload/registered/bank": uploads}
    for name, head in heads.items():
        table.insert(NOW, f"list-{name}", head)
    return uploads * ROWS_EACH + len(heads)


def _rows(uploads: int, lists: dict[str, Journal], heads: dict[str, dict[str, Any]]) -> Iterator[Row]:
    for number in range(uploads):
        record = _record(number)
        yield from _entry("upload", record["id"], {**record, "untold": []}, lists, heads)
        for move in record["untold"]:
            event = history.event("upload", record["id"], move)
            yield from _entry("event", event["id"], event, lists, heads)


def _entry(
    name: str, id_: str, value: dict[str, Any], lists: dict[str, Journal], heads: dict[str, dict[str, Any]]
) -> Iterator[Row]:
    head = heads[name]
    yield (*lists[name].entry_key(head["count"]), value)
    yield (*lists[name].place_key(id_), {"at": head["count"]})
    head["count"] += 1
    head["last"] = {"id": id_, "value": value}


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
