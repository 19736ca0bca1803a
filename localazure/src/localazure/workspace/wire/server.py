"""The TLS front: reads a request, hands it to the route table or the storage account, writes the answer."""

from __future__ import annotations

import contextlib
import http.client
import logging
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from html import escape
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from localazure.persistent import PersistentHandler
from localazure.workspace.wire.calls import Call, Hangup, Refusal, Reply
from localazure.workspace.wire.faults import Faults, refused

log = logging.getLogger(__name__)
Dispatch = Callable[[Call], Reply]
Opened = Callable[[str, dict[str, str]], str]
"""The path and query to ask storage for, in place of what was asked; what it must not see is taken out of the headers."""

LARGEST_REQUEST = 64 * 1024 * 1024  # uploads do not count: they are passed on in pieces
_PIECE = 256 * 1024
_HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade", "host", "expect",
}  # fmt: skip


class WorkspaceServer(ThreadingHTTPServer):
    """A thread per connection; everything a client can make slow happens in it, the TLS handshake too."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        *,
        tls: ssl.SSLContext,
        dispatch: Dispatch,
        faults: Faults,
        account: str,
        blob_endpoint: str,
        opened: Opened,
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.tls, self.dispatch, self.faults, self.account = tls, dispatch, faults, account
        self.blob_host, self.opened = urlsplit(blob_endpoint).netloc, opened

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(Handler.timeout)
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


class Handler(PersistentHandler):
    """Answers from the route table, or from the storage account."""

    server: WorkspaceServer
    wbufsize = -1  # head and body leave in one piece

    @property
    def _understands_chunks(self) -> bool:
        return self.request_version != "HTTP/1.0"

    def _any(self) -> None:
        try:
            if self.path.startswith(f"/{self.server.account}"):
                self._pass_on_to_storage()
            else:
                self._answer()
        except (ConnectionError, TimeoutError, ssl.SSLError, Hangup):
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _any

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        try:
            call = Call(
                method=self.command,
                path=unquote(parts.path),
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self._body(),
            )
            reply = self.server.faults.dispatch(call, self.server.dispatch)
        except Refusal as refusal:
            reply = refusal.reply()
        except Hangup:
            raise
        except Exception as failed:
            log.exception("%s %s", self.command, parts.path)  # a query may hold a signature
            reply = Refusal(500, "InternalServerError", f"{type(failed).__name__}: {failed}").reply()
        self._write(reply)

    def _write(self, reply: Reply) -> None:
        body = reply.encoded()
        self.send_response(reply.status)
        headers = {"content-type": reply.content_type, "x-ms-request-id": str(uuid.uuid4())}
        headers |= {name.lower(): value for name, value in reply.headers.items()}
        headers["content-length"] = str(len(body))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _body(self) -> bytes:
        pieces, size = [], 0
        for piece in self._pieces():
            size += len(piece)
            if size > LARGEST_REQUEST:
                self.close_connection = True
                raise Refusal(413, "RequestEntityTooLarge", f"a request may have {LARGEST_REQUEST} bytes")
            pieces.append(piece)
        return b"".join(pieces)

    def _pieces(self) -> Iterator[bytes]:
        """The request's body as it comes, by length or in chunks."""
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                continue  # trailers
            return
        left = int(self.headers.get("content-length") or 0)
        while left > 0:
            piece = self.rfile.read(min(left, _PIECE))
            if not piece:
                raise ConnectionError("the client left before its request was whole")
            left -= len(piece)
            yield piece

    def _pass_on_to_storage(self) -> None:
        """The blob front: SDKs build https URLs for storage, Azurite speaks http."""
        order = self.server.faults.take(self.command, urlsplit(self.path).path)
        time.sleep(float(order.get("delaySeconds") or 0))
        if order.get("lose") == "request":
            raise Hangup
        if "status" in order:
            self._refuse_as_storage(refused(order))
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        try:
            path = self.server.opened(self.path, headers)
        except Refusal as refusal:
            self._refuse_as_storage(refusal)
            return
        upstream = _upstream(self.server.blob_host)
        headers["Host"] = self.headers.get("host", self.server.blob_host)
        chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        try:
            upstream.request(self.command, path, body=self._pieces(), headers=headers, encode_chunked=chunked)
            response = upstream.getresponse()
        except (OSError, http.client.HTTPException) as failed:
            upstream.close()
            self.close_connection = True
            self._write(Refusal(503, "ServerBusy", f"the storage account does not answer: {failed}").reply())
            return
        if order.get("lose") == "reply":
            response.read()
            raise Hangup
        self._relay(response)

    def _refuse_as_storage(self, refusal: Refusal) -> None:
        """Storage says its errors in XML and in a header."""
        self.close_connection = True  # the request's body was not read
        text = (
            f"<Error><Code>{escape(refusal.code)}</Code><Message>{escape(refusal.message)}</Message></Error>"
        )
        headers = {"content-type": "application/xml", "x-ms-error-code": refusal.code, **refusal.headers}
        self._write(Reply(status=refusal.status, body=text.encode(), headers=headers))

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

    def log_message(self, format: str, *values: object) -> None:
        log.debug(format, *values)


def _close(connection: ssl.SSLSocket) -> None:
    """With TLS's own goodbye: without it clients must take what they got for cut off (RFC 8446, 6.1)."""
    with contextlib.suppress(
        OSError
    ):  # the client is gone, or has yet to say its own, which nobody waits for
        connection.setblocking(False)
        connection.unwrap()
    connection.close()


_kept = threading.local()


def _upstream(host: str) -> http.client.HTTPConnection:
    """This thread's connection to the storage account, opened again when storage closed it."""
    connection: http.client.HTTPConnection | None = getattr(_kept, "connection", None)
    if connection is not None and connection.sock is not None and _is_open(connection.sock):
        return connection
    fresh = http.client.HTTPConnection(host, timeout=120)
    fresh.connect()
    fresh.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    _kept.connection = fresh
    return fresh


def _is_open(sock: socket.socket) -> bool:
    """An idle connection that has something to read has only its end to read."""
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
