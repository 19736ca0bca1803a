"""A request's body that is cut off is never taken for a whole one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from localazure.relay import RelayHandler, TlsServer


class _Reader(RelayHandler):
    """Answers with the body it got, or says that it was cut off."""

    def do_PUT(self) -> None:
        try:
            body = b"".join(self._pieces())
        except ConnectionError:
            self.send_response(400)
            self._finish({}, b"cut off")
        else:
            self.send_response(200)
            self._finish({}, body)

    def log_message(self, format: str, *values: object) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with TlsServer(("127.0.0.1", 0), _Reader) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def _answer(port: int, header: str, body: bytes) -> bytes:
    """To a client that sends no more, and listens still."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(f"PUT / HTTP/1.1\r\n{header}\r\nconnection: close\r\n\r\n".encode() + body)
        client.shutdown(socket.SHUT_WR)
        with client.makefile("rb") as answer:
            return answer.read().rpartition(b"\r\n\r\n")[2]


CHUNKS = b"4\r\nabcd\r\n10;more=x\r\n0123456789abcdef\r\n0\r\n\r\n"


def test_a_body_in_chunks_is_read_to_its_end(port: int) -> None:
    assert _answer(port, "transfer-encoding: chunked", CHUNKS) == b"abcd0123456789abcdef"
    assert _answer(port, "transfer-encoding: chunked", b"0\r\nx: y\r\n\r\n") == b""


@pytest.mark.parametrize("sent", range(CHUNKS.index(b"0\r\n\r\n") + 1))
def test_chunks_that_are_cut_off_anywhere_are_no_body(port: int, sent: int) -> None:
    assert _answer(port, "transfer-encoding: chunked", CHUNKS[:sent]) == b"cut off"


def test_a_body_shorter_than_its_length_is_none(port: int) -> None:
    assert _answer(port, "content-length: 4", b"abcd") == b"abcd"
    assert _answer(port, "content-length: 5", b"abcd") == b"cut off"
