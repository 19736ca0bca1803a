"""Drop, env, and what all commands' arguments have in common."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from azure.storage.blob import BlobClient

from commands import drop, env
from commands.stack import arguments
from commands.stack.errors import StackError
from commands.stack.state import Stack
from commands.stack.upload import upload


class Keyed(Stack):
    """A stack without roles, of another storage."""

    def __init__(self, connection_string: str) -> None:
        self._given = connection_string

    @property
    def roles(self) -> bool:
        return False

    @property
    def connection_string(self) -> str:
        return self._given


def test_env_is_quoted_for_the_shell(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert env.main(["--state", str(state)]) == 0
    shown = capsys.readouterr().out
    assert """export IDENTITY_HEADER='it'"'"'s'\n""" in shown
    assert """export CAMPANHA_KEY='the operator'"'"'s key of this test'\n""" in shown
    env.main(["--state", str(state), "--json"])
    assert json.loads(capsys.readouterr().out)["IDENTITY_HEADER"] == "it's"


def test_drop_uploads_under_the_files_name(
    azurite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def running(*_: object) -> Keyed:
        return Keyed(azurite)

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


DEPLOYED = "https://func-api-x.azurewebsites.net"


@pytest.mark.parametrize("by", ["--url", "CAMPANHA_URL"])
def test_nothing_is_dropped_here_that_is_meant_for_a_deployed_app(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    file = tmp_path / "clients.csv"
    file.write_bytes(b"age\n30\n")
    monkeypatch.setattr(drop, "upload", _no_upload)
    monkeypatch.setenv("CAMPANHA_STATE", str(state))
    if by == "CAMPANHA_URL":
        monkeypatch.setenv(by, DEPLOYED)
    given = [by, DEPLOYED] if by == "--url" else []
    with pytest.raises(StackError, match="az storage blob upload --auth-mode login") as refused:
        drop.main([*given, "--scoring", "--name", "may.csv", str(file)])
    assert f"--container-name scoring --name may.csv --file {file}" in str(refused.value)


def _no_upload(*_: object) -> None:
    raise AssertionError


@pytest.mark.parametrize("by", ["--state", "CAMPANHA_URL"])
def test_the_stack_of_this_machine_may_be_what_is_meant(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """Named by its folder whatever the environment says, or by the address that `./dev env` gives."""
    file, uploaded = tmp_path / "clients.csv", list[str]()
    file.write_bytes(b"age\n30\n")
    monkeypatch.setattr(drop, "upload", lambda stack, container, name, file: uploaded.append(name))
    monkeypatch.setenv("CAMPANHA_URL", DEPLOYED)
    if by == "CAMPANHA_URL":
        monkeypatch.setenv("CAMPANHA_STATE", str(state))
        monkeypatch.setenv("CAMPANHA_URL", f"{Stack(state).host_url}/")
    assert drop.main([*(["--state", str(state)] if by == "--state" else []), str(file)]) == 0
    assert uploaded == ["clients.csv"]


def test_what_storage_refuses_is_said_in_a_sentence(azurite: str, tmp_path: Path) -> None:
    file = tmp_path / "clients.csv"
    file.write_bytes(b"age\n30\n")
    with pytest.raises(StackError, match=r"^Storage: The specified container does not exist\.$"):
        upload(Keyed(azurite), f"none{uuid.uuid4().hex[:8]}", "clients.csv", file)


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
