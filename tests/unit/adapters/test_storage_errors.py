"""Whatever the storage SDKs raise comes out of the adapters as an error of ours, which says what was asked."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from shared.adapters.blobs import AzureFiles
from shared.adapters.queues import QueueBus
from shared.adapters.storage_errors import REMEDIES, answering
from shared.adapters.tables import AzureTable
from shared.domain.facts import ReconcileDue
from shared.errors import CampanhaError, Refused, Superseded, Transient
from shared.ports import Blob, Row

BLOB = Blob(container="c", name="b", etag="1", size=10, modified=datetime(2026, 1, 1, tzinfo=UTC))
ROW = Row(partition="p", row="r", value={}, etag="1", changed=datetime(2026, 1, 1, tzinfo=UTC))
FILES: dict[str, Callable[[AzureFiles], object]] = {
    "stat": lambda files: files.stat("c", "b"),
    "list": lambda files: list(files.list("c")),
    "content": lambda files: files.content("c", "b"),
    "read": lambda files: list(files.read(BLOB)),
    "read_range": lambda files: files.read_range(BLOB, 0, 5),
    "write": lambda files: files.write("c", "b", io.BytesIO(b"x")),
    "write_once": lambda files: files.write_once("c", "b", io.BytesIO(b"x")),
    "create": lambda files: files.create("c", "b", b"x"),
    "stage": lambda files: files.stage("c", "b", 0, b"x"),
    "seal": lambda files: files.seal("c", "b", 1),
}
TABLE: dict[str, Callable[[AzureTable], object]] = {
    "get": lambda table: table.get("p", "r"),
    "insert": lambda table: table.insert("p", "r", {}),
    "replace": lambda table: table.replace(ROW, {}),
    "delete": lambda table: table.delete(ROW),
    "rows": lambda table: list(table.rows("p")),
    "everything": lambda table: list(table.everything()),
}
LOCAL = {"url"}
"""What asks nobody."""


class Service(BaseHTTPRequestHandler):
    """A storage account that answers everything alike, or breaks off."""

    status = 503
    code = "ServerBusy"
    breaks_off = False

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.status)
        if self.code:
            self.send_header("x-ms-error-code", self.code)
        if self.breaks_off:
            self.send_header("Content-Range", "bytes 0-999/1000")
        self.send_header("Content-Length", "1000" if self.breaks_off else "0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = _answer

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what is refused here is refused on purpose."""


Answers = Callable[..., str]


@pytest.fixture
def answers() -> Iterator[Answers]:
    """Call it for the connection string of an account that answers so."""
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, code: str = "", *, breaks_off: bool = False) -> str:
        handler = type("Answering", (Service,), {"status": status, "code": code, "breaks_off": breaks_off})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return _account(server.server_port)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _account(port: int) -> str:
    address = f"http://127.0.0.1:{port}/bank"
    services = "".join(f"{kind}Endpoint={address};" for kind in ("Blob", "Queue", "Table"))
    return f"DefaultEndpointsProtocol=http;AccountName=bank;AccountKey=YQ==;{services}"


NOBODY = _account(1)
ONCE = {"retry_total": 0, "connection_timeout": 2, "read_timeout": 5}


def _files(account: str) -> AzureFiles:
    return AzureFiles(BlobServiceClient.from_connection_string(account, **ONCE))


def _table(account: str) -> AzureTable:
    return AzureTable(TableServiceClient.from_connection_string(account, **ONCE).get_table_client("ledger"))


def test_every_call_is_tried_here() -> None:
    assert {name for name in vars(AzureFiles) if not name.startswith("_")} == FILES.keys() | LOCAL
    assert {name for name in vars(AzureTable) if not name.startswith("_")} == TABLE.keys() | {"commit"}


@pytest.mark.parametrize("call", FILES)
@pytest.mark.parametrize(
    ("status", "code"),
    [(500, "InternalError"), (503, "ServerBusy"), (403, "AuthorizationFailure"), (429, "")],
)
def test_blobs_that_cannot_be_had_now_are_transient(
    answers: Answers, call: str, status: int, code: str
) -> None:
    """A role that is not in force yet, too: it may be at the next delivery."""
    with pytest.raises(Transient, match=rf"blob storage, at c/b?\*?, answered {status}") as told:
        FILES[call](_files(answers(status, code)))
    assert told.type is Transient
    assert told.value.__cause__ is not None
    assert call == "stat" or code in str(told.value)  # a HEAD's answer carries no more than its status


@pytest.mark.parametrize("call", FILES)
def test_storage_that_is_not_there_is_transient(call: str) -> None:
    with pytest.raises(Transient, match="does not answer") as told:
        FILES[call](_files(NOBODY))
    assert told.type is Transient


@pytest.mark.parametrize("call", sorted(FILES.keys() - {"stat"}))
def test_what_no_blob_can_be_is_refused(answers: Answers, call: str) -> None:
    with pytest.raises(Refused, match="InvalidResourceName"):
        FILES[call](_files(answers(400, "InvalidResourceName")))


@pytest.mark.parametrize("call", ["read", "read_range"])
@pytest.mark.parametrize(("status", "code"), [(412, "ConditionNotMet"), (404, "BlobNotFound")])
def test_another_version_than_the_one_meant_is_superseded(
    answers: Answers, call: str, status: int, code: str
) -> None:
    with pytest.raises(Superseded, match="c/b is no longer version 1"):
        FILES[call](_files(answers(status, code)))


@pytest.mark.parametrize("call", ["stat", "content"])
def test_a_blob_that_is_not_there_is_none(answers: Answers, call: str) -> None:
    assert FILES[call](_files(answers(404, "BlobNotFound"))) is None


@pytest.mark.parametrize("call", ["write", "stage", "seal", "list"])
def test_a_container_that_is_not_there_yet_is_transient(answers: Answers, call: str) -> None:
    with pytest.raises(Transient, match="404 ContainerNotFound"):
        FILES[call](_files(answers(404, "ContainerNotFound")))


@pytest.mark.parametrize("call", ["list", "content", "read", "read_range"])
def test_an_answer_that_breaks_off_is_transient(answers: Answers, call: str) -> None:
    with pytest.raises(Transient) as told:
        FILES[call](_files(answers(206 if call != "list" else 200, breaks_off=True)))
    assert told.type is Transient


@pytest.mark.parametrize("call", TABLE)
@pytest.mark.parametrize("status", [400, 403, 500, 503])
def test_nothing_the_table_says_is_final(answers: Answers, call: str, status: int) -> None:
    with pytest.raises(Transient, match=f"the ledger's table answered {status}"):
        TABLE[call](_table(answers(status, "Any")))


def test_a_queue_that_takes_nothing_is_transient(answers: Answers) -> None:
    bus = QueueBus(QueueServiceClient.from_connection_string(answers(503, "ServerBusy"), **ONCE))
    with pytest.raises(Transient, match="the queue steps, given a ReconcileDue, answered 503 ServerBusy"):
        bus.publish([ReconcileDue(tick="t")])


def test_an_error_of_ours_passes_as_it_is() -> None:
    with pytest.raises(CampanhaError, match="mine") as told, answering("somebody"):
        raise Superseded("mine")
    assert told.type is Superseded


@pytest.mark.parametrize("code", REMEDIES)
def test_what_somebody_has_to_mend_is_said_with_the_remedy(code: str) -> None:
    class Answered:
        headers: ClassVar = {"x-ms-error-code": code}
        status_code = 409
        reason = "Conflict"

    with pytest.raises(Transient, match=re.escape(REMEDIES[code])), answering("blob storage, at c/b,"):
        raise HttpResponseError(response=Answered())
