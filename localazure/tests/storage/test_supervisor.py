"""Azurite under supervision: it serves, logs within bounds, keeps state, ends with its supervisor."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContentSettings, generate_container_sas

from localazure.storage import node, supervisor
from localazure.storage.account import ACCOUNT, KEY, Ports
from localazure.storage.installation import provide
from localazure.storage.program import NotInstalled, installed
from localazure.storage.supervisor import Azurite, StartFailed

FreePort = Callable[[], int]


def _ports(free_port: FreePort) -> Ports:
    return Ports(blob=free_port(), queue=free_port(), table=free_port())


def _gone(port: int, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except OSError:
            return True
        finally:
            connection.close()
        time.sleep(0.05)
    return False


def _logged(azurite: Azurite, wanted: str) -> str:
    """The first line of the access log with that in it; written when the answer has gone out, not before."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        for line in azurite.access_log.read_text().splitlines():
            if wanted in line:
                return line
        time.sleep(0.01)
    pytest.fail(f"no line with {wanted}")


def test_the_access_log_says_of_a_write_what_it_was(azurite_service: Azurite) -> None:
    blobs = BlobServiceClient.from_connection_string(azurite_service.connection_string)
    blobs.create_container("logged")
    written = blobs.get_blob_client("logged", "a b.csv").upload_blob(
        b"age;job", content_settings=ContentSettings(content_type="text/csv")
    )
    line = _logged(azurite_service, '"PUT /devstoreaccount1/logged/a%20b.csv HTTP/1.1" 201')
    told = json.loads(line[line.index("{") :])
    assert told["eTag"] == written["etag"]
    assert (told["requestId"], told["clientRequestId"]) == (
        written["request_id"],
        written["client_request_id"],
    )
    assert (told["blobType"], told["contentType"], told["contentLength"]) == ("BlockBlob", "text/csv", 7)
    assert azurite_service.access_log.read_text().startswith("# access log ")


@pytest.mark.parametrize("written", ["sig", "SIG", "s%69g"])
def test_no_signature_of_a_sas_token_is_in_the_log(azurite_service: Azurite, written: str) -> None:
    """Whoever reads the log has else what the token gives; and what Event Grid needs to know is there as before."""
    blobs = BlobServiceClient.from_connection_string(azurite_service.connection_string)
    container = f"signed{uuid.uuid4().hex[:6]}"
    second = uuid.uuid4().hex  # others log to this file too
    blobs.create_container(container)
    ends = datetime.now(UTC) + timedelta(hours=1)
    token = generate_container_sas(ACCOUNT, container, account_key=KEY, permission="rwdl", expiry=ends)
    secret = parse_qs(token)["sig"][0]
    connection = http.client.HTTPConnection("127.0.0.1", azurite_service.ports.blob, timeout=10)
    headers = {"x-ms-version": "2021-12-02", "x-ms-blob-type": "BlockBlob"}
    for url in (
        f"/{ACCOUNT}/{container}/a.csv?{token.replace('sig=', f'{written}=')}&x=1",
        f"/{ACCOUNT}/{container}/a.csv?{written}={quote(secret)}&sig={second}&last=1",
    ):
        connection.request("PUT", url, body=b"x", headers=headers)
        connection.getresponse().read()
    connection.close()
    line = _logged(azurite_service, f"/{container}/a.csv?")
    _logged(azurite_service, "last=1")
    text = azurite_service.access_log.read_text()
    assert not [part for part in (secret, quote(secret), quote(secret, safe=""), second) if part in text]
    assert "sig=REDACTED" in line
    assert "sp=rwdl" in line


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_the_state_is_its_owners_alone(tmp_path: Path, free_port: FreePort) -> None:
    before = os.umask(0o022)
    try:
        (tmp_path / "old" / "storage").mkdir(parents=True)  # of a version that left it open
        for state in (tmp_path / "deep" / "new", tmp_path / "old"):
            with Azurite(state=state, ports=_ports(free_port), in_memory=True):
                assert (state / "storage").stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)
    assert [(tmp_path / "deep" / made).stat().st_mode & 0o777 for made in (".", "new")] == [0o700, 0o700]


def test_a_caller_that_hangs_up_before_the_answer_is_in_the_log(azurite_service: Azurite) -> None:
    """Its blob is written all the same, and an event is due."""
    blobs = BlobServiceClient.from_connection_string(azurite_service.connection_string)
    blobs.create_container("hangup")
    allowed = generate_container_sas(
        ACCOUNT, "hangup", account_key=KEY, permission="w", expiry=datetime.now(UTC) + timedelta(hours=1)
    )
    head = f"PUT /{ACCOUNT}/hangup/gone.csv?{allowed} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1\r\n"
    with socket.create_connection(("127.0.0.1", azurite_service.ports.blob)) as caller:
        caller.sendall(f"{head}x-ms-version: 2021-12-02\r\nx-ms-blob-type: BlockBlob\r\n\r\nx".encode())
    assert '" 201 ' in _logged(azurite_service, "/hangup/gone.csv")
    assert blobs.get_blob_client("hangup", "gone.csv").exists()


