"""Connections as clients other than Python's see them: HTTP/1.0, kept or not, and TLS that ends in order."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from localazure.certificates import server_context
from localazure.workspace.wire.calls import Call, Reply
from localazure.workspace.wire.faults import Faults
from localazure.workspace.wire.server import WorkspaceServer

KEPT = "Connection: Keep-Alive\r\n"


class Storage(threading.Thread):
    """Answers one request in chunks, as a storage account may."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._listens = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listens.getsockname()[1]}/devstoreaccount1"

    def run(self) -> None:
        connection, _ = self._listens.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nblobs\r\n0\r\n\r\n"
            )


@pytest.fixture
def storage() -> Storage:
    made = Storage()
    made.start()
    return made


@pytest.fixture
def front(storage: Storage, tmp_path: Path) -> Iterator[WorkspaceServer]:
    def dispatch(call: Call) -> Reply:
        return Reply(body={"seen": call.path})

    made = WorkspaceServer(
        0, tls=server_context(tmp_path), dispatch=dispatch, faults=Faults(), account="devstoreaccount1",
        blob_endpoint=storage.address, opened=lambda path, headers: path,
    )  # fmt: skip
    threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


class Client:
    """TLS that says `ssl.SSLEOFError` when it ends without a goodbye, as OpenSSL's own programs do."""

    def __init__(self, front: WorkspaceServer, folder: Path) -> None:
        context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        raw = socket.create_connection(("127.0.0.1", front.server_port), timeout=10)
        self.tls = context.wrap_socket(raw, server_hostname="127.0.0.1", suppress_ragged_eofs=False)

    def ask(self, more: str = "", *, path: str = "/x", version: str = "1.0") -> None:
        self.tls.sendall(f"GET {path} HTTP/{version}\r\nHost: here\r\n{more}\r\n".encode())

    def answer(self) -> tuple[list[str], bytes]:
        """Lines of the head, and the body by its length."""
        got = b""
        while b"\r\n\r\n" not in got:
            got += self.tls.recv(1)
        lines = got.decode().lower().split("\r\n")
        length = int(next(line for line in lines if line.startswith("content-length:")).split(":")[1])
        body = b""
        while len(body) < length:
            body += self.tls.recv(length - len(body))
        return lines, body

    def until_end(self) -> bytes:
        got = b""
        while piece := self.tls.recv(4096):
            got += piece
        return got


@pytest.fixture
def asking(front: WorkspaceServer, tmp_path: Path) -> Iterator[Client]:
    made = Client(front, tmp_path)
    yield made
    made.tls.close()


def test_a_connection_ends_with_tls_own_goodbye(asking: Client) -> None:
    asking.ask()
    assert asking.until_end().endswith(b'{"seen": "/x"}')


def test_a_client_of_http_1_0_is_told_that_its_connection_is_kept(asking: Client) -> None:
    for _ in range(2):
        asking.ask(KEPT)
        lines, body = asking.answer()
        assert ("connection: keep-alive" in lines, body) == (True, b'{"seen": "/x"}')


@pytest.mark.parametrize(("version", "more"), [("1.0", ""), ("1.1", "Connection: close\r\n")])
def test_the_answer_says_that_the_connection_ends(asking: Client, version: str, more: str) -> None:
    asking.ask(more, version=version)
    assert b"\r\nconnection: close\r\n" in asking.until_end().lower()


def test_a_client_of_http_1_0_gets_no_chunks(asking: Client) -> None:
    asking.ask(KEPT, path="/devstoreaccount1/container/blob")
    head, _, body = asking.until_end().partition(b"\r\n\r\n")
    assert (b"chunked" in head.lower(), body) == (False, b"blobs")
