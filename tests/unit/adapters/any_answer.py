"""A server on loopback that answers every request with the bytes it is told, and answers of every kind of wrongness."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from hypothesis import strategies as st

STATUSES = (
    200,
    200,
    200,
    200,
    201,
    202,
    204,
    206,
    301,
    302,
    304,
    307,
    400,
    401,
    403,
    404,
    408,
    409,
    412,
    413,
    422,
    424,
)
STATUSES += (429, 500, 502, 503, 504, 418, 600, 99)
HEADERS = (
    "Retry-After: 0", "Retry-After: 1e9", "Retry-After: " + "9" * 400, "Retry-After: -1", "Retry-After: Wed, 21 Oct 2015",
    "Content-Type: application/json", "Content-Type: text/html; charset=nonsense", "Content-Encoding: gzip",
    "Content-Encoding: br", "Transfer-Encoding: chunked", "Location: http://[", "Location: /elsewhere", "Location: \xff",
    "WWW-Authenticate: Basic", "Set-Cookie: a=b", "no colon", ": no name", "X: " + "y" * 70_000, "Date: yesterday",
    "ms-azureml-model-error-reason: model\xff", "x-ms-error-code: é", "Content-Type: ", "ETag: \"\"", "Connection: close",
)  # fmt: skip
LENGTHS = ("0", "1", "7", "100000", "-1", "abc", "5, 5", "5, 6", "", "1e3", "9" * 30, "٣")


@dataclass
class RawServer:
    """What it answers, and where it is."""

    url: str
    answers: list[bytes] = field(default_factory=list)
    """One for each request; the last is given again and again."""
    asked: int = 0

    def take(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(20)
            _request(connection)
            answer = self.answers[min(self.asked, len(self.answers) - 1)]
            self.asked += 1
            connection.sendall(answer)


def _request(connection: socket.socket) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            return
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length and (piece := connection.recv(65536)):
        body += piece


@contextmanager
def raw_server() -> Iterator[RawServer]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        served = RawServer(f"http://127.0.0.1:{listening.getsockname()[1]}/score")

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                served.take(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def answers(bodies: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """What may come back where one of these bodies should: as it should, or with anything of it wrong."""
    heads = st.tuples(st.sampled_from(STATUSES), st.lists(st.sampled_from(HEADERS), max_size=3))
    whole = st.tuples(heads, bodies).map(lambda one: _answer(*one[0], one[1]))
    lied = st.tuples(heads, bodies, st.sampled_from(LENGTHS)).map(
        lambda one: _answer(*one[0], one[1], one[2])
    )
    cut = st.tuples(whole, st.integers(0, 400)).map(lambda one: one[0][: -one[1] or None])
    return st.one_of(
        whole,
        whole,
        lied,
        cut,
        st.binary(max_size=200),
        st.sampled_from([b"HTTP/1.1 200\r\n\r\n", b"HTTP/9"]),
    )


def _answer(status: int, headers: Sequence[str], body: bytes, length: str | None = None) -> bytes:
    said = str(len(body)) if length is None else length
    lines = [f"HTTP/1.1 {status} Said", *headers, *([f"Content-Length: {said}"] if said else []), "", ""]
    return "\r\n".join(lines).encode("utf-8", errors="surrogateescape") + body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
NO_JSON = (
    b"",
    b"{",
    b"[" * 100_000,
    b"{\0}\0",
    b"\xef\xbb\xbf{}",
    b"<html>welcome</html>",
    b"NaN",
    b"1" * 5000,
)
ANY_JSON = st.one_of(
    JSON.map(lambda one: json.dumps(one).encode()), st.sampled_from(NO_JSON), st.binary(max_size=100)
)


def bent(body: bytes) -> st.SearchStrategy[bytes]:
    """The body with some of its bytes changed, taken out or put in."""
    places = st.integers(0, max(0, len(body) - 1))
    sizes = st.sampled_from([0, 1, 2, 4, 8, 2**31 - 1, -1, 2**63 - 1]).map(lambda n: struct.pack("<q", n)[:8])
    piece = st.binary(max_size=8) | sizes
    spots = st.lists(st.tuples(places, piece, st.booleans()), min_size=1, max_size=3)
    return spots.map(lambda found: _changed(body, found))


def _changed(body: bytes, spots: Sequence[tuple[int, bytes, bool]]) -> bytes:
    for at, piece, over in spots:
        body = body[:at] + piece + body[at + len(piece) * over :]
    return body
