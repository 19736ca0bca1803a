"""HTTP/1.1 with persistent connections (RFC 9112, 9.3), for clients of HTTP/1.0 too: what each server here stands on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler


class PersistentHandler(BaseHTTPRequestHandler):
    """Keeps a connection as long as its client wants, and says in each answer what becomes of it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120

    def end_headers(self) -> None:
        """A client of HTTP/1.0 waits for the connection's end unless it is told that it is kept: ab -k hung."""
        if self.close_connection:
            self.send_header("connection", "close")
        elif self.request_version == "HTTP/1.0":
            self.send_header("connection", "keep-alive")
        super().end_headers()

    def _finish(self, headers: Mapping[str, str], body: bytes) -> None:
        """What comes after the status line; HEAD asks for no body."""
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _answer_json(self, status: int, value: object) -> None:
        self.send_response(status)
        self._finish({"Content-Type": "application/json"}, json.dumps(value).encode())
