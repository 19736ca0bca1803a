"""`localazure up`: three parts together, what a client needs to reach them, and a clean end however it ends."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest
import requests
from azure.storage.queue import QueueClient

from localazure.locks import only_one
from localazure.ports import is_free, lasting_port
from localazure.up import __main__ as command
from localazure.up.addresses import USUAL, Addresses, PortTaken, choose
from localazure.up.parts import NotStarted, Parts
from localazure.workspace.processes.children import Processes
from running_azure.waiting import until

FreePort = Callable[[], int]


class Up:
    """One `localazure up --json`, of which each port is given."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.ports = {name: lasting_port() for name in USUAL}
        self.told: dict[str, Any] = {}
        self.process: subprocess.Popen[str] | None = None

    def start(self, *, given: Mapping[str, int]) -> None:
        command = [sys.executable, "-m", "localazure", "up", "--json", "--state", str(self.state)]
        command += [f"--{name}-port={port}" for name, port in given.items()]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.said()
        self.told = json.loads(line)

    def said(self) -> str:
        assert self.process
        assert self.process.stderr
        return self.process.stderr.read()

    def end(self, number: signal.Signals) -> int:
        process, self.process = self.process, None
        assert process
        process.send_signal(number)
        code = process.wait(40)
        for stream in (process.stdout, process.stderr):
            assert stream
            stream.close()
        return code


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    made = Up(tmp_path)
    yield made
    if made.process:
        made.end(signal.SIGTERM)


def await_end(ports: Mapping[str, int]) -> None:
    """Nobody listens any more, a few seconds later at most."""
    until(lambda: all(map(is_free, ports.values())), "the end of all parts", seconds=10)


def test_what_it_prints_leads_clients_to_all_three(up: Up) -> None:
    up.start(given=up.ports)
    variables = up.told["environment"]
    assert (
        variables["AZUREML_DEV_URL_MFE"]
        == up.told["workspace"]
        == f"https://127.0.0.1:{up.ports['workspace']}"
    )
    reply = requests.get(
        f"{variables['IDENTITY_ENDPOINT']}?resource=https://management.azure.com",
        headers={"X-IDENTITY-HEADER": variables["IDENTITY_HEADER"]},
        timeout=10,
    )
    workspace = requests.get(
        f"{variables['AZUREML_DEV_URL_MFE']}/subscriptions/{variables['AZURE_SUBSCRIPTION_ID']}"
        f"/resourceGroups/{variables['AZURE_RESOURCE_GROUP']}/providers/Microsoft.MachineLearningServices"
        f"/workspaces/{variables['AZUREML_WORKSPACE_NAME']}",
        headers={"Authorization": f"Bearer {reply.json()['access_token']}"},
        verify=variables["REQUESTS_CA_BUNDLE"],
        timeout=10,
    )
    assert workspace.json()["name"] == "localazure"
    event = [{"id": "1", "subject": "s", "eventType": "Placed", "eventTime": "2026-01-01T00:00:00Z", "data": {},
              "dataVersion": "1"}]  # fmt: skip
    key = {"aeg-sas-key": variables["EVENTGRID_TOPIC_KEY"]}
    assert requests.post(variables["EVENTGRID_TOPIC_ENDPOINT"], json=event, headers=key, timeout=10).ok
    queue = QueueClient.from_connection_string(variables["AZURE_STORAGE_CONNECTION_STRING"], "example-events")
    message = until(queue.receive_message, "the event")
    assert json.loads(base64.b64decode(message.content))["eventType"] == "Placed"
    assert up.end(signal.SIGINT) == 0
    await_end(up.ports)


def test_its_file_sets_the_same_variables_in_a_shell(up: Up) -> None:
    up.start(given=up.ports)
    script = f". {up.told['environment_file']}; {sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env={})
    assert json.loads(shell.stdout).items() >= up.told["environment"].items()
    assert os.stat(up.told["environment_file"]).st_mode & 0o077 == 0


def test_it_comes_back_on_the_same_ports_with_what_it_held(up: Up) -> None:
    up.start(given=up.ports)
    before = up.told
    assert up.end(signal.SIGTERM) == 0
    up.start(given={})
    assert up.told == before


def test_a_kill_leaves_nothing_behind(up: Up) -> None:
    up.start(given=up.ports)
    up.end(signal.SIGKILL)
    await_end(up.ports)


def test_a_part_that_dies_ends_the_others(up: Up) -> None:
    up.start(given=up.ports)
    [events] = [
        int(record.name)
        for record in (up.state / "processes").iterdir()
        if b"\0events\0" in Path(f"/proc/{record.name}/cmdline").read_bytes()
    ]
    os.kill(events, signal.SIGKILL)
    assert up.process
    assert up.process.wait(40) == 1
    assert "events ended by itself; see " in up.said()
    await_end(up.ports)


def test_a_port_that_is_taken_is_named(tmp_path: Path, azurite_service: Any) -> None:
    taken = azurite_service.ports.blob
    with pytest.raises(PortTaken, match=rf"port {taken} \(blob\) is taken.*--blob-port"):
        choose(tmp_path, {"blob": taken})
    assert not (tmp_path / "up.json").exists()


