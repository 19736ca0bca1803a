"""Deletions through the real SDK come out as BlobDeleted; what became of the blob later changes no event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobType, ContainerClient, ContentSettings

from localazure.storage.supervisor import Azurite
from running_azure.events import Inbox, Pump

CSV = ContentSettings(content_type="text/csv")


@pytest.fixture
def pump(azurite_service: Azurite, tmp_path: Path, free_port: Callable[[], int], name: str) -> Iterator[Pump]:
    """Running; all that happens in the container `name` comes into the queue `name`."""
    prefix = f"/blobServices/default/containers/{name}/"
    made = Pump(
        state=tmp_path,
        port=free_port(),
        azurite=azurite_service,
        subscriptions=[{"name": "all", "topic": "storage", "subject_begins_with": prefix, "queue": name}],
    )
    made.start()
    yield made
    made.stop()


def test_a_deletion_makes_the_event_azure_makes(
    pump: Pump, container: ContainerClient, inbox: Inbox, name: str
) -> None:
    blob = container.get_blob_client("a b.csv")
    blob.upload_blob(b"123", content_settings=CSV)
    blob.delete_blob()
    created, deleted = inbox.take(2)
    assert deleted["eventType"] == "Microsoft.Storage.BlobDeleted"
    assert deleted["subject"] == f"/blobServices/default/containers/{name}/blobs/a b.csv"
    assert set(deleted["data"]) == {
        "api", "clientRequestId", "requestId", "contentType", "blobType", "url", "sequencer", "storageDiagnostics",
    }  # fmt: skip
    assert (deleted["data"]["api"], deleted["data"]["contentType"]) == ("DeleteBlob", "text/csv")
    assert (deleted["data"]["blobType"], deleted["data"]["url"]) == ("BlockBlob", blob.url)
    assert created["data"]["sequencer"] < deleted["data"]["sequencer"]


def test_an_event_tells_of_its_own_write_though_the_blob_is_another_by_now(
    pump: Pump, container: ContainerClient, inbox: Inbox
) -> None:
    """Event Grid is down while it happens: what it tells later it can know from the log only."""
    pump.kill()
    blob = container.get_blob_client("changing.csv")
    first = blob.upload_blob(b"1", content_settings=CSV)
    second = blob.upload_blob(b"22", overwrite=True)
    blob.stage_block("1", b"333")
    third = blob.commit_block_list([BlobBlock("1")], content_settings=CSV)
    blob.delete_blob()
    pump.start()
    one, two, three, four = inbox.take(4)
    assert [one["data"]["eTag"], two["data"]["eTag"], three["data"]["eTag"]] == [
        written["etag"].strip('"') for written in (first, second, third)
    ]
    assert [one["data"]["contentLength"], two["data"]["contentLength"]] == [1, 2]
    assert [one["data"]["contentType"], three["data"]["contentType"]] == ["text/csv", "text/csv"]
    assert four["eventType"] == "Microsoft.Storage.BlobDeleted"
    assert one["data"]["requestId"] == first["request_id"]
    assert one["data"]["clientRequestId"] == first["client_request_id"]
    assert one["id"][:-6] == first["request_id"][:-6]


@pytest.mark.parametrize("kind", [BlobType.APPENDBLOB, BlobType.PAGEBLOB])
def test_other_kinds_of_blobs_say_so(
    pump: Pump, container: ContainerClient, inbox: Inbox, kind: BlobType
) -> None:
    container.upload_blob("other", b"x" * 512, blob_type=kind)
    [event] = inbox.take(1)
    assert (event["data"]["api"], event["data"]["blobType"]) == ("PutBlob", kind.value)


def test_a_blob_that_never_was_makes_no_event(pump: Pump, container: ContainerClient, inbox: Inbox) -> None:
    with pytest.raises(ResourceNotFoundError):
        container.delete_blob("never.csv")
    container.upload_blob("marker.csv", b"1")
    assert inbox.take(1)[0]["subject"].endswith("/marker.csv")
