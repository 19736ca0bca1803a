"""The control address: orders are given, listed and taken back by whoever has the state folder's secret."""

from __future__ import annotations

import hmac
import json
import os
import secrets
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

from localazure.faults.orders import BadOrder, Orders, order
from localazure.persistent import PersistentHandler
from localazure.private import private_folder

SECRET = "x-localazure-secret"  # noqa: S105  (a header's name)
_LARGEST = 64 * 1024


class ControlServer(ThreadingHTTPServer):
    """GET, POST and DELETE of /faults, and DELETE of /faults/NUMBER, on 127.0.0.1."""

    daemon_threads = True

    def __init__(self, port: int, orders: Orders, secret: str) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.orders, self.secret = orders, secret

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.1,), name="control", daemon=True).start()


def file_of(state: Path) -> Path:
    """What tells whoever may read the state folder where the control address is, and its secret."""
    return state / "faults" / "control.json"


def written(state: Path, port: int) -> str:
    """The secret, new at each start, as it stands in the file now."""
    secret, file = secrets.token_urlsafe(32), file_of(state)
    private_folder(file.parent)
    beside = file.with_suffix(".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        json.dump({"address": f"http://127.0.0.1:{port}", "secret": secret}, opened)
    beside.replace(file)
    return secret


class _Handler(PersistentHandler):
    server: ControlServer

    def do_GET(self) -> None:
        if self._is_allowed() and self._is_known(self.path == "/faults"):
            self._reply(200, self.server.orders.all())

    def do_POST(self) -> None:
        length = self.headers.get("content-length") or "0"
        if not (length.isdigit() and int(length) <= _LARGEST):
            self.close_connection = True
            self._reply(413, f"an order has at most {_LARGEST} bytes")
            return
        body = self.rfile.read(int(length))
        if not (self._is_allowed() and self._is_known(self.path == "/faults")):
            return
        try:
            given = json.loads(body)
            if not isinstance(given, dict):
                raise BadOrder("an order is a JSON object")
            self._reply(201, self.server.orders.add(order(given)).told())
        except ValueError as problem:  # BadOrder, and what is no JSON
            self._reply(400, str(problem))

    def do_DELETE(self) -> None:
        number = self.path.removeprefix("/faults").removeprefix("/")
        if self._is_allowed() and self._is_known(
            self.path.startswith("/faults") and (not number or number.isdecimal())
        ):
            gone = self.server.orders.remove(int(number) if number else None)
            self._reply(200 if gone or not number else 404, gone or "there is no such order")

    def _is_allowed(self) -> bool:
        allowed = hmac.compare_digest(self.headers.get(SECRET, "").encode(), self.server.secret.encode())
        if not allowed:
            self._reply(401, f"the header {SECRET} is missing or wrong")
        return allowed

    def _is_known(self, known: bool) -> bool:
        if not known:
            self._reply(404, "orders are at /faults")
        return known

    def _reply(self, status: int, value: object) -> None:
        self._answer_json(status, {"error": value} if status >= 400 else {"value": value})

    def log_message(self, format: str, *values: object) -> None:
        """Silent: what is refused is answered."""
