"""Status, trace and drop, against an HTTP server that answers as the app does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobClient

from commands import app, arguments, drop, env, processes, status, trace
from commands.stack import Stack, StackError

ANSWERS: dict[str, Any] = {
    "/api/status": {
        "datasets": [
            {
                "dataset": "bank",
                "version": 2,
                "gathering": 0,
                "run": None,
                "serving": {"version": 2, "deployment": "m2", "previous": "m1", "endpoint": "campanha-bank"},
            }
        ],
        "uploads": [{"id": "u", "name": "März [1].csv", "state": "registered", "rows": 300, "seq": 3}],
        "runs": [],
        "models": [{"id": "bank:2", "state": "released", "deployment": "m2", "reason": "log loss 0.01 less"}],
        "batches": [],
        "failures": [],
    },
    "/api/trace/incoming/M%C3%A4rz%20%5B1%5D.csv": {"upload": {"id": "u", "state": "registered"}},
}


class _App(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = ANSWERS.get(self.path.removesuffix("?api-version=2026-11-24"))
        if self.headers["x-functions-key"] != "the key":
            code, answer = 401, {"detail": "wrong key"}
        else:
            code, answer = (404, {"detail": "There is no file."}) if known is None else (200, known)
        body = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Silent."""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The state folder of a stack that seems to run; its app is the server above."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _App)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    one = Stack(tmp_path)
    one.prepare()
    kept = json.loads((tmp_path / "stack.json").read_text())
    kept["ports"]["host"] = server.server_port
    kept["keys"] = {"reader": "r", "operator": "the key", "admin": "a"}
    (tmp_path / "stack.json").write_text(json.dumps(kept))
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "identity-header").write_text("it's")
    monkeypatch.setattr(Stack, "process", lambda self, name: processes.Process(pid=1, born="1"))
    yield tmp_path
    server.shutdown()
    server.server_close()


def test_status_shows_what_there_is(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status.main(["--state", str(state)]) == 0
    shown = capsys.readouterr().out
    for wanted in ("model 2 (campanha-bank/m2)", "März [1].csv", "log loss 0.01 less", "Runs  none"):
        assert wanted in shown
    assert status.main(["--state", str(state), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == ANSWERS["/api/status"]


def test_trace_follows_a_file(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trace.main(["--state", str(state), "incoming/März [1].csv"]) == 0
    assert "registered" in capsys.readouterr().out
    with pytest.raises(app.NotFound, match=r"There is no file\."):
        trace.main(["--state", str(state), "other.csv"])


def test_a_wrong_key_is_said(state: Path) -> None:
    file = state / "stack.json"
    file.write_text(file.read_text().replace("the key", "old"))
    with pytest.raises(StackError, match="401 wrong key"):
        status.main(["--state", str(state)])


def test_env_is_quoted_for_the_shell(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert env.main(["--state", str(state)]) == 0
    shown = capsys.readouterr().out
    assert """export IDENTITY_HEADER='it'"'"'s'\n""" in shown
    assert "export CAMPANHA_KEY='the key'\n" in shown
    env.main(["--state", str(state), "--json"])
    assert json.loads(capsys.readouterr().out)["IDENTITY_HEADER"] == "it's"


def test_drop_uploads_under_the_files_name(
    azurite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Running:
        connection_string = azurite

    def running(*_: object) -> Running:
        return Running()

    file = tmp_path / "clients.csv"
    file.write_bytes(b"age\n30\n")
    monkeypatch.setattr(drop, "running", running)
    container_of(azurite, "scoring")
    assert drop.main(["--scoring", str(file)]) == 0
    assert "./dev trace scoring/clients.csv" in capsys.readouterr().out
    blob = BlobClient.from_connection_string(azurite, "scoring", "clients.csv")
    assert blob.download_blob().readall() == b"age\n30\n"
    with pytest.raises(StackError, match=r"no file .*missing\.csv"):
        drop.main([str(tmp_path / "missing.csv")])


def container_of(connection_string: str, name: str) -> None:
    """Make the container unless another test has."""
    from azure.storage.blob import ContainerClient

    container = ContainerClient.from_connection_string(connection_string, name)
    if not container.exists():
        container.create_container()


def test_the_state_folder_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPANHA_STATE", str(tmp_path))
    assert arguments.parser("up", None).parse_args([]).state == tmp_path
