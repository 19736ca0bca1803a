"""`./dev load-test` against a server of this process: what it counts, and what it makes a script stop at."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from browser.fake_app import FakeApp

from commands import load_test
from commands.client import load

SWAGGER = {"components": {"schemas": {"ServiceInput": {"example": {"data": [{"age": 41}]}}}}}


class Scorer(ThreadingHTTPServer):
    """Answers as it is told; with `together`, only when so many requests are there at the same time."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.bodies: list[bytes] = []
        self.keys: set[str | None] = set()
        self.statuses: list[int] = []
        """Of the next requests; 0 hangs up, and without any it is 200."""
        self.together: threading.Barrier | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/score"


class Handler(BaseHTTPRequestHandler):
    server: Scorer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one piece, for which no client's acknowledgement is awaited

    def do_GET(self) -> None:
        assert self.path == "/swagger.json?version=3"
        self._reply(200, json.dumps(SWAGGER).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.server.lock:
            self.server.bodies.append(body)
            self.server.keys.add(self.headers["authorization"])
            status = self.server.statuses.pop(0) if self.server.statuses else 200
        if self.server.together:
            self.server.together.wait(30)
        if not status:
            self.close_connection = True
            return
        self._reply(status, b"{}" if status == 200 else b'{"error": {"code": "BadValue"}}')

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Silent."""


@pytest.fixture
def scorer() -> Iterator[Scorer]:
    server = Scorer()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def outcome(
    scorer: Scorer, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, dict[str, Any]]:
    code = load_test.main(["--url", scorer.url, "--json", *arguments])
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, result


def test_a_hundred_requests_with_the_endpoints_own_example(
    scorer: Scorer, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result = outcome(scorer, capsys, "--key", "k", "--rows", "3")
    assert (code, result["met"], result["errors"]) == (0, True, 0)
    assert (result["requests"], result["statuses"], result["boundSeconds"]) == (100, {"200": 100}, 60.0)
    assert {json.dumps(json.loads(body)) for body in scorer.bodies} == {
        json.dumps({"data": [{"age": 41}] * 3})
    }
    assert scorer.keys == {"Bearer k"}
    times = list(result["milliseconds"].values())
    assert times == sorted(times)
    assert result["rowsPerSecond"] == pytest.approx(3 * result["requestsPerSecond"], rel=0.01)


def test_as_many_clients_as_are_asked_for_wait_at_once(
    scorer: Scorer, capsys: pytest.CaptureFixture[str]
) -> None:
    scorer.together = threading.Barrier(5)
    code, result = outcome(scorer, capsys, "-n", "20", "-c", "5")
    assert (code, result["requests"]) == (0, 20)


def test_refusals_and_hangups_are_errors_told_in_words(
    scorer: Scorer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPANHA_ENDPOINT_KEY", "secret")
    scorer.statuses = [200, 424, 0, 200, 429]
    assert load_test.main(["--url", scorer.url, "-n", "8"]) == 1
    said = capsys.readouterr().out
    assert "3 errors" in said
    assert "the first refusal: 424" in said
    assert "BadValue" in said
    assert "1 times without an answer: RemoteDisconnected" in said
    assert "NOT as it should be" in said
    assert "secret" not in said
    assert scorer.keys == {"Bearer secret"}
    assert len(scorer.bodies) == 8


def test_what_the_bound_leaves_unsent_is_not_fine(scorer: Scorer, capsys: pytest.CaptureFixture[str]) -> None:
    code, result = outcome(scorer, capsys, "--bound", "0")
    assert (code, result["met"], result["requests"], result["wanted"]) == (1, False, 0, 100)


def test_without_an_address_the_stacks_own_endpoint_is_asked(
    scorer: Scorer, app: FakeApp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    class Endpoints:
        def get(self, name: str) -> SimpleNamespace:
            asked.append(name)
            return SimpleNamespace(scoring_uri=scorer.url, auth_mode="key")

        def get_keys(self, name: str) -> SimpleNamespace:
            return SimpleNamespace(primary_key="the endpoint's")

    monkeypatch.setenv("CAMPANHA_URL", app.url)
    monkeypatch.setenv("CAMPANHA_KEY", "a-reader")
    monkeypatch.setattr(load_test, "workspace", lambda stack: SimpleNamespace(online_endpoints=Endpoints()))
    assert load_test.main(["-n", "3", "--rows", "2"]) == 0
    assert asked == ["campanha-bank-additional"]
    assert scorer.keys == {"Bearer the endpoint's"}
    said = capsys.readouterr().out
    assert f"3 requests to {scorer.url}, 1 at once" in said
    assert "the slowest" in said
    assert "Within the bound." in said
    assert load_test.main(["--dataset", "nobody"]) == 1
    assert "models of bank-additional answer" in capsys.readouterr().err


def test_an_address_where_nobody_is_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert load_test.main(["--url", "http://127.0.0.1:9/score"]) == 1
    assert "Is the address a scoring address?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("percent", "wanted"), [(50, 2.0), (51, 3.0), (75, 3.0), (76, 4.0), (95, 4.0), (100, 4.0)]
)
def test_percentiles_are_measured_values(percent: float, wanted: float) -> None:
    assert load.percentile([3.0, 1.0, 4.0, 2.0], percent) == wanted


def test_a_body_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "typo.json"
    assert load_test.main(["--url", "http://127.0.0.1:1/score", "--body", str(file)]) == 1
    assert capsys.readouterr().err == f"--body {file} cannot be read: No such file or directory.\n"