def test_the_log_is_bounded(tmp_path: Path, free_port: FreePort, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LOG_BYTES", 1500)
    monkeypatch.setattr(supervisor, "LOG_FILES", 2)
    with Azurite(state=tmp_path, ports=_ports(free_port), in_memory=True) as azurite:
        blobs = BlobServiceClient.from_connection_string(azurite.connection_string)
        container = blobs.create_container("many")
        for number in range(60):
            container.upload_blob(f"{number}.csv", b"1")
    files = sorted((tmp_path / "storage").glob("access.log*"))
    assert [file.name for file in files] == ["access.log", "access.log.1", "access.log.2"]
    assert all(file.stat().st_size < 2000 for file in files)
    assert all(file.read_text().startswith("# access log ") for file in files)
    assert len({file.read_text().splitlines()[0] for file in files}) == 3


def test_state_outlives_a_stop(tmp_path: Path, free_port: FreePort) -> None:
    for _ in range(2):
        with Azurite(state=tmp_path, ports=_ports(free_port)) as azurite:
            blobs = BlobServiceClient.from_connection_string(azurite.connection_string)
            try:
                blobs.create_container("kept")
            except ResourceExistsError:
                return
    pytest.fail("the second start did not know the container of the first")


def _command(state: Path, ports: Ports, *options: str) -> subprocess.Popen[str]:
    """`localazure storage`"""
    command = [sys.executable, "-m", "localazure", "storage", "--state", str(state), *options]
    for name in ("blob", "queue", "table"):
        command += [f"--{name}-port", str(getattr(ports, name))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})


@pytest.mark.parametrize("how", [signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)])
def test_azurite_ends_with_its_supervisor(tmp_path: Path, free_port: FreePort, how: signal.Signals) -> None:
    ports = _ports(free_port)
    process = _command(tmp_path, ports, "--in-memory")
    assert process.stdout is not None
    with process.stdout as said:
        assert said.readline() == f"ready: storage http://127.0.0.1:{ports.blob}\n"
        process.send_signal(how)
        assert process.wait(20) == (0 if how is signal.SIGTERM else -how)
    assert _gone(ports.blob)


def test_a_taken_port_is_said(azurite_service: Azurite, tmp_path: Path, free_port: FreePort) -> None:
    taken = Ports(blob=azurite_service.ports.blob, queue=free_port(), table=free_port())
    with pytest.raises(StartFailed, match=rf"port {taken.blob} of 127.0.0.1 \(blob\)"):
        Azurite(state=tmp_path, ports=taken, in_memory=True).start()


def test_another_program_that_answers_on_its_ports_is_not_taken_for_it(
    azurite_service: Azurite, tmp_path: Path
) -> None:
    with pytest.raises(StartFailed, match=f"port {azurite_service.ports.blob} "):
        Azurite(state=tmp_path, ports=azurite_service.ports, in_memory=True).start()


def test_a_second_one_of_the_same_folder_is_refused_and_takes_nothing(
    tmp_path: Path, free_port: FreePort, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "TURN_SECONDS", 0.5)
    with Azurite(state=tmp_path, ports=_ports(free_port)) as first:
        files = BlobServiceClient.from_connection_string(first.connection_string).create_container("files")
        files.upload_blob("x", b"")
        with pytest.raises(StartFailed, match=f"another Azurite has {tmp_path}/storage"):
            Azurite(state=tmp_path, ports=_ports(free_port)).start()
        files.upload_blob("y", b"")
    with first:
        assert [blob.name for blob in files.list_blobs()] == ["x", "y"]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says which process is whose child")
def test_one_whose_supervisor_was_killed_has_the_folder_until_it_is_gone(
    tmp_path: Path, free_port: FreePort, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = _command(tmp_path, _ports(free_port))
    assert process.stdout is not None
    with process.stdout as said:
        said.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    node = int(children[0])
    os.kill(node, signal.SIGSTOP)
    try:
        process.kill()
        process.wait(20)
        with monkeypatch.context() as shorter:
            shorter.setattr(supervisor, "TURN_SECONDS", 0.5)
            with pytest.raises(StartFailed, match="another Azurite has"):
                Azurite(state=tmp_path, ports=_ports(free_port)).start()
    finally:
        os.kill(node, signal.SIGCONT)
    with Azurite(state=tmp_path, ports=_ports(free_port)):
        pass


def test_what_is_not_installed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALAZURE_HOME", str(tmp_path))
    with pytest.raises(NotInstalled, match="`localazure setup`"):
        installed()


def test_what_cannot_be_installed_says_why_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALAZURE_HOME", str(tmp_path))
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho no registry; exit 7\n")
    broken.chmod(0o755)
    monkeypatch.setattr(node, "find_or_install", lambda: node.Node(binary=broken, npm=broken))
    with pytest.raises(node.SetupFailed, match=r"ended with 7.*\nno registry\n.*npm_config_registry"):
        provide()
    with pytest.raises(NotInstalled):
        installed()
