"""Load for benchmarks, by ApacheBench and by our own threads: neither takes a refusal for an answer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from stub_server import Answer, Request, stub_server

from bench import loading


@dataclass
class Server:
    """Sends back what it gets."""

    url: str = ""
    status: int = 200
    types: set[str | None] = field(default_factory=set)

    def answer(self, request: Request) -> Answer:
        self.types.add(request.headers["Content-Type"])
        # ab speaks HTTP/1.0 and waits for the word
        return Answer(self.status, request.body, {"Connection": "keep-alive"})


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    with stub_server(made.answer) as made.url:
        yield made


@pytest.fixture(params=["ab", "threads"])
def _tool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "threads":
        monkeypatch.setattr(shutil, "which", lambda _: None)
    elif not shutil.which("ab"):
        pytest.skip("ApacheBench is not installed; the other case is what runs here")


@pytest.mark.usefixtures("_tool")
def test_what_is_measured_fits_together(server: Server, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"x" * 1000)
    url = f"{server.url}/score"
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
        loading.measured(f"{server.url}/", tmp_path / "body", "a/b", seconds=0.1, clients=1)
