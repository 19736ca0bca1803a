"""Blob writes through the real SDK come out as BlobCreated events on a queue."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from statistics import median

import pytest
from azure.storage.blob import BlobBlock, BlobClient, ContainerClient

from running_azure.events import Inbox, Pump


def test_an_upload_makes_the_event_azure_makes(
    pump: Pump, container: ContainerClient, inbox: Inbox, name: str
) -> None:
    blob: BlobClient = container.get_blob_client("clients/März 1.csv")
    written = blob.upload_blob(b"age;job\n30;admin.\n")
    (event,) = inbox.take(1)
    assert set(event) == {
        "topic", "subject", "eventType", "eventTime", "id", "data", "dataVersion", "metadataVersion",
    }  # fmt: skip
    assert event["topic"].endswith("/providers/Microsoft.Storage/storageAccounts/devstoreaccount1")
    assert event["subject"] == f"/blobServices/default/containers/{name}/blobs/clients/März 1.csv"
    assert event["eventType"] == "Microsoft.Storage.BlobCreated"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", event["eventTime"])
    assert (event["dataVersion"], event["metadataVersion"]) == ("", "1")
    data = event["data"]
    assert data["api"] == "PutBlob"
    assert data["eTag"] == written["etag"].strip('"')
    assert data["contentLength"] == 18
    assert data["contentType"] == "application/octet-stream"
    assert data["blobType"] == "BlockBlob"
    assert data["url"] == blob.url


def test_blocks_speak_when_they_are_committed(pump: Pump, container: ContainerClient, inbox: Inbox) -> None:
    blob = container.get_blob_client("blocks.csv")
    for number in ("1", "2"):
        blob.stage_block(number, b"x" * 10)
    blob.commit_block_list([BlobBlock("1"), BlobBlock("2")])
    (event,) = inbox.take(1)
    assert (event["data"]["api"], event["data"]["contentLength"]) == ("PutBlockList", 20)


def test_overwriting_is_a_new_event_with_a_later_sequencer(
    pump: Pump, container: ContainerClient, inbox: Inbox
) -> None:
    blob = container.get_blob_client("again.csv")
    blob.upload_blob(b"1")
    (first,) = inbox.take(1)
    blob.upload_blob(b"22", overwrite=True)
    (second,) = inbox.take(1)
    assert first["id"] != second["id"]
    assert first["data"]["eTag"] != second["data"]["eTag"]
    assert first["data"]["sequencer"] < second["data"]["sequencer"]


def test_a_copy_says_so(pump: Pump, container: ContainerClient, inbox: Inbox) -> None:
    source = container.get_blob_client("source.csv")
    source.upload_blob(b"123")
    inbox.take(1)
    container.get_blob_client("copy.csv").start_copy_from_url(source.url)
    (event,) = inbox.take(1)
    assert (event["data"]["api"], event["data"]["contentLength"]) == ("CopyBlob", 3)
    assert event["subject"].endswith("/blobs/copy.csv")


def test_what_creates_no_blob_makes_no_event(pump: Pump, container: ContainerClient, inbox: Inbox) -> None:
    """Metadata, tags, leases and deletion pass in silence; the marker behind them is the next event."""
    blob = container.get_blob_client("quiet.csv")
    blob.upload_blob(b"1")
    inbox.take(1)
    blob.set_blob_metadata({"a": "1"})
    blob.set_blob_tags({"b": "2"})
    blob.acquire_lease(15).release()
    blob.delete_blob()
    container.get_blob_client("marker.csv").upload_blob(b"1")
    (event,) = inbox.take(1)
    assert event["subject"].endswith("/marker.csv")


def test_other_containers_are_filtered(
    pump: Pump, container: ContainerClient, inbox: Inbox, azurite: str, name: str
) -> None:
    other = ContainerClient.from_connection_string(azurite, f"{name}-not")
    other.create_container()
    other.upload_blob("no.csv", b"1")
    container.upload_blob("yes.csv", b"1")
    (event,) = inbox.take(1)
    assert event["subject"].endswith(f"/containers/{name}/blobs/yes.csv")


def test_a_kill_and_a_restart_lose_nothing(pump: Pump, container: ContainerClient, inbox: Inbox) -> None:
    container.upload_blob("before.csv", b"1")
    inbox.take(1)
    pump.kill()
    for number in range(20):
        container.upload_blob(f"meanwhile-{number:02}.csv", b"1")
    pump.start()
    events = inbox.take(20)
    assert [event["subject"][-6:-4] for event in events] == [f"{number:02}" for number in range(20)]
    assert len({event["id"] for event in events}) == 20


def test_kills_in_the_middle_of_a_burst_lose_nothing(
    pump: Pump, container: ContainerClient, inbox: Inbox
) -> None:
    """At least once: a delivery under way at the kill may come twice, with the same id."""
    wanted = {f"{number:02}" for number in range(45)}
    for number in range(45):
        container.upload_blob(f"burst-{number:02}.csv", b"1")
        if number % 15 == 7:
            pump.kill()
            pump.start()
    events = inbox.take_until(lambda came: {event["subject"][-6:-4] for event in came} == wanted)
    assert {event["subject"][-6:-4] for event in events} == wanted
    assert len({event["id"] for event in events}) == len(wanted)


def test_a_missing_queue_is_waited_for(
    pump: Pump, container: ContainerClient, azurite: str, name: str
) -> None:
    container.upload_blob("early.csv", b"1")
    late = Inbox(azurite, name)
    late.create()
    (event,) = late.take(1)
    assert event["subject"].endswith("/early.csv")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_is_quick_and_small(pump: Pump, container: ContainerClient, inbox: Inbox) -> None:
    """Prints the time from the end of an upload to the event in the queue (as a poller sees it)."""
    took = []
    for number in range(30):
        container.upload_blob(f"{number}.csv", b"1")
        uploaded = time.perf_counter()
        inbox.take(1)
        took.append(1000 * (time.perf_counter() - uploaded))
    status = Path(f"/proc/{pump.pid}/status").read_text()
    megabytes = int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024
    print(f"\nevent latency: median {median(took):.0f} ms, worst {max(took):.0f} ms; {megabytes:.0f} MB")
    assert megabytes < 45
    assert pump.stop() == 0
