"""A stack of the two small parts, with real processes: started once, restarted after a kill, side by side."""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient

import commands.__main__
import commands.up
from commands.stack import parts, ports, settings, supervisor
from commands.stack.arguments import running
from commands.stack.errors import StackError
from commands.stack.parts import EVENTS, STORAGE
from commands.stack.processes import Process
from commands.stack.state import Stack
from shared.resources import storage
from tests.unit.commands.small_stack import IN_MEMORY, only_two_parts

Started = list[tuple[str, bool]]


@pytest.fixture(autouse=True)
def _two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    only_two_parts(monkeypatch)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Stack]:
    one = Stack(tmp_path / "one")
    yield one
    supervisor.down(one)


def _up(one: Stack) -> Started:
    said: Started = []
    supervisor.up(one, lambda part, _, now: said.append((part, now)))
    return said


def _is_up(one: Stack) -> bool:
    return all(one.process(part) for part in supervisor.PARTS)


def test_up_starts_only_what_is_missing(made: Stack) -> None:
    assert _up(made) == [("storage", True), ("events", True)]
    before = made.process("storage")
    assert _up(Stack(made.state)) == [("storage", False), ("events", False)]
    events = made.process("events")
    assert events is not None
    os.kill(events.pid, signal.SIGKILL)
    assert _up(made) == [("storage", False), ("events", True)]
    assert made.process("storage") == before
    assert supervisor.down(made) == []
    assert not _is_up(made)


def test_storage_holds_what_the_app_expects(made: Stack) -> None:
    _up(made)
    blobs = BlobServiceClient.from_connection_string(made.connection_string)
    queues = QueueServiceClient.from_connection_string(made.connection_string)
    tables = TableServiceClient.from_connection_string(made.connection_string)
    assert {one.name for one in blobs.list_containers()} == {each.name for each in storage.CONTAINERS}
    assert {one.name for one in queues.list_queues()} == set(storage.QUEUE_NAMES)
    assert {one.name for one in tables.list_tables()} == set(storage.TABLES)
    blobs.get_blob_client("incoming", "a.csv").upload_blob(b"1")
    assert "BlobCreated" in _first_message(queues.get_queue_client("blob-events"))


def _first_message(queue: QueueClient) -> str:
    deadline = time.monotonic() + 10
    while (message := queue.receive_message()) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert message is not None
    return base64.b64decode(message.content).decode()


def test_two_stacks_run_side_by_side(made: Stack, tmp_path: Path) -> None:
    other = Stack(tmp_path / "other")
    try:
        _up(made)
        _up(other)
        assert _is_up(made)
        assert _is_up(other)
        assert not set(made.ports.values()) & set(other.ports.values())
        assert made.event_key != other.event_key
    finally:
        supervisor.down(other)


def test_a_recycled_pid_is_not_taken_for_ours(tmp_path: Path) -> None:
    one = Stack(tmp_path)
    one.prepare()
    kept = json.loads((tmp_path / "stack.json").read_text())
    kept["parts"]["events"] = {"pid": os.getpid(), "born": "1"}
    (tmp_path / "stack.json").write_text(json.dumps(kept))
    assert Stack(tmp_path).process("events") is None
    assert supervisor.down(Stack(tmp_path)) == []


def test_a_taken_port_is_named(made: Stack, tmp_path: Path) -> None:
    _up(made)
    other = Stack(tmp_path / "other")
    other.prepare()
    kept = json.loads((other.state / "stack.json").read_text())
    kept["ports"]["blob"] = made.ports["blob"]
    (other.state / "stack.json").write_text(json.dumps(kept))
    with pytest.raises(StackError, match=rf"port {made.ports['blob']} \(blob\) is taken"):
        _up(other)


