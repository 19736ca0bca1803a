"""The small storage client: signed as the services want it, and clear about what it cannot read or reach."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import BlobServiceClient, generate_container_sas

from localazure.storage.account import ACCOUNT, KEY, Ports, connection_string
from localazure.storage.client import Service, StorageUnreachable


@pytest.fixture
def container(azurite: str) -> str:
    name = f"c{uuid.uuid4().hex[:10]}"
    BlobServiceClient.from_connection_string(azurite).create_container(name)
    return name


def test_its_signature_is_taken_with_any_name_and_query(azurite: str, container: str) -> None:
    """Azurite checks signatures as Azure does."""
    blobs = Service(azurite, "Blob")
    kind = {"x-ms-blob-type": "BlockBlob", "content-type": "text/csv"}
    for path in ("plain.csv", "a%20b/M%C3%A4rz.csv", "empty.csv"):
        body = b"" if path == "empty.csv" else b"1;2"
        assert blobs.call("PUT", f"/{container}/{path}", headers=kind, body=body).status == 201
        assert blobs.call("HEAD", f"/{container}/{path}").headers["content-type"] == "text/csv"
    query = {"restype": "container", "comp": "list", "prefix": "a b/", "marker": "", "maxresults": 5}
    listed = blobs.call("GET", f"/{container}", query=query)
    assert listed.status == 200
    assert "a b/März.csv" in listed.body.decode("utf-8-sig")


def test_the_authorities_are_read_once_however_often_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str | None] = []
    real = ssl.create_default_context

    def counted(*, cafile: str | None) -> ssl.SSLContext:
        made.append(cafile)
        return real(cafile=cafile)

    monkeypatch.setattr(ssl, "create_default_context", counted)
    blobs = Service(f"BlobEndpoint=https://127.0.0.1:9/a;AccountName=a;AccountKey={KEY}", "Blob")
    for _ in range(3):
        with pytest.raises(StorageUnreachable):
            blobs.call("HEAD", "/c/x")
    assert len(made) == 1


def test_a_wrong_key_is_refused(azurite: str, container: str) -> None:
    wrong = azurite.replace(KEY, "a2V5")
    assert Service(wrong, "Blob").call("HEAD", f"/{container}/x").status == 403


def test_a_shared_access_signature_will_do(azurite: str, container: str) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    sas = generate_container_sas(ACCOUNT, container, account_key=KEY, permission="r", expiry=until)
    endpoint = Service(azurite, "Blob").endpoint
    blobs = Service(f"BlobEndpoint={endpoint};SharedAccessSignature={sas}", "Blob")
    assert blobs.call("HEAD", f"/{container}/nothing").status == 404
    assert blobs.call("PUT", f"/{container}/x", headers={"x-ms-blob-type": "BlockBlob"}).status == 403


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("UseDevelopmentStorage=true", "http://127.0.0.1:10001/devstoreaccount1"),
        ("AccountName=a;AccountKey=a2V5", "https://a.queue.core.windows.net"),
        (
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.chinacloudapi.cn",
            "https://a.queue.core.chinacloudapi.cn",
        ),
        ("AccountName=a;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:9/a/;", "http://127.0.0.1:9/a"),
    ],
)
def test_a_connection_string_tells_where(text: str, endpoint: str) -> None:
    assert Service(text, "Queue").endpoint == endpoint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "not NAME=VALUE"),
        ("AccountKey=a2V5", "names no QueueEndpoint"),
        ("AccountName=a", "neither AccountName and AccountKey"),
    ],
)
def test_what_is_no_connection_string_is_said(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Service(text, "Queue")


def test_nobody_there_is_said(free_port: Callable[[], int]) -> None:
    port = free_port()
    nobody = Service(connection_string(Ports(blob=port, queue=port, table=port)), "Queue")
    with pytest.raises(StorageUnreachable, match=f"127.0.0.1:{port}"):
        nobody.call("GET", "/q/messages")


def test_a_kept_connection_that_was_closed_is_made_anew(azurite: str, container: str) -> None:
    blobs = Service(azurite, "Blob")
    assert blobs.call("HEAD", f"/{container}/x").status == 404
    blobs._kept.connection.sock.close()
    assert blobs.call("HEAD", f"/{container}/x").status == 404
