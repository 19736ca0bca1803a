"""`./dev azure after`: pipelines, endpoints and a canary, with patience for roles that do not work yet."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from flow.world import World

from commands import azure
from commands.deployment import canary
from commands.deployment.patience import Patience
from shared.domain import names


@dataclass
class Clock:
    """Time that passes only by waiting."""

    now: float = 0.0
    waited: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def patience(self, minutes: float = 30) -> Patience:
        return Patience(minutes=minutes, sleep=self.sleep, clock=lambda: self.now, say=self.said.append)

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds


def refusal(status: int) -> HttpResponseError:
    found = HttpResponseError("no")
    found.status_code = status
    return found


def answers(*given: Any) -> Any:
    """A call that gives, or raises, one after the other."""
    left = list(given)

    def call() -> Any:
        one = left.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    return call


def test_what_is_refused_for_want_of_a_role_is_tried_again() -> None:
    clock = Clock()
    assert (
        clock.patience().until_let_in("it", answers(refusal(403), refusal(401), refusal(403), "done"))
        == "done"
    )
    assert clock.waited == [5, 10, 20]
    assert all("a role may not work yet" in each for each in clock.said)


def test_after_half_an_hour_a_refusal_is_one() -> None:
    clock = Clock()
    with pytest.raises(HttpResponseError):
        clock.patience().until_let_in("it", answers(*(refusal(403) for _ in range(100))))
    assert 29 * 60 < clock.now <= 30 * 60
    assert max(clock.waited) == 60


@pytest.mark.parametrize("status", [400, 404, 409, 500])
def test_what_no_role_would_mend_is_said_at_once(status: int) -> None:
    clock = Clock()
    with pytest.raises(HttpResponseError):
        clock.patience().until_let_in("it", answers(refusal(status)))
    assert clock.waited == []


@dataclass
class Storage:
    """The two containers; the app's report is there after some looks."""

    looks: int = 3
    refused: list[int] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)

    def get_blob_client(self, container: str, name: str) -> Blob:
        return Blob(self, container, name)


@dataclass
class Blob:
    storage: Storage
    container: str
    blob_name: str

    def upload_blob(self, content: bytes, *, overwrite: bool) -> dict[str, str]:
        if self.storage.refused:
            raise refusal(self.storage.refused.pop())
        self.storage.blobs[f"{self.container}/{self.blob_name}"] = content
        return {"etag": '"0x1"'}

    def download_blob(self) -> Blob:
        self.storage.looks -= 1
        if self.storage.looks > 0:
            raise refusal(404 if self.storage.looks > 1 else 403)
        assert self.container == names.QUARANTINE
        assert self.blob_name == f"{names.quarantine_folder('canary/1.csv', '0x1')}{names.REPORT}"
        return self

    def readall(self) -> bytes:
        return json.dumps({"reason": "columns are missing"}).encode()

    def delete_blob(self) -> None:
        self.storage.deleted.append(f"{self.container}/{self.blob_name}")


def test_a_canary_is_heard_of_by_the_apps_report() -> None:
    clock, storage = Clock(), Storage(refused=[403])
    sung = canary.sing(storage, "1", clock.patience())
    assert sung == canary.Sung(name="canary/1.csv", reason="columns are missing", release="")
    assert list(storage.blobs) == ["incoming/canary/1.csv"]
    assert storage.deleted == ["incoming/canary/1.csv"]


def test_a_canary_that_nobody_hears_of_is_none_and_is_removed_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, storage = Clock(), Storage(looks=1_000_000)
    assert canary.sing(storage, "1", clock.patience(minutes=2)) is None
    assert storage.deleted == ["incoming/canary/1.csv"]
    assert clock.now >= 120


class OfTheApp(Storage):
    """What is dropped is admitted by the app's own flow, at the first look for its report."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    def get_blob_client(self, container: str, name: str) -> Blob:
        return BlobOfTheApp(self, container, name)


class BlobOfTheApp(Blob):
    storage: OfTheApp

    def upload_blob(self, content: bytes, *, overwrite: bool) -> dict[str, str]:
        arrived = self.storage.world.drop(self.blob_name, content)
        self.storage.world.tell(arrived)
        return {"etag": f'"{arrived.etag}"'}

    def download_blob(self) -> Blob:
        return self

    def readall(self) -> bytes:
        found = self.storage.world.files.content(self.container, self.blob_name)
        if found is None:
            raise refusal(404)
        return found


def test_the_app_says_why_it_refuses_a_canary() -> None:
    sung = canary.sing(OfTheApp(), "1", Clock().patience(minutes=1))
    assert sung is not None
    assert "column" in sung.reason


def test_no_contract_takes_a_canary() -> None:
    """Else a model would learn from it."""
    from shared.adapters.contracts import load_contracts
    from shared.package_data import CONTRACTS

    for contract in load_contracts(CONTRACTS):
        header = canary.CONTENT.decode().splitlines()[0].split(";")
        assert set(header) & {column.name for column in contract.columns} == set()


def test_without_the_deployments_outputs_it_says_where_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZUREML_WORKSPACE", "CAMPANHA_STORAGE"):
        monkeypatch.delenv(name, raising=False)
    assert azure.main(["after"]) == 2
    said = capsys.readouterr().err
    assert "AZUREML_WORKSPACE" in said
    assert "azd env refresh" in said