def test_a_part_that_does_not_start_shows_its_log(made: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = parts.Part(
        name="events", ports=("events",), arguments=lambda it: [*EVENTS.arguments(it), "--no-such-option"]
    )
    monkeypatch.setattr(supervisor, "STAGES", ((IN_MEMORY,), (broken,)))
    with pytest.raises(StackError, match="events did not start") as problem:
        _up(made)
    assert "unrecognized arguments" in str(problem.value)


def test_settings_chosen_once_are_kept(tmp_path: Path) -> None:
    one = Stack(tmp_path)
    one.prepare({"GATHER_QUIET_SECONDS": "2"})
    for part, name in (("workspace", "identity-header"),):
        (tmp_path / part).mkdir()
        (tmp_path / part / name).write_text("secret\n")
    values = settings.app_settings(Stack(tmp_path))
    assert values["GATHER_QUIET_SECONDS"] == "2"
    assert values["CAMPANHA_STORAGE"] == one.connection_string
    assert set(settings.script_environment(one)) >= {
        "AZUREML_DEV_URL_MFE", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE",
        "AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZUREML_WORKSPACE",
        "AZURE_STORAGE_CONNECTION_STRING", "EVENTGRID_TOPIC_ENDPOINT", "EVENTGRID_TOPIC_KEY",
        "CAMPANHA_URL", "CAMPANHA_KEY", "NO_PROXY",
    }  # fmt: skip
    assert not settings.write_app_settings(one)
    one.prepare({"GATHER_QUIET_SECONDS": "3"})
    assert settings.write_app_settings(one)


def test_nothing_running_is_said(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"`\./dev up` starts"):
        running(tmp_path)


def test_chosen_ports_are_free_and_differ() -> None:
    chosen = ports.choose()
    assert tuple(chosen) == ports.NAMES
    assert len(set(chosen.values())) == len(ports.NAMES)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_the_state_is_its_owners_alone(made: Stack) -> None:
    """Keys, tokens and clients' rows lie in it; what the parts make in it, too."""
    before = os.umask(0o022)
    try:
        _up(made)
    finally:
        os.umask(before)
    folders = [made.state, *(made.state / name for name in ("storage", "events", "logs"))]
    assert {folder.name: oct(folder.stat().st_mode & 0o777) for folder in folders} == {
        folder.name: "0o700" for folder in folders
    }


def test_a_folder_that_is_somebodys_stays_as_open_as_it_was(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    Stack(tmp_path).prepare()
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_what_the_embedded_azure_is_unkind_in_is_stored_and_said_to_its_parts(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    stack.prepare()
    assert not stack.be_strict([])
    assert stack.be_strict(["keyless", "events-twice"])
    again = Stack(tmp_path)
    assert again.strict == ["events-twice", "keyless"]
    assert not again.be_strict(["keyless", "events-twice"])
    assert "--strict=events-twice,keyless" in EVENTS.arguments(again)
    assert "--strict=events-twice,keyless" in STORAGE.arguments(again)
    assert again.be_strict([])
    assert not any("--strict" in one for one in EVENTS.arguments(again))


def test_a_proxy_is_not_asked_for_what_runs_here(made: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would not know the stack. What the user has it not asked for besides stays so, in either spelling."""
    monkeypatch.setattr(sys, "argv", ["commands/__main__.py", "up"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{ports.choose()['host']}")  # where nobody is
    monkeypatch.setenv("NO_PROXY", "bank.example")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setattr(commands.up, "main", lambda _: len(_up(made)))
    assert commands.__main__.main() == 2
    for told in (os.environ, settings.no_proxy()):
        assert told["NO_PROXY"] == told["no_proxy"] == "bank.example,127.0.0.1,localhost"


def test_a_part_that_an_interrupted_start_has_begun_is_waited_for(
    made: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is alive, and nobody has seen it serve."""
    made.prepare()
    await_ready = supervisor._await_ready
    slow = (
        "import os, sys, time; time.sleep(2);"
        "os.execv(sys.executable, [sys.executable, '-m', 'localazure', 'storage', *sys.argv[1:]])"
    )
    monkeypatch.setattr(
        parts.Part, "command", lambda it, stack: [sys.executable, "-c", slow, *it.arguments(stack)]
    )

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(supervisor, "_await_ready", interrupted)
    with pytest.raises(KeyboardInterrupt):
        supervisor.up_storage(made)
    begun = made.process("storage")
    awaited: list[str] = []
    monkeypatch.setattr(
        supervisor, "_await_ready", lambda *given: (awaited.append(given[1].name), await_ready(*given))
    )
    for _ in range(2):
        supervisor.up_storage(Stack(made.state))
    assert awaited == ["storage"]
    assert Stack(made.state).process("storage") == begun


def test_a_host_is_told_of_all_that_no_proxy_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a host the environment wins over the settings file."""
    stack = Stack(tmp_path)
    stack.prepare({"NO_PROXY": "chosen.example"})
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "identity-header").write_text("secret\n")
    monkeypatch.setenv("NO_PROXY", "bank.example")
    monkeypatch.delenv("no_proxy", raising=False)
    given: dict[str, str] = {}

    def start(_: list[str], *, env: dict[str, str], **__: object) -> Process:
        given.update(env)
        return Process(pid=os.getpid(), born="1")

    monkeypatch.setattr(supervisor.processes, "start", start)
    supervisor._begin(stack, parts.HOST)
    assert given["NO_PROXY"] == given["no_proxy"] == "chosen.example,bank.example,127.0.0.1,localhost"
