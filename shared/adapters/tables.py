"""The ledger's table on Azure Table storage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableClient, TableEntity, UpdateMode

from shared.errors import Conflict, Transient
from shared.ports import Row

CHUNK = 30_000
"""Characters a property: Table storage allows 64 KiB of UTF-16 each, and 1 MiB an entity."""


class AzureTable:
    """Values as JSON over as many string properties as they need."""

    def __init__(self, client: TableClient) -> None:
        self._client = client

    def get(self, partition: str, row: str) -> Row | None:
        try:
            return _row(self._client.get_entity(partition, row))
        except ResourceNotFoundError:
            return None

    def insert(self, partition: str, row: str, value: dict[str, Any]) -> Row:
        try:
            answer = self._client.create_entity(_entity(partition, row, value))
        except ResourceExistsError as cause:
            raise Conflict from cause
        except HttpResponseError as cause:
            raise Transient(f"the ledger's table did not take a row: {cause.reason}") from cause
        return Row(partition=partition, row=row, value=value, etag=answer["etag"], changed=answer["date"])

    def replace(self, old: Row, value: dict[str, Any]) -> Row:
        try:
            answer = self._client.update_entity(
                _entity(old.partition, old.row, value),
                mode=UpdateMode.REPLACE,
                etag=old.etag,
                match_condition=MatchConditions.IfNotModified,
            )
        except (ResourceModifiedError, ResourceNotFoundError) as cause:
            raise Conflict from cause
        except HttpResponseError as cause:
            raise Transient(f"the ledger's table did not take a row: {cause.reason}") from cause
        return Row(
            partition=old.partition, row=old.row, value=value, etag=answer["etag"], changed=answer["date"]
        )

    def delete(self, old: Row) -> None:
        self._client.delete_entity(old.partition, old.row)

    def rows(self, partition: str, *, limit: int | None = None, after: str = "") -> Iterator[Row]:
        query = "PartitionKey eq @partition and RowKey gt @after"
        found = self._client.query_entities(
            query, parameters={"partition": partition, "after": after}, results_per_page=limit
        )
        for number, entity in enumerate(found):
            if number == limit:
                return
            yield _row(entity)


def _entity(partition: str, row: str, value: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(value, separators=(",", ":"))
    chunks = {f"json{i}": text[start : start + CHUNK] for i, start in enumerate(range(0, len(text), CHUNK))}
    return {"PartitionKey": partition, "RowKey": row, **chunks}


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
