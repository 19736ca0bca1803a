"""Calls of one row are what azure-data-tables makes of them, and sign in as its client does; so are the answers read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.credentials import AccessToken, AzureNamedKeyCredential, AzureSasCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import RetryPolicy
from azure.data.tables import TableClient, UpdateMode
from stub_server import Answer, Request, stub_server

from shared.adapters.table_calls import TableCalls
from shared.adapters.tables import AzureTable
from shared.errors import Conflict, Transient
from shared.ports import Row

KEY = AzureNamedKeyCredential("bank", "YmFuaw==")
ETAG = "W/\"datetime'2026-11-24T08%3A00%3A00.1234567Z'\""
DATE = "Tue, 24 Nov 2026 08:00:00 GMT"
PARTITION, ROW = "o'pen/ü %", "a'1/b c"
ENTITY = {"PartitionKey": PARTITION, "RowKey": ROW, "json0": '{"text":"ü \\"quoted\\"\\n"}'}
FOUND = {
    "odata.metadata": "m", "odata.etag": ETAG, "PartitionKey": PARTITION, "RowKey": ROW,
    "Timestamp": "2026-11-24T08:00:00.1234567Z", "json0": '{"a":', "json1": "1}",
}  # fmt: skip
OLD = Row(partition=PARTITION, row=ROW, value={}, etag=ETAG, changed=datetime(2026, 11, 24, tzinfo=UTC))
OURS_ALONE = ("User-Agent", "x-ms-client-request-id", "Content-Length", "Host", "Authorization", "x-ms-date", "Date",
              "Connection", "Accept-Encoding", "x-ms-return-client-request-id")  # fmt: skip
"""Headers that say nothing of the call, or differ each time."""


@dataclass
class Storage:
    """Takes whatever comes, and answers as it was told."""

    address: str = ""
    status: int = 204
    told: dict[str, str] = field(default_factory=lambda: {"ETag": ETAG, "Date": DATE})
    body: bytes = b""
    asked: tuple[str, str, dict[str, str], Any] = ("", "", {}, None)
    """Method, path, headers and body of the last request."""

    def answer(self, request: Request) -> Answer:
        headers = {name: value for name, value in request.headers.items() if name not in OURS_ALONE}
        self.asked = (request.method, request.path, headers, _read(request.body))
        return Answer(self.status, self.body, self.told)

    @property
    def client(self) -> TableClient:
        return TableClient(f"{self.address}/bank", "ledger", credential=KEY)

    @property
    def table(self) -> AzureTable:
        return AzureTable(self.client, retry=RetryPolicy.no_retries())


def _read(body: bytes) -> Any:
    """The SDK also names each property's type, where text is what is assumed."""
    return {name: value for name, value in json.loads(body or b"{}").items() if "@odata.type" not in name}


@pytest.fixture
def storage() -> Iterator[Storage]:
    made = Storage()
    with stub_server(made.answer) as made.address:
        yield made


SAME: dict[str, tuple[Callable[[TableClient], object], Callable[[TableCalls], object], int, bytes]] = {
    "get": (
        lambda sdk: sdk.get_entity(PARTITION, ROW), lambda ours: ours.get(PARTITION, ROW), 200, json.dumps(FOUND).encode(),
    ),
    "insert": (lambda sdk: sdk.create_entity(ENTITY), lambda ours: ours.insert(ENTITY), 204, b""),
    "replace": (
        lambda sdk: sdk.update_entity(
            ENTITY, mode=UpdateMode.REPLACE, etag=ETAG, match_condition=MatchConditions.IfNotModified
        ),
        lambda ours: ours.replace(ENTITY, ETAG), 204, b"",
    ),
}  # fmt: skip


@pytest.mark.parametrize("verb", SAME)
def test_a_call_is_what_the_sdk_makes_of_it(storage: Storage, verb: str) -> None:
    by_the_sdk, by_us, storage.status, storage.body = SAME[verb]
    storage.told["Content-Type"] = "application/json;odata=minimalmetadata"
    by_the_sdk(storage.client)
    expected = storage.asked
    by_us(TableCalls(storage.client))
    assert storage.asked[2].pop("Prefer", "") == ("return-no-content" if verb == "insert" else "")
    assert storage.asked == expected


