"""A transaction is, part by part, what azure-data-tables makes of it; and what storage answers is understood."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.utils import formatdate
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableClient, UpdateMode
from stub_server import Answer, Request, stub_server

from shared.adapters.storage_clock import StorageClock
from shared.adapters.table_calls import TableCalls
from shared.adapters.table_transaction import Operation, TableTransactions, TransactionRefused
from shared.adapters.tables import AzureTable
from shared.ports import Insert

KEY = AzureNamedKeyCredential("bank", "YmFuaw==")
PARTITION = "o'pen/ü %"
ETAG = "W/\"datetime'2026-11-24T08%3A00%3A00Z'\""
FENCE = {"etag": ETAG, "match_condition": MatchConditions.IfNotModified}
PROPERTIES = {"json0": '{"text":"ü \\"quoted\\"\\n"}', "json1": "x"}
OPERATIONS = [
    Operation(method="POST", row="a'1", entity=PROPERTIES),
    Operation(method="PUT", row="b 2", entity=PROPERTIES, if_match=ETAG),
    Operation(method="PUT", row="c/3", entity=PROPERTIES),
    Operation(method="DELETE", row="d", if_match="*"),
    Operation(method="DELETE", row="e", if_match=ETAG),
]


def row(name: str, **properties: str) -> dict[str, str]:
    return {"PartitionKey": PARTITION, "RowKey": name, **properties}


THE_SAME_FOR_THE_SDK: list[Any] = [
    ("create", row("a'1", **PROPERTIES)),
    ("update", row("b 2", **PROPERTIES), {"mode": UpdateMode.REPLACE, **FENCE}),
    ("upsert", row("c/3", **PROPERTIES), {"mode": UpdateMode.REPLACE}),
    ("delete", row("d")),
    ("delete", row("e"), FENCE),
]

UNLIKE = ("Accept", "Content-Length", "Date", "x-ms-date")
WRITTEN = f"HTTP/1.1 204 No Content\r\nDataServiceVersion: 1.0;\r\nETag: {ETAG}\r\n\r\n"
GONE = "HTTP/1.1 204 No Content\r\nDataServiceVersion: 1.0;\r\n\r\n"
EXISTS = (
    "HTTP/1.1 409 Conflict\r\nContent-Type: application/json;odata=minimalmetadata\r\n\r\n"
    '{"odata.error":{"code":"EntityAlreadyExists","message":{"lang":"en-US","value":"1:It exists."}}}'
)


PART = "--changes\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"


@dataclass
class Storage:
    """Takes whatever comes, and answers with the parts it was given."""

    address: str = ""
    status: int = 202
    parts: list[str] = field(default_factory=lambda: [WRITTEN, WRITTEN, WRITTEN, GONE, GONE])
    asked: list[Request] = field(default_factory=list)

    @property
    def client(self) -> TableClient:
        return TableClient(f"{self.address}/bank", "ledger", credential=KEY)

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        told = "--batch\r\nContent-Type: multipart/mixed; boundary=changes\r\n\r\n"
        told += "".join(f"{PART}{answer}\r\n" for answer in self.parts)
        told += "--changes--\r\n--batch--\r\n"
        headers = {"Content-Type": "multipart/mixed; boundary=batch", "Date": formatdate(usegmt=True)}
        return Answer(self.status, told.encode(), headers)


@pytest.fixture
def storage() -> Iterator[Storage]:
    made = Storage()
    with stub_server(made.answer) as made.address:
        yield made


def test_the_storage_clock_is_told_of_each_answer(storage: Storage) -> None:
    clock = StorageClock(wall=lambda: 0.0)
    AzureTable(storage.client, clock).commit(PARTITION, [Insert(row="a", value={})] * 5)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(days=1)


def as_it_was_asked(storage: Storage) -> Any:
    """Where, with which headers, and which parts, without what differs each time: boundaries, times, ids."""
    last = storage.asked[-1]
    whole = b"Content-Type: " + last.headers["Content-Type"].encode() + b"\r\n\r\n" + last.body
    parts = [
        part for part in message_from_bytes(whole).walk() if part.get_content_type() == "application/http"
    ]
    names = ("Accept", "DataServiceVersion", "MaxDataServiceVersion", "x-ms-version")
    headers = {name: last.headers[name] for name in names}
    return (
        last.path,
        headers,
        [(part["Content-ID"], *_read(part.get_payload(decode=True))) for part in parts],
    )


def _read(part: Any) -> tuple[str, list[str], Any]:
    """A part's first line, headers and body.

    The SDK also names each property's type, where text is what is assumed, and asks for an answer's form.
    """
    head, _, body = part.decode().partition("\r\n\r\n")
    first, *headers = head.split("\r\n")
    headers = [h for h in headers if h.partition(":")[0] not in UNLIKE]
    told = {k: v for k, v in json.loads(body or "{}").items() if not k.endswith("@odata.type")}
    return first, sorted(headers), told


def test_a_transaction_is_what_the_sdk_makes_of_it(storage: Storage) -> None:
    storage.client.submit_transaction(THE_SAME_FOR_THE_SDK)
    expected = as_it_was_asked(storage)
    TableTransactions(TableCalls(storage.client)).commit(PARTITION, OPERATIONS)
    assert as_it_was_asked(storage) == expected
    assert len(expected[2]) == len(OPERATIONS)


def test_each_rows_etag_comes_back(storage: Storage) -> None:
    etags = TableTransactions(TableCalls(storage.client)).commit(PARTITION, OPERATIONS)
    assert etags == [ETAG, ETAG, ETAG, "", ""]


def test_the_row_that_is_not_as_it_should_be_says_why(storage: Storage) -> None:
    storage.parts = [EXISTS]
    with pytest.raises(TransactionRefused) as refused:
        TableTransactions(TableCalls(storage.client)).commit(PARTITION, OPERATIONS)
    assert refused.value.status_code == 409


@pytest.mark.parametrize(("status", "parts"), [(403, []), (413, []), (202, [WRITTEN, WRITTEN]), (202, [])])
def test_an_answer_that_is_none_to_the_rows_is_no_refusal(
    storage: Storage, status: int, parts: list[str]
) -> None:
    storage.status, storage.parts = status, parts
    with pytest.raises(HttpResponseError) as problem:
        TableTransactions(TableCalls(storage.client)).commit(PARTITION, OPERATIONS)
    assert not isinstance(problem.value, TransactionRefused)
