"""What the host tells Application Insights: each call, by token, and never at the cost of one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from localazure.host.telemetry import Telemetry
from running_azure.host import Hosted
from running_azure.waiting import until

APP = """
@app.route(route="works")
def works(req: func.HttpRequest) -> str:
    return "yes"


@app.route(route="fails")
def fails(req: func.HttpRequest) -> str:
    raise ValueError("no")
"""


class Insights(ThreadingHTTPServer):
    """Keeps what it is told; answers `status`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.told, self.asked = 200, list[dict[str, Any]](), 0
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def connection(self) -> dict[str, str]:
        address = f"http://127.0.0.1:{self.server_port}/"
        return {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey=key;IngestionEndpoint={address}"
        }


class _Handler(BaseHTTPRequestHandler):
    server: Insights

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked += 1
        if self.server.status == 200:
            assert self.path == "/v2.1/track"
            self.server.told += json.loads(body)
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *values: object) -> None:
        """Silent."""


@pytest.fixture
def insights() -> Iterator[Insights]:
    made = Insights()
    yield made
    made.shutdown()
    made.server_close()


def test_each_call_is_told(hosted_app: Callable[..., Hosted], insights: Insights) -> None:
    host = hosted_app(APP)
    host.start(**insights.connection)
    assert host.ask("GET", "/api/works").status == 200
    assert host.ask("GET", "/api/fails").status == 500
    host.terminate()
    assert host.ended() == 0
    told = {one["data"]["baseData"]["name"]: one for one in insights.told}
    assert {name: one["data"]["baseData"]["success"] for name, one in told.items()} == {
        "works": True,
        "fails": False,
    }
    assert {one["iKey"] for one in insights.told} == {"key"}
    assert told["works"]["data"]["baseData"]["duration"].startswith("00:00:0")


def test_what_is_not_taken_is_said_once_and_forgotten(
    insights: Insights, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localazure.host.telemetry.EVERY_SECONDS", 0.01)
    insights.status = 403
    telemetry = Telemetry(insights.connection)
    telemetry.called("one", "1", 0.5, failed=False)
    until(lambda: insights.asked == 1, "the first try")
    telemetry.called("two", "2", 0.5, failed=False)
    until(lambda: insights.asked == 2, "the second")
    telemetry.close()
    assert insights.told == []
    assert [record.getMessage() for record in caplog.records] == [
        "Application Insights does not take what calls took (403)."
    ]


def test_without_a_connection_string_nothing_is_told() -> None:
    telemetry = Telemetry({})
    telemetry.called("one", "1", 0.5, failed=False)
    telemetry.close()