def test_a_row_is_read_as_it_was_written(storage: Storage) -> None:
    storage.status, storage.body = 200, json.dumps(FOUND).encode()
    found = storage.table.get(PARTITION, ROW)
    assert found is not None
    assert (found.partition, found.row, found.value, found.etag) == (PARTITION, ROW, {"a": 1}, ETAG)
    assert found.changed == datetime(2026, 11, 24, 8, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "write", [lambda t: t.insert(PARTITION, ROW, {"a": 1}), lambda t: t.replace(OLD, {"a": 1})]
)
def test_a_write_is_told_with_its_etag_and_storages_time(
    storage: Storage, write: Callable[[AzureTable], Row]
) -> None:
    row = write(storage.table)
    assert row == Row(
        partition=PARTITION, row=ROW, value={"a": 1}, etag=ETAG, changed=datetime(2026, 11, 24, 8, tzinfo=UTC)
    )


CALLS: dict[str, Callable[[AzureTable], object]] = {
    "get": lambda table: table.get(PARTITION, ROW),
    "insert": lambda table: table.insert(PARTITION, ROW, {}),
    "replace": lambda table: table.replace(OLD, {}),
}


@pytest.mark.parametrize(("call", "status"), [("insert", 409), ("replace", 412), ("replace", 404)])
def test_a_row_that_is_not_as_it_should_be_is_a_conflict(storage: Storage, call: str, status: int) -> None:
    storage.status = status
    with pytest.raises(Conflict):
        CALLS[call](storage.table)


def test_a_row_that_is_not_there_is_none(storage: Storage) -> None:
    storage.status = 404
    assert storage.table.get(PARTITION, ROW) is None


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [304, 403, 429, 500, 503])
def test_any_other_answer_leaves_open_what_became_of_it(storage: Storage, call: str, status: int) -> None:
    storage.status = status
    with pytest.raises(Transient) as told:
        CALLS[call](storage.table)
    assert told.type is Transient
    assert isinstance(told.value.__cause__, HttpResponseError)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("told", [{}, {"ETag": ETAG}, {"Date": DATE}, {"ETag": ETAG, "Date": "yesterday"}])
def test_an_answer_that_lacks_what_it_should_say_is_no_answer(
    storage: Storage, call: str, told: dict[str, str]
) -> None:
    storage.told = told
    if call == "get":
        storage.status = 200
        storage.body = json.dumps({n: v for n, v in FOUND.items() if n != "odata.etag"}).encode()
    with pytest.raises(Transient):
        CALLS[call](storage.table)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b"7", b'{"odata.etag": "x", "Timestamp": "soon"}']
)
def test_a_row_that_cannot_be_read_is_asked_for_again(storage: Storage, body: bytes) -> None:
    storage.status, storage.body = 200, body
    with pytest.raises(Transient):
        storage.table.get(PARTITION, ROW)


class Sent(Exception):
    """Holds the request instead of sending it."""


class Recorder:
    def send(self, request: Any, **_: Any) -> Any:
        raise Sent(request)


class Identity:
    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken(f"for {scopes[0]}", 2**40)


@pytest.mark.parametrize(
    ("credential", "shown"),
    [
        (KEY, "SharedKey bank:"),
        (Identity(), "Bearer for https://storage.azure.com/.default"),
        (AzureSasCredential("sv=2&sig=s"), "?sv=2&sig=s"),
    ],
)
def test_it_signs_in_as_the_client_does(credential: Any, shown: str) -> None:
    client = TableClient("https://bank.table.core.windows.net", "ledger", credential=credential)
    with pytest.raises(Sent) as sent:
        TableCalls(client, transport=Recorder(), proxies={}).get(PARTITION, "r")
    (request,) = sent.value.args
    assert shown in f"{request.headers.get('Authorization')} {request.url}"
