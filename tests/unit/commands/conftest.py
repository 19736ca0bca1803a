"""The commands against a real HTTP server with the status API's contract."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser.fake_app import FakeApp, serving


@pytest.fixture
def app() -> Iterator[FakeApp]:
    with serving(FakeApp()) as served:
        yield served


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(app: FakeApp, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call it for a command's exit code, what it printed, and what it complained of: run("runs", "--json")."""
    monkeypatch.setenv("COLUMNS", "200")

    def run_(
        name: str, *arguments: str, key: str = "an-operator", url: str | None = None
    ) -> tuple[int, str, str]:
        from importlib import import_module

        where = ["--url", url or app.url, "--key", key]
        code = import_module(f"commands.{name}").main([*where, *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run_


@pytest.fixture
def asked(run: Run) -> Callable[..., Any]:
    """Call it for what a command prints with --json."""

    def asked_(name: str, *arguments: str) -> Any:
        code, out, _ = run(name, *arguments, "--json")
        assert code in (0, 1)
        return json.loads(out)

    return asked_
