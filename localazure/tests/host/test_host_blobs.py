"""Blob triggers and bindings against a real Azurite, found by looking or told by Event Grid."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContainerClient

from localazure.ports import lasting_port
from localazure.storage.supervisor import Azurite
from running_azure.events import KEY, Pump
from running_azure.host import Hosted, Pipe
from running_azure.waiting import until

TRIGGERS = """
@app.blob_trigger(arg_name="blob", path="%PREFIX%-in/{name}.csv", connection="DATA")
@app.blob_output(arg_name="out", path="%PREFIX%-out/{name}.txt", connection="DATA")
def seen(blob: func.InputStream, out: func.Out[str]) -> None:
    text = blob.read().decode()
    note("seen", name=blob.name, uri=blob.uri, length=blob.length, text=text,
         properties=blob.blob_properties, metadata=blob.metadata)
    if text == "bad":
        raise ValueError("this one never works")
    out.set(text.upper())


@app.blob_trigger(arg_name="blob", path="%PREFIX%-told/{name}", connection="DATA", source="EventGrid")
def told(blob: func.InputStream) -> None:
    note("told", name=blob.name, text=blob.read().decode())
"""
BINDINGS = """
@app.route(route="copy/{id}")
@app.blob_input(arg_name="given", path="%PREFIX%-in/{id}", connection="DATA")
@app.blob_output(arg_name="out", path="%PREFIX%-out/{id}-{Query.as}", connection="DATA")
def copy(req: func.HttpRequest, given: func.InputStream, out: func.Out[bytes]) -> str:
    if given is None:
        return "nothing"
    out.set(given.read())
    return "copied"


@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-work", connection="DATA")
@app.blob_output(arg_name="$return", path="%PREFIX%-out/{file.name}", connection="DATA")
def from_queue(msg: func.QueueMessage) -> bytes:
    note("from queue", dequeue_count=msg.dequeue_count)
    return msg.get_body()
"""


@pytest.fixture
def host(hosted_app: Callable[..., Hosted]) -> Hosted:
    return hosted_app(TRIGGERS)


@pytest.fixture(scope="module")
def calm(lasting_app: Callable[..., Hosted]) -> Hosted:
    """One host for the tests that leave nothing behind."""
    made = lasting_app(TRIGGERS)
    made.start()
    return made


def container(host: Hosted, name: str) -> ContainerClient:
    """The test's container with that ending, made when it is missing."""
    client = BlobServiceClient.from_connection_string(host.storage).get_container_client(
        f"{host.prefix}-{name}"
    )
    with contextlib.suppress(ResourceExistsError):  # the host makes it for an output
        client.create_container()
    return client


def text_of(host: Hosted, name: str) -> str:
    blob = container(host, "out").get_blob_client(name)
    until(blob.exists, name)
    return blob.download_blob().readall().decode()


def test_a_new_blob_calls_its_function_and_fills_another(host: Hosted) -> None:
    inbox = container(host, "in")
    host.start()
    blob = inbox.upload_blob("deep/a.csv", b"hi", metadata={"who": "me"})
    inbox.upload_blob("a.pdf", b"another kind")
    [told] = host.await_notes("seen")
    assert (told["name"], told["text"], told["length"]) == (f"{host.prefix}-in/deep/a.csv", "hi", 2)
    assert told["uri"] == blob.url
    assert told["metadata"] == {"who": "me"}
    assert told["properties"]["ETag"] == blob.get_blob_properties().etag
    assert text_of(host, "deep/a.txt") == "HI"


def test_a_later_version_is_another_call(host: Hosted) -> None:
    inbox = container(host, "in")
    host.start()
    inbox.upload_blob("a.csv", b"1")
    host.await_notes("seen")
    inbox.upload_blob("a.csv", b"2", overwrite=True)
    assert [one["text"] for one in host.await_notes("seen", 2)] == ["1", "2"]


def test_a_restart_calls_for_what_came_meanwhile_and_for_nothing_twice(host: Hosted) -> None:
    """Receipts in the host's storage say what was noticed."""
    inbox = container(host, "in")
    inbox.upload_blob("before.csv", b"before")
    host.start()
    host.await_notes("seen")
    text_of(host, "before.txt")
    host.kill()
    inbox.upload_blob("meanwhile.csv", b"meanwhile")
    host.start()
    text_of(host, "meanwhile.txt")
    assert [one["text"] for one in host.notes("seen")] == ["before", "meanwhile"]
    hosts = BlobServiceClient.from_connection_string(host.storage).get_container_client("azure-webjobs-hosts")
    prefix = f"blobreceipts/{host.prefix}/Host.Functions.seen/"
    receipts = list(hosts.list_blobs(name_starts_with=prefix, include=["metadata"]))
    assert sorted(one.name.rpartition("/")[2] for one in receipts) == ["before.csv", "meanwhile.csv"]
    assert all(not one.metadata for one in receipts)