def test_usual_ports_are_taken_when_they_are_free_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localazure.up.addresses.is_free", lambda port: port != USUAL["queue"])
    chosen = choose(tmp_path, {"events": 7555})
    assert chosen | {"queue": 0} == USUAL | {"queue": 0, "events": 7555}
    assert chosen["queue"] != USUAL["queue"]
    assert choose(tmp_path, {}) == chosen


def test_a_usual_port_that_another_part_was_given_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localazure.up.addresses.is_free", lambda _: True)
    chosen = choose(tmp_path, {"blob": USUAL["queue"], "table": USUAL["blob"]})
    assert (chosen["blob"], chosen["table"]) == (USUAL["queue"], USUAL["blob"])
    assert len(set(chosen.values())) == len(USUAL)
    assert list(chosen) == list(USUAL)
    assert choose(tmp_path, {}) == chosen


def test_one_port_for_two_parts_names_both_and_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localazure.up.addresses.is_free", lambda _: True)
    with pytest.raises(PortTaken, match=r"port 7555 is that of blob and of events: .*--events-port"):
        choose(tmp_path, {"blob": 7555, "events": 7555})
    assert not (tmp_path / "up.json").exists()
    kept = choose(tmp_path, {"events": 7555})
    with pytest.raises(PortTaken, match="port 7555 is that of blob and of events"):
        choose(tmp_path, {"blob": 7555})
    assert choose(tmp_path, {}) == kept


def test_a_proxy_is_not_asked_for_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "bank.example,localhost")
    monkeypatch.delenv("no_proxy", raising=False)
    for folder, secret in (("workspace", "identity-header"), ("events", "topic.key")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / secret).write_text("secret\n")
    addresses = Addresses(state=tmp_path, ports=USUAL, subscription="s", resource_group="g", workspace="w")
    told = addresses.environment()
    assert told["NO_PROXY"] == told["no_proxy"] == "bank.example,localhost,127.0.0.1"
    assert addresses.environment()["EVENTGRID_TOPIC_KEY"] == "secret"


def environment_of_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    addresses = Addresses(state=tmp_path, ports=USUAL, subscription="s", resource_group="g", workspace="w")
    parts = Parts(addresses)
    given: dict[str, str] = {}

    def start(_: list[str], *, environment: Mapping[str, str], log: IO[bytes], **__: Any) -> None:
        given.update(environment)
        log.write(b"ready: \n")

    monkeypatch.setattr(parts._processes, "start", start)
    parts._start("storage", [])
    return given


def test_nor_do_its_parts_ask_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workspace calls storage and Event Grid by libraries that go by the environment."""
    monkeypatch.setenv("NO_PROXY", "bank.example")
    monkeypatch.setenv("no_proxy", "other.example")
    given = environment_of_a_part(tmp_path, monkeypatch)
    assert given["NO_PROXY"] == given["no_proxy"] == "bank.example,other.example,127.0.0.1,localhost"


def test_its_parts_find_what_is_installed_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCALAZURE_HOME", "programs")
    given = environment_of_a_part(tmp_path / "state", monkeypatch)
    assert given["LOCALAZURE_HOME"] == str(tmp_path / "programs")


LISTENS = """
import socket, sys, time
with socket.create_server(("127.0.0.1", int(sys.argv[1]))):
    print("listens", flush=True)
    time.sleep(1000)
"""


@pytest.fixture
def left(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A part that listens on the port of the last start."""
    ports = {name: lasting_port() for name in USUAL}
    (tmp_path / "up.json").write_text(json.dumps(ports))
    processes = Processes(tmp_path / "processes")
    listens = [sys.executable, "-c", LISTENS, str(ports["blob"])]
    part = processes.start(listens, directory=tmp_path, environment=os.environ, log=subprocess.PIPE)
    assert part.stdout
    assert part.stdout.readline() == b"listens\n"
    yield part
    processes.end(part)
    part.stdout.close()


@pytest.fixture
def began(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, int]]:
    """The ports of each that gets as far as to start its parts, of which there are none."""
    made: list[Mapping[str, int]] = []

    class NoParts(Parts):
        def start(self) -> Iterator[str]:
            made.append(self.addresses.ports)
            raise NotStarted("no parts here")
            yield

    monkeypatch.setattr(command, "provide", lambda: None)
    monkeypatch.setattr(command, "Parts", NoParts)
    monkeypatch.setattr(command, "Ending", lambda: SimpleNamespace(on_signals=lambda: None))
    return made


def test_what_a_killed_one_left_is_ended_before_its_ports_are_looked_at(
    tmp_path: Path, left: subprocess.Popen[bytes], began: list[Mapping[str, int]]
) -> None:
    """On macOS nothing ends a part with `localazure up`."""
    assert command.main(["--state", str(tmp_path)]) == 1
    assert began == [json.loads((tmp_path / "up.json").read_text())]
    assert left.wait(10) == -signal.SIGKILL


def test_a_second_one_of_the_same_folder_is_refused_and_ends_nothing(
    tmp_path: Path,
    left: subprocess.Popen[bytes],
    began: list[Mapping[str, int]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with only_one(tmp_path / "up.lock"):
        assert command.main(["--state", str(tmp_path)]) == 1
    assert f"another `localazure up` runs in {tmp_path}" in capsys.readouterr().err
    assert began == []
    assert left.poll() is None
