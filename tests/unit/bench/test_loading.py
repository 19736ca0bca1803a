"""Load for benchmarks, by ApacheBench and by our own threads: neither takes a refusal for an answer."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench import loading


class Server(ThreadingHTTPServer):
    daemon_threads = True
    status = 200
    types: set[str | None]


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.types.add(self.headers["content-type"])
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(body)))
        self.send_header("connection", "keep-alive")  # ab speaks HTTP/1.0 and waits for the word
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.types = set()
    thread = threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture(params=["ab", "threads"])
def _tool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "threads":
        monkeypatch.setattr(shutil, "which", lambda _: None)
    elif not shutil.which("ab"):
        pytest.skip("ApacheBench is not installed; the other case is what runs here")


@pytest.mark.usefixtures("_tool")
def test_what_is_measured_fits_together(server: Server, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"x" * 1000)
    url = f"http://127.0.0.1:{server.server_port}/score"
    found = loading.measured(url, tmp_path / "body", "a/b", seconds=0.1, clients=2)
    assert found.keys() == {"p50Ms", "p95Ms", "perSecond"}
    assert 0 < found["p50Ms"] <= found["p95Ms"]
    assert found["perSecond"] > 0
    assert server.types == {"a/b"}


@pytest.mark.usefixtures("_tool")
def test_a_refusal_is_no_measurement(server: Server, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"the words of the refusal")
    server.status = 429
    with pytest.raises(RuntimeError, match="429: the words"):
        loading.measured(
            f"http://127.0.0.1:{server.server_port}/", tmp_path / "body", "a/b", seconds=0.1, clients=1
        )