def test_what_fails_five_times_lies_in_the_poison_queue(host: Hosted) -> None:
    inbox = container(host, "in")
    host.start()
    blob = inbox.upload_blob("bad.csv", b"bad")
    etag = blob.get_blob_properties().etag
    host.await_notes("seen", 5)
    poison = Pipe(host.storage, "webjobs-blobtrigger-poison")
    told: dict[str, Any] = {}

    def is_there() -> bool:
        try:
            found = json.loads(base64.b64decode(poison.await_raw(seconds=5)))
        except ResourceNotFoundError:
            return False
        told.update(found if found["ContainerName"] == f"{host.prefix}-in" else {})
        return bool(told)

    until(is_there, "the poison message")
    assert told == {
        "Type": "BlobTrigger", "FunctionId": "Host.Functions.seen", "BlobType": "BlockBlob",
        "ContainerName": f"{host.prefix}-in", "BlobName": "bad.csv", "ETag": etag,
    }  # fmt: skip
    assert len(host.notes("seen")) == 5


def notice(host: Hosted, **changed: str) -> bytes:
    told = {
        "Type": "BlobTrigger", "FunctionId": "Host.Functions.seen", "BlobType": "BlockBlob",
        "ContainerName": f"{host.prefix}-in", "BlobName": "a.csv", "ETag": '"0x1"', **changed,
    }  # fmt: skip
    return json.dumps(told).encode()


def test_notices_of_what_is_no_more_are_dropped(host: Hosted) -> None:
    """A blob that is gone, one that is another by now, and a function that is not here."""
    inbox = container(host, "in")
    host.start()
    inbox.upload_blob("a.csv", b"a")
    host.await_notes("seen")
    notices = Pipe(host.storage, f"azure-webjobs-blobtrigger-{host.prefix}")
    notices.send(notice(host, BlobName="gone.csv"))
    notices.send(notice(host))
    notices.send(notice(host, FunctionId="Host.Functions.nobody"))
    until(lambda: notices.count() == 0, "the end of the notices")
    assert len(host.notes("seen")) == 1


@pytest.fixture
def grid(azurite_service: Azurite, tmp_path: Path) -> Iterator[Pump]:
    state = tmp_path / "grid"
    state.mkdir()
    made = Pump(state=state, port=lasting_port(), azurite=azurite_service, subscriptions=[])
    made.start()
    yield made
    made.stop()


def test_event_grid_tells_of_blobs(host: Hosted, grid: Pump) -> None:
    """`source=EventGrid`: nobody looks, the subscription's webhook is called, its filter chooses."""
    inbox = container(host, "told")
    host.start()
    key = json.loads(
        host.ask(
            "GET", "/admin/host/systemkeys/blobs_extension", headers={"x-functions-key": host.master_key}
        ).body
    )["value"]
    name = "Host.Functions.told"
    hook = f"http://127.0.0.1:{host.port}/runtime/webhooks/blobs?functionName={name}&code={key}"
    body = {
        "topic": "storage", "webhook": hook, "event_types": ["Microsoft.Storage.BlobCreated"],
        "subject_begins_with": f"/blobServices/default/containers/{host.prefix}-told/",
    }  # fmt: skip
    headers = {"aeg-sas-key": KEY}
    made = requests.put(f"{grid.url}/subscriptions/blobs", json=body, headers=headers, timeout=30)
    assert made.json()["provisioningState"] == "Succeeded"
    inbox.upload_blob("März 1.csv", b"hi")
    [told] = host.await_notes("told")
    assert (told["name"], told["text"]) == (f"{host.prefix}-told/März 1.csv", "hi")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([{"data": {"url": "https://a.blob.core.windows.net/c/x", "eTag": "0x1"}}], 202),
        ({"data": {"url": "http://127.0.0.1:1/a/c/x"}}, 202),
        ([{"data": {"url": "http://127.0.0.1:1/a/c"}}], 400),
        ([{"data": {}}], 400),
        ([3], 400),
    ],
)
def test_what_the_webhook_takes(calm: Hosted, body: Any, status: int) -> None:
    """202 whatever becomes of it: a blob that is not there, say."""
    path = f"/runtime/webhooks/blobs?functionName=Host.Functions.told&code={calm.master_key}"
    headers = {"aeg-event-type": "Notification"}
    assert calm.ask("POST", path, body=json.dumps(body).encode(), headers=headers).status == status
    nobody = path.replace("told", "nobody")
    assert calm.ask("POST", nobody, body=json.dumps(body).encode(), headers=headers).status == 202
    assert calm.ask("POST", path.partition("&code")[0], headers=headers).status == 401


def test_blobs_beside_other_triggers(hosted_app: Callable[..., Hosted]) -> None:
    """An input that is not there is None; an output's container is made."""
    host = hosted_app(BINDINGS)
    inbox = container(host, "in")
    inbox.upload_blob("a", b"\x00\xff")
    host.start()
    assert host.ask("GET", "/api/copy/missing?as=x").body == b"nothing"
    assert host.ask("GET", "/api/copy/a?as=b").body == b"copied"
    out = BlobServiceClient.from_connection_string(host.storage).get_container_client(f"{host.prefix}-out")
    assert out.get_blob_client("a-b").download_blob().readall() == b"\x00\xff"
    assert host.ask("GET", "/api/copy/a").status == 500
    assert "the trigger gives no value for {Query.as}" in host.log.read_text()
    Pipe(host.storage, f"{host.prefix}-work").send(b'{"file": {"name": "from/queue.json"}}')
    assert "from/queue.json" in text_of(host, "from/queue.json")
    Pipe(host.storage, f"{host.prefix}-work").send(b"no file in it")
    told = host.await_notes("from queue", 6)
    assert [one["dequeue_count"] for one in told] == [1, 1, 2, 3, 4, 5]
