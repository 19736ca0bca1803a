"""The commands against a real HTTP server with the status API's contract."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.fake_app import FakeApp, serving

from commands.stack import processes
from commands.stack.state import Stack


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


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of a stack that seems to run, with keys as long as the app wants them."""
    one = Stack(tmp_path)
    one.prepare()
    kept = json.loads((tmp_path / "stack.json").read_text())
    kept["keys"] = {scope: f"the {scope}'s key of this test" for scope in ("reader", "operator", "admin")}
    (tmp_path / "stack.json").write_text(json.dumps(kept))
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "identity-header").write_text("it's")
    monkeypatch.setattr(Stack, "process", lambda self, name: processes.Process(pid=1, born="1"))
    return tmp_path
