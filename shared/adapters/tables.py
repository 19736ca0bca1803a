"""The ledger's table on Azure Table storage."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableClient, TableEntity, UpdateMode

from shared.adapters.storage_clock import StorageClock
from shared.adapters.storage_errors import answering
from shared.adapters.table_transaction import Operation, TableTransactions, TransactionRefused
from shared.errors import Conflict, Transient
from shared.ports import Delete, Insert, Remove, Row, Upsert, Write

CHUNK = 30_000
"""Characters a property: Table storage allows 64 KiB of UTF-16 each, and 1 MiB an entity."""
REFUSED = (404, 409, 412)
"""Statuses of a transaction one of whose rows is not as it should be."""


class AzureTable:
    """Values as JSON over as many string properties as they need."""

    def __init__(self, client: TableClient, clock: StorageClock | None = None) -> None:
        """clock: is told the time of each transaction's answer; the client's own transport tells it of the others"""
        self._client, self._transactions = client, TableTransactions(client, clock)

    def get(self, partition: str, row: str) -> Row | None:
        with _answers():
            try:
                return _row(self._client.get_entity(partition, row))
            except ResourceNotFoundError:
                return None

    def insert(self, partition: str, row: str, value: dict[str, Any]) -> Row:
        with _answers():
            try:
                answer = self._client.create_entity(_entity(partition, row, value))
            except ResourceExistsError as cause:
                raise Conflict from cause
        return Row(partition=partition, row=row, value=value, etag=answer["etag"], changed=answer["date"])

    def replace(self, old: Row, value: dict[str, Any]) -> Row:
        with _answers():
            try:
                answer = self._client.update_entity(
                    _entity(old.partition, old.row, value),
                    mode=UpdateMode.REPLACE,
                    etag=old.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            except (ResourceModifiedError, ResourceNotFoundError) as cause:
                raise Conflict from cause
        return Row(
            partition=old.partition, row=old.row, value=value, etag=answer["etag"], changed=answer["date"]
        )

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
        with _answers():
            for entity in islice(found, limit):  # one more would be another page, and another call
                yield _row(entity)


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


def _row(entity: TableEntity) -> Row:
    changed = entity.metadata["timestamp"]
    if changed is None:
        raise Transient("the ledger's table answered a row without its time")
    count = sum(name.startswith("json") for name in entity)
    text = "".join(entity[f"json{i}"] for i in range(count))
    return Row(
        partition=entity["PartitionKey"],
        row=entity["RowKey"],
        value=json.loads(text),
        etag=str(entity.metadata["etag"]),
        changed=changed,
    )
