"""The ledger's table on Azure Table storage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.core.pipeline.policies import RetryPolicy
from azure.core.rest import HttpResponse
from azure.data.tables import TableClient

from shared.adapters.storage_clock import StorageClock
from shared.adapters.storage_errors import answering
from shared.adapters.table_calls import TableCalls
from shared.adapters.table_transaction import Operation, TableTransactions, TransactionRefused
from shared.errors import Conflict, Transient
from shared.ports import Delete, Insert, Remove, Row, Upsert, Write

CHUNK = 30_000
"""Characters a property: Table storage allows 64 KiB of UTF-16 each, and 1 MiB an entity."""
CHANGED = 412
REFUSED = (404, 409, CHANGED)
"""Statuses of a transaction one of whose rows is not as it should be."""


class AzureTable:
    """Values as JSON over as many string properties as they need."""

    def __init__(
        self,
        client: TableClient,
        clock: StorageClock | None = None,
        *,
        retry: RetryPolicy[Any, Any] | None = None,
    ) -> None:
        """clock: is told the time of each answer, where the client's own transport does not; retry: azure-core's own when
        left out, of all but `delete` and `rows`, which the client tries again as it is set"""
        self._client, self._calls = client, TableCalls(client, clock, retry=retry)
        self._transactions = TableTransactions(self._calls)

    def get(self, partition: str, row: str) -> Row | None:
        with _answers():
            try:
                found = self._calls.get(partition, row)
            except ResourceNotFoundError:
                return None
            return _read(found)

    def insert(self, partition: str, row: str, value: dict[str, Any]) -> Row:
        with _answers():
            try:
                answer = self._calls.insert(_entity(partition, row, value))
            except ResourceExistsError as cause:
                raise Conflict from cause
            return _written(partition, row, value, answer)

    def replace(self, old: Row, value: dict[str, Any]) -> Row:
        with _answers():
            try:
                answer = self._calls.replace(_entity(old.partition, old.row, value), old.etag)
            except ResourceNotFoundError as cause:
                raise Conflict from cause
            except HttpResponseError as cause:
                if cause.status_code == CHANGED:
                    raise Conflict from cause
                raise
            return _written(old.partition, old.row, value, answer)

    def delete(self, old: Row) -> None:
        with _answers():
            self._client.delete_entity(old.partition, old.row)

    def commit(self, partition: str, writes: Sequence[Write]) -> list[str]:
        with _answers():
            try:
                return self._transactions.commit(partition, [_operation(write) for write in writes])
            except TransactionRefused as cause:
                if cause.status_code in REFUSED:
                    raise Conflict from cause
                raise

    def rows(
        self, partition: str, *, limit: int | None = None, after: str = "", before: str = ""
    ) -> Iterator[Row]:
        query = "PartitionKey eq @partition and RowKey gt @after"
        query += " and RowKey lt @before" if before else ""
        keys = {"partition": partition, "after": after, "before": before}
        found = self._client.query_entities(query, parameters=keys, results_per_page=limit)
        yield from _rows(islice(found, limit))  # one more would be another page, and another call

    def everything(self) -> Iterator[Row]:
        """All rows, partition by partition: for a backup."""
        yield from _rows(self._client.list_entities())


def _rows(entities: Iterable[Any]) -> Iterator[Row]:
    with _answers():
        for entity in entities:
            told = entity.metadata
            yield _row(entity, changed=told["timestamp"], etag=told["etag"])


def _answers() -> AbstractContextManager[None]:
    """Nothing the table says is final: whether a claim or an outcome is there is never decided by an error."""
    return answering("the ledger's table")


def _operation(write: Write) -> Operation:
    match write:
        case Insert():
            return Operation(method="POST", row=write.row, entity=_properties(write.value))
        case Upsert():
            return Operation(method="PUT", row=write.row, entity=_properties(write.value))
        case Delete():
            return Operation(method="DELETE", row=write.row, if_match="*")
        case Remove():
            return Operation(method="DELETE", row=write.old.row, if_match=write.old.etag)
    old = write.old
    return Operation(method="PUT", row=old.row, entity=_properties(write.value), if_match=old.etag)


def _entity(partition: str, row: str, value: dict[str, Any]) -> dict[str, str]:
    return {"PartitionKey": partition, "RowKey": row, **_properties(value)}


def _properties(value: dict[str, Any]) -> dict[str, str]:
    text = json.dumps(value, separators=(",", ":"))
    return {f"json{i}": text[start : start + CHUNK] for i, start in enumerate(range(0, len(text), CHUNK))}


def _written(partition: str, row: str, value: dict[str, Any], answer: HttpResponse) -> Row:
    """raises: Transient where the answer does not say what it should"""
    try:
        changed = parsedate_to_datetime(answer.headers["date"])
        return Row(partition=partition, row=row, value=value, etag=answer.headers["etag"], changed=changed)
    except (KeyError, ValueError) as cause:
        raise Transient("the ledger's table answered a write without its ETag or its time") from cause


def _read(answer: bytes) -> Row:
    """raises: Transient where it is no row of ours, with its time and its ETag"""
    try:
        found = json.loads(answer)
        changed = datetime.fromisoformat(found["Timestamp"])
        return _row(found, changed=changed, etag=found["odata.etag"])
    except (KeyError, TypeError, ValueError) as cause:
        raise Transient("the ledger's table answered what is no row") from cause


def _row(entity: Mapping[str, Any], *, changed: datetime | None, etag: str | None) -> Row:
    if not changed or not etag:
        raise Transient("the ledger's table answered a row without its time or its ETag")
    count = sum(name.startswith("json") for name in entity)
    text = "".join(entity[f"json{i}"] for i in range(count))
    return Row(
        partition=entity["PartitionKey"],
        row=entity["RowKey"],
        value=json.loads(text),
        etag=etag,
        changed=changed,
    )
