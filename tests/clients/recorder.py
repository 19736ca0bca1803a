"""Between a program and the app: passes on what either says, and keeps who said what when."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

BY_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "content-length", "accept-encoding")
LONGEST = 60.0
"""Seconds for an answer."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its answer."""

    method: str
    path: str
    """Without the query."""
    held: str | None
    """If-None-Match."""
    asked_at: float
    """Seconds of the monotonic clock."""
    status: int
    headers: dict[str, str]
    body: str
    answered_at: float

    @property
    def again_after(self) -> float | None:
        """Until when the program was told to wait, on the same clock; None when it was not."""
        if self.status not in (429, 503):
            return None
        return self.answered_at + int(self.headers["retry-after"])


@dataclass
class Recorder:
    """What one program asked, in the order of the answers."""

    address: str
    exchanges: list[Exchange] = field(default_factory=list)

    def met(self, status: int) -> bool:
        return any(exchange.status == status for exchange in self.exchanges)


@contextmanager
def recorded(app: str) -> Iterator[Recorder]:
    """An address of this machine that answers what the app does."""
    there = urlsplit(app).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            asked_at = time.monotonic()
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in BY_CONNECTION
            }
            headers["Accept-Encoding"] = "identity"  # to read the body
            connection = http.client.HTTPConnection(there, timeout=LONGEST)
            try:
                connection.request(self.command, self.path, body or None, headers)
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
            told = {name.lower(): value for name, value in answer.getheaders()}
            recorder.exchanges.append(
                Exchange(
                    method=self.command, path=urlsplit(self.path).path, held=self.headers.get("If-None-Match"),
                    asked_at=asked_at, status=answer.status, headers=told, body=content.decode(),
                    answered_at=time.monotonic(),
                )
            )  # fmt: skip
            self.send_response(answer.status)
            for name, value in told.items():
                if name not in (*BY_CONNECTION, "date", "server"):
                    self.send_header(name, value)
            if answer.status != 304:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _pass_on

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: what failed, the test says."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        recorder = Recorder(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield recorder
        finally:
            server.shutdown()
            thread.join()
