"""Whoever is measured must answer right, and must come up: else there is no figure but a sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from stub_server import Answer, Request, stub_server

from bench import endpoint, inference_server, rivals

RIGHT = [0.25, 0.5, 0.125]


@dataclass
class Server:
    """Answers with so many probabilities as it gets rows."""

    url: str = ""
    key: str = "probability"
    answers: list[float] = field(default_factory=lambda: list(RIGHT))

    def answer(self, request: Request) -> Answer:
        rows = len(request.json["data"])
        return Answer(body=json.dumps({self.key: self.answers[:rows]}).encode())


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    with stub_server(made.answer) as made.url:
        yield made


@pytest.fixture
def case(tmp_path: Path) -> Any:
    (tmp_path / "one.json").write_text(json.dumps({"data": [{}]}))
    (tmp_path / "thousand.json").write_text(json.dumps({"data": [{}] * 3}))
    return SimpleNamespace(folder=tmp_path, probability=RIGHT * 400)


def contestant(server: Server, **more: str) -> endpoint.Contestant:
    return endpoint.Contestant("they", f"{server.url}/score", **more)


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
