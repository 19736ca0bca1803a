"""One deploy, against a server that answers as Azure is described to: real HTTP and TLS, and no Azure."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
from stub_server import Answer, Request, stub_server

from commands.deployment.in_azure import FAILED, SUCCEEDED, InAzure, variables
from commands.deployment.patience import Patience
from commands.packaging.manifest import Manifest
from commands.stack.errors import StackError

NAMED = {
    "AZURE_SUBSCRIPTION_ID": "sub", "AZURE_RESOURCE_GROUP": "rg", "SERVICE_WORK_NAME": "func-work",
    "SERVICE_API_NAME": "func-api", "CAMPANHA_URL": "https://api.example",
    "CAMPANHA_API_AUDIENCE": "00000000-0000-0000-0000-00000000000a",
    "CAMPANHA_STORAGE__blobServiceUri": "https://data.example",
}  # fmt: skip
SITE = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Web/sites"
BODY = bytes(range(256)) * 1000


@dataclass
class Azure:
    """What it was asked for, and what it answers."""

    address: str = ""
    refusals: int = 0
    unknown: int = 1
    faults: list[int] = field(default_factory=list)
    """What it answers before that: a status, or 0 where the connection is dropped."""
    statuses: list[int] = field(default_factory=lambda: [1, 2, SUCCEEDED])
    published: list[tuple[str, bytes, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    moved: str = ""

    def answer(self, request: Request) -> Answer:
        status, told = self._told(
            request.method, request.path, request.body, request.headers["Authorization"]
        )
        return Answer(status, json.dumps(told).encode())

    def _told(self, method: str, path: str, body: bytes, token: str) -> tuple[int, Any]:
        self.asked.append(f"{method} {path}")
        if path.startswith("/api/publish"):
            self.published.append((path, body, token))
            self.refusals -= 1
            return (403, "no") if self.refusals >= 0 else (202, "deployment-1")
        if path == "/api/deployments/deployment-1":
            if absent := self._absent():
                return absent, {}
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
            return 200, {"status": status, "status_text": "the zip has no host.json"}
        if method == "POST" and "/host/default/sync?" in path:
            return 200, {}
        if found := re.fullmatch(rf"{SITE}/(func-\w+)/functions\?.*", path):
            return 200, {"value": [{"name": f"{found[1]}/{name}"} for name in ("one", "two")]}
        states = [
            {"hostType": "Standard", "name": "app.example"},
            {"hostType": "Repository", "name": urlsplit(self.address).netloc},
        ]
        return 200, {"properties": {"hostNameSslStates": states}}

    def _absent(self) -> int:
        """The status where it tells nothing of a deployment."""
        if self.faults:
            if not (fault := self.faults.pop(0)):
                raise ConnectionAbortedError
            return fault
        self.unknown -= 1
        return 404 if self.unknown >= 0 else 0


@dataclass
class Token:
    token: str


class Credential:
    """Gives a token for each audience, and counts them."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def get_token(self, scope: str) -> Token:
        self.given.append(scope)
        return Token(f"for {scope}")


@pytest.fixture
def azure() -> Azure:
    return Azure()


@pytest.fixture
def target(azure: Azure, tmp_path: Path) -> Iterator[InAzure]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    time = [0.0]
    patience = Patience(
        minutes=5, clock=lambda: time[0], sleep=lambda s: time.__setitem__(0, time[0] + s), say=lambda _: None
    )
    with stub_server(azure.answer, tls=context) as azure.address:
        yield InAzure(
            named=NAMED,
            credential=Credential(),
            patience=patience,
            arm=azure.address,
            verify=str(tmp_path / "ca.pem"),
        )


@pytest.fixture
def package(tmp_path: Path) -> Path:
    file = tmp_path / "package.zip"
    file.write_bytes(BODY)
    return file


MANIFEST = Manifest(
    release="1", sha256="2", size=len(BODY), python="3.13", commit="", changed=(), functions={}
)


def test_each_app_gets_the_very_bytes_and_builds_nothing(
    target: InAzure, azure: Azure, package: Path
) -> None:
    target.install(MANIFEST, package)
    assert [body for _, body, _ in azure.published] == [BODY, BODY]
    assert all("RemoteBuild=false" in path for path, _, _ in azure.published)
    assert {token for _, _, token in azure.published} == {"Bearer for https://management.azure.com/.default"}
    synced = [line for line in azure.asked if "/host/default/sync" in line]
    assert [re.search(r"func-\w+", line)[0] for line in synced] == ["func-work", "func-api"]  # type: ignore[index]


def test_what_is_refused_for_want_of_a_role_is_sent_again_whole(
    target: InAzure, azure: Azure, package: Path
) -> None:
    azure.refusals = 2
    target.install(MANIFEST, package)
    assert [len(body) for _, body, _ in azure.published] == [len(BODY)] * 4


def test_a_deployment_goes_on_while_its_service_is_not_there(
    target: InAzure, azure: Azure, package: Path
) -> None:
    azure.faults = [0, 502, 0, 503]
    target.install(MANIFEST, package)
    assert len(azure.published) == 2, "nothing is sent again"


def test_a_deployment_that_fails_says_why(target: InAzure, azure: Azure, package: Path) -> None:
    azure.statuses = [1, FAILED]
    with pytest.raises(StackError, match=r"`work` did not take the package: the zip has no host\.json"):
        target.install(MANIFEST, package)
    assert len(azure.published) == 1, "the other app is left as it was"


def test_a_deployment_that_does_not_end_is_no_success(target: InAzure, azure: Azure, package: Path) -> None:
    azure.statuses = [1]
    with pytest.raises(StackError, match="did not end in time"):
        target.install(MANIFEST, package)


def test_functions_are_told_by_app(target: InAzure) -> None:
    assert target.functions() == {"work": {"one", "two"}, "api": {"one", "two"}}


def test_a_token_is_asked_for_once(target: InAzure) -> None:
    target.functions()
    target.functions()
    assert target.credential.given == ["https://management.azure.com/.default"]


def test_all_that_is_not_set_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_RESOURCE_GROUP", "rg")
    with pytest.raises(StackError) as told:
        InAzure.of_environment(Patience(minutes=1))
    assert all((name in str(told.value)) == (name != "AZURE_RESOURCE_GROUP") for name in variables())
