"""A web server that takes events, answers as it is told, and remembers what it was sent."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Sent:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any

    @property
    def is_validation(self) -> bool:
        return self.headers.get("aeg-event-type") == "SubscriptionValidation"


Answer = tuple[int, dict[str, str], bytes]
OK: Answer = (200, {}, b"")


def agreeing(sent: Sent) -> Answer:
    """The answer of a well-behaved webhook to whatever is asked."""
    if sent.method == "OPTIONS":
        return 200, {"WebHook-Allowed-Origin": sent.headers["webhook-request-origin"]}, b""
    if sent.is_validation:
        code = sent.body[0]["data"]["validationCode"]
        return 200, {"content-type": "application/json"}, json.dumps({"validationResponse": code}).encode()
    return OK


class Receiver:
    """Serves on a free port of 127.0.0.1 while the `with` lasts; `answer` may be replaced at any time."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.answer: Callable[[Sent], Answer] = agreeing
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _take(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                sent = Sent(self.command, self.path, headers, json.loads(body) if body else None)
                receiver.sent.append(sent)
                status, more, content = receiver.answer(sent)
                self.send_response(status)
                for name, value in {**more, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_OPTIONS = do_GET = _take

            def log_message(self, format: str, *values: object) -> None:
                """Silent: the tests look at what was sent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?code=secret"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def events(self) -> list[Sent]:
        """What was sent apart from handshakes."""
        return [one for one in self.sent if one.method == "POST" and not one.is_validation]

    def await_events(self, count: int, *, seconds: float = 40) -> list[Sent]:
        deadline = time.monotonic() + seconds
        while len(self.events) < count:
            assert time.monotonic() < deadline, f"{len(self.events)} deliveries came, not {count}"
            time.sleep(0.005)
        return self.events
