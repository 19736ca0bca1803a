"""A front before each part, at the part's own address: passes requests on, or does what was ordered."""

from __future__ import annotations

import http.client
import json
import logging
import ssl
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from localazure.certificates import server_context
from localazure.faults.kinds import STORAGE, part_of
from localazure.faults.orders import Order, Orders
from localazure.relay import RelayHandler, TlsServer

log = logging.getLogger(__name__)
_CODES = {
    500: "InternalError",
    502: "BadGateway",
    503: "ServerBusy",
    504: "GatewayTimeout",
    429: "TooManyRequests",
}
_SAID = "A fault was asked for."


@dataclass(frozen=True, kw_only=True)
class Front:
    """Where one part is to be found, and where it listens itself."""

    name: str
    port: int
    behind: int
    secure: bool = False
    """Whether it speaks TLS, on both sides."""


class FrontServer(TlsServer):
    """One part's front."""

    def __init__(self, front: Front, orders: Orders, tls: Path) -> None:
        """tls: the folder of certificates

        raises: OSError when the port is taken
        """
        super().__init__(("127.0.0.1", front.port), _Handler)
        self.name, self.orders = front.name, orders
        self.behind = f"127.0.0.1:{front.behind}"
        self.trusts: ssl.SSLContext | None = None
        if front.secure:
            self.tls = server_context(tls)
            self.trusts = ssl.create_default_context(cafile=tls / "ca.pem")

    def start(self) -> None:
        threading.Thread(
            target=self.serve_forever, args=(0.1,), name=f"front of {self.name}", daemon=True
        ).start()


class _Handler(RelayHandler):
    server: FrontServer

    def _any(self) -> None:
        try:
            order = self._order()
            if order is None:
                self._relay(self._asked())
            else:
                self._carry_out(order)
        except (OSError, http.client.HTTPException) as broken:  # as if nobody listened
            log.debug("%s %s: %s", self.command, self.server.name, broken)
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = do_MERGE = _any

    def _order(self) -> Order | None:
        path = unquote(urlsplit(self.path).path)
        self._part = part_of(self.server.name, path, self.headers.get("user-agent", ""))
        return None if self._part is None else self.server.orders.strike(self._part, self.command, path)

    def _asked(self) -> http.client.HTTPResponse:
        """What the part answers. Its address stays the one that the client used: some answers hold it."""
        headers = self._forwarded_headers(self.headers.get("host", self.server.behind))
        has_body = {"content-length", "transfer-encoding"} & {name.lower() for name in self.headers}
        body = None if has_body else b""
        return self._passed_on(self.server.behind, self.path, headers, body, trusts=self.server.trusts)

    def _carry_out(self, order: Order) -> None:
        kind = order.kind
        if kind in ("delay", "timeout"):
            time.sleep(order.waits)
        if kind == "delay":
            self._relay(self._asked())
        elif kind in ("reply-lost", "half-reply"):
            self._break_off(self._asked(), half=kind == "half-reply")
        elif kind in ("timeout", "request-lost"):
            self.close_connection = True
        else:
            for _ in self._pieces():  # else the client would see its connection reset, and no answer
                pass
            self._answer(order)

    def _break_off(self, response: http.client.HTTPResponse, *, half: bool) -> None:
        """The whole is awaited first, so that what was requested is done."""
        body = response.read()
        self.close_connection = True
        if not half:
            return
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(max(1, len(body))))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()

    def _answer(self, order: Order) -> None:
        of_storage = self._part in (*STORAGE, "deliveries")
        status = {"throttle": 503 if of_storage else 429, "swallow": 201}.get(order.kind, order.status or 500)
        code = _CODES.get(status, "FaultAskedFor")
        body, content_type = self._said(code) if status >= 400 else (b"", "")
        self.send_response(status)
        request_id = str(uuid.uuid4())
        told = {"x-ms-request-id": request_id}
        told |= {"Content-Type": content_type} if body else {}
        told |= {"x-ms-error-code": code} if of_storage and body else {}
        told |= {"Retry-After": f"{order.waits:g}"} if order.kind == "throttle" else {}
        self._finish(told, body)

    def _said(self, code: str) -> tuple[bytes, str]:
        """An error as the part says it."""
        if self._part == "table":
            error = {"odata.error": {"code": code, "message": {"lang": "en-US", "value": _SAID}}}
            return json.dumps(error).encode(), "application/json;odata=minimalmetadata"
        if self._part in (*STORAGE, "deliveries"):
            text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{_SAID}</Message></Error>'
            return text.encode(), "application/xml"
        return json.dumps({"error": {"code": code, "message": _SAID}}).encode(), "application/json"

    def log_message(self, format: str, *values: object) -> None:
        log.debug(format, *values)
