"""Whoever is measured must answer right, and must come up: else there is no figure but a sentence."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench import endpoint, inference_server, rivals

RIGHT = [0.25, 0.5, 0.125]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    key = "probability"
    answers: list[float]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        rows = len(json.loads(self.rfile.read(int(self.headers["content-length"])))["data"])
        body = json.dumps({self.server.key: self.server.answers[:rows]}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.answers = list(RIGHT)
    thread = threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def case(tmp_path: Path) -> Any:
    (tmp_path / "one.json").write_text(json.dumps({"data": [{}]}))
    (tmp_path / "thousand.json").write_text(json.dumps({"data": [{}] * 3}))
    return SimpleNamespace(folder=tmp_path, probability=RIGHT * 400)


def contestant(server: Server, **more: str) -> endpoint.Contestant:
    return endpoint.Contestant("they", f"http://127.0.0.1:{server.server_port}/score", **more)


def test_the_right_answers_are_let_pass(server: Server, case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answers = RIGHT * 400
    (case.folder / "thousand.json").write_text(json.dumps({"data": [{}] * 1000}))
    contestant(server).compare(case)


def test_an_answer_that_is_not_the_trees_is_no_contestant(server: Server, case: Any) -> None:
    server.answers = [0.25 + 1e-6]
    with pytest.raises(RuntimeError, match="they answers otherwise than the trees, by 1e-06"):
        contestant(server).compare(case)


def test_too_few_answers_are_no_answer(server: Server, case: Any) -> None:
    with pytest.raises(ValueError, match="zip"):
        contestant(server).compare(case)


def test_who_only_says_hello_is_not_compared(case: Any) -> None:
    endpoint.Contestant("hello", "http://127.0.0.1:9/", key="").compare(case)


def test_arrow_is_for_many_rows(server: Server) -> None:
    assert list(contestant(server, form=".arrow").cases) == ["1,000 records"]
    assert list(contestant(server).cases) == list(endpoint.CASES)


def test_an_inference_server_that_ends_is_told_with_its_log(tmp_path: Path) -> None:
    script = tmp_path / "score" / "score.py"
    script.parent.mkdir()
    script.write_text("raise SystemExit('no model in the folder')")
    with (
        pytest.raises(RuntimeError, match=r"the server did not come up:\n"),
        inference_server.serves(Path(sys.executable), script, tmp_path, {}, tmp_path),
    ):
        pytest.fail("nothing serves")
    assert (tmp_path / "score.log").stat().st_size


def test_mlflow_that_ends_is_told_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an interpreter without mlflow: it can neither save the model nor serve it."""
    monkeypatch.setattr(rivals, "mlflow_python", lambda: Path(sys.executable))
    monkeypatch.setattr(rivals.subprocess, "run", lambda *_, **__: None)
    with (
        pytest.raises(RuntimeError, match=r"mlflow did not come up:\n.*No module named mlflow"),
        rivals.mlflow_serves(tmp_path, tmp_path),
    ):
        pytest.fail("nothing serves")
