"""`./dev playground`: what it prints, and how the page is served. The page itself is looked at in tests/browser."""

from __future__ import annotations

import json
import threading
import urllib.request
from pathlib import Path

import pytest

from commands import playground
from commands.docs_site.static_server import server_of
from commands.playground_site import build


def test_it_says_where_the_page_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index.html").write_text("<p>here</p>")
    monkeypatch.setattr(playground, "build", lambda: None)
    monkeypatch.setattr(playground, "FOLDER", tmp_path)
    assert playground.main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"folder": str(tmp_path), "bytes": 11}
    assert playground.main([]) == 0
    assert "./dev playground --open shows it." in capsys.readouterr().out


def test_what_fails_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        raise build.BuildFailed("a module does not compile")

    monkeypatch.setattr(playground, "build", fails)
    assert playground.main([]) == 1
    assert capsys.readouterr().err == "a module does not compile\n"


def test_it_is_served_with_a_policy_that_lets_nothing_else_in(tmp_path: Path) -> None:
    (tmp_path / "python.wasm").write_bytes(b"\0asm")
    with server_of(tmp_path, headers=playground.HEADERS) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/python.wasm") as answer:
            policy, kind = answer.headers["Content-Security-Policy"], answer.headers["Content-Type"]
        server.shutdown()
    assert kind == "application/wasm"  # a browser compiles it while it loads
    assert "default-src 'none'" in policy
    for word in ("http:", "https:", "*", "'unsafe-eval'", "'unsafe-inline'"):
        assert word not in policy.split()


def test_nothing_of_the_site_names_another_one() -> None:
    for file in (build.SOURCES / "site").rglob("*"):
        if file.suffix in {".html", ".css", ".js"}:
            assert "https://" not in file.read_text(), file
