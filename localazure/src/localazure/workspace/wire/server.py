"""The TLS front: reads a request, hands it to the route table or the storage account, writes the answer."""

from __future__ import annotations

import http.client
import logging
import ssl
import time
import uuid
from collections.abc import Callable
from html import escape
from urllib.parse import parse_qsl, unquote, urlsplit

from localazure.relay import RelayHandler, TlsServer
from localazure.workspace.wire.calls import Call, Hangup, Refusal, Reply
from localazure.workspace.wire.faults import Faults, refused

log = logging.getLogger(__name__)
Dispatch = Callable[[Call], Reply]
Opened = Callable[[str, dict[str, str]], str]
"""The path and query to ask storage for, in place of what was asked; what it must not see is taken out of the headers."""

LARGEST_REQUEST = 64 * 1024 * 1024  # uploads do not count: they are passed on in pieces


class WorkspaceServer(TlsServer):
    """Serves the route table, and the storage account behind it."""

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


class Handler(RelayHandler):
    """Answers from the route table, or from the storage account."""

    server: WorkspaceServer

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

    def _pass_on_to_storage(self) -> None:
        """The blob front: SDKs build https URLs for storage, Azurite speaks http."""
        order = self.server.faults.take(self.command, urlsplit(self.path).path)
        time.sleep(float(order.get("delaySeconds") or 0))
        if order.get("lose") == "request":
            raise Hangup
        if "status" in order:
            self._refuse_as_storage(refused(order))
            return
        headers = self._forwarded_headers(self.headers.get("host", self.server.blob_host))
        try:
            path = self.server.opened(self.path, headers)
        except Refusal as refusal:
            self._refuse_as_storage(refusal)
            return
        try:
            response = self._passed_on(self.server.blob_host, path, headers)
        except (OSError, http.client.HTTPException) as failed:
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

    def log_message(self, format: str, *values: object) -> None:
        log.debug(format, *values)
