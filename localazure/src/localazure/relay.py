"""TLS servers of 127.0.0.1 that pass requests on to what lies behind them, in pieces."""

from __future__ import annotations

import contextlib
import http.client
import logging
import select
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from http.server import ThreadingHTTPServer
from typing import Any

from localazure.persistent import PersistentHandler

log = logging.getLogger(__name__)
_PIECE = 256 * 1024
_CUT_OFF = "the client left before its request was whole"
_HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade", "host", "expect",
}  # fmt: skip


class TlsServer(ThreadingHTTPServer):
    """A thread per connection; everything a client can make slow happens in it, the TLS handshake too."""

    daemon_threads = True
    request_queue_size = 128
    tls: ssl.SSLContext | None = None
    """None: it speaks plain http."""

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(PersistentHandler.timeout)
        try:
            wrapped = self.tls.wrap_socket(request, server_side=True)
        except (OSError, ssl.SSLError) as failed:
            log.info("TLS handshake with %s failed: %s", client_address, failed)
            return
        try:
            super().finish_request(wrapped, client_address)
        finally:
            _close(wrapped)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("connection with %s broke", client_address, exc_info=True)


class RelayHandler(PersistentHandler):
    """Reads a request's body in pieces, and passes requests on."""

    wbufsize = -1  # head and body leave in one piece

    @property
    def _understands_chunks(self) -> bool:
        return self.request_version != "HTTP/1.0"

    def _pieces(self) -> Iterator[bytes]:
        """The request's body as it comes, by length or in chunks. raises: ConnectionError where it ends too early"""
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            while size := int(self._line().split(b";")[0], 16):
                piece = self.rfile.read(size)
                if len(piece) < size:
                    raise ConnectionError(_CUT_OFF)
                yield piece
                self._line()
            while self.rfile.readline().strip():
                continue  # trailers
            return
        left = int(self.headers.get("content-length") or 0)
        while left > 0:
            piece = self.rfile.read(min(left, _PIECE))
            if not piece:
                raise ConnectionError(_CUT_OFF)
            left -= len(piece)
            yield piece

    def _line(self) -> bytes:
        """One that says how large the next chunk is, or ends one: the connection's end does neither."""
        line = self.rfile.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError(_CUT_OFF)
        return line

    def _passed_on(
        self,
        host: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        trusts: ssl.SSLContext | None = None,
    ) -> http.client.HTTPResponse:
        """What `host` answers to this request, its body not yet read. body: where it was read already. trusts: where
        `host` speaks TLS

        raises: OSError, http.client.HTTPException
        """
        chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        upstream = None
        try:
            upstream = _upstream(host, trusts)
            upstream.request(
                self.command, path, body=self._pieces() if body is None else body, headers=dict(headers),
                encode_chunked=chunked and body is None,
            )  # fmt: skip
            return upstream.getresponse()
        except (OSError, http.client.HTTPException):
            if upstream is not None:
                upstream.close()
            self.close_connection = True
            raise

    def _forwarded_headers(self, host: str) -> dict[str, str]:
        """The request's own, less what holds for one connection only."""
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        return headers | {"Host": host}

    def _relay(self, response: http.client.HTTPResponse) -> None:
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        bodiless = self.command == "HEAD" or response.status in (204, 304)
        length = response.getheader("content-length")
        chunked = length is None and not bodiless and self._understands_chunks
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif length is None and not bodiless:
            self.close_connection = True  # the end of the connection is the end of the body
        self.end_headers()
        while piece := response.read(_PIECE):
            if chunked:
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            else:
                self.wfile.write(piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


def _close(connection: ssl.SSLSocket) -> None:
    """With TLS's own goodbye: without it clients must take what they got for cut off (RFC 8446, 6.1)."""
    with contextlib.suppress(
        OSError
    ):  # the client is gone, or has yet to say its own, which nobody waits for
        connection.setblocking(False)
        connection.unwrap()
    connection.close()


_kept = threading.local()


def _upstream(host: str, trusts: ssl.SSLContext | None = None) -> http.client.HTTPConnection:
    """This thread's connection to what lies behind, opened again when that closed it."""
    connection: http.client.HTTPConnection | None = getattr(_kept, "connection", None)
    if connection is not None and connection.sock is not None and _is_open(connection.sock):
        return connection
    fresh = (
        http.client.HTTPSConnection(host, timeout=120, context=trusts)
        if trusts
        else http.client.HTTPConnection(host, timeout=120)
    )
    fresh.connect()
    fresh.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    _kept.connection = fresh
    return fresh


def _is_open(sock: socket.socket) -> bool:
    """An idle connection that has something to read has only its end to read."""
    if isinstance(sock, ssl.SSLSocket):  # it cannot be peeked into
        return not select.select([sock], [], [], 0)[0]
    sock.setblocking(False)
    try:
        sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        sock.setblocking(True)
        sock.settimeout(120)
    return False
