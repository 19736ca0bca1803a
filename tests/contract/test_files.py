"""What blobs promise, held against those in memory and those on Azurite."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from contract import simulated

from shared.adapters.memory import MemoryFiles
from shared.errors import Conflict, Superseded, Transient
from shared.ports import Blob, Files

Container = str


@pytest.fixture(params=["memory", "simulated", "azurite"])
def files(request: pytest.FixtureRequest) -> tuple[Files, Container]:
    container = f"c{uuid.uuid4().hex}"
    if request.param == "memory":
        return MemoryFiles(chunk_size=5), container
    if request.param == "simulated":
        return simulated.files(chunk_size=5), container
    from azure.storage.blob import BlobServiceClient

    from shared.adapters.blobs import AzureFiles
    from shared.adapters.transport import settled

    account = request.getfixturevalue("azurite")
    service = settled(partial(BlobServiceClient.from_connection_string, account))
    service.create_container(container)
    return AzureFiles(service), container


def _stat(files: Files, container: str, name: str) -> Blob:
    found = files.stat(container, name)
    assert found is not None
    return found


def test_what_is_written_is_read(files: tuple[Files, Container]) -> None:
    store, container = files
    store.write(container, "a/b c.csv", b"some bytes")
    blob = _stat(store, container, "a/b c.csv")
    assert b"".join(store.read(blob)) == b"some bytes"
    assert store.read_range(blob, 5, 8) == b"byt"
    assert (blob.name, blob.size) == ("a/b c.csv", 10)
    assert '"' not in blob.etag


def test_an_open_file_is_written_whole(files: tuple[Files, Container]) -> None:
    store, container = files
    store.write(container, "f", io.BytesIO(b"x" * 100_000))
    assert _stat(store, container, "f").size == 100_000


def test_an_empty_blob_reads_as_nothing(files: tuple[Files, Container]) -> None:
    store, container = files
    store.write(container, "empty", b"")
    assert b"".join(store.read(_stat(store, container, "empty"))) == b""


def test_an_absent_blob_is_none(files: tuple[Files, Container]) -> None:
    store, container = files
    assert store.stat(container, "nothing") is None


def test_small_content_is_read_in_one_go(files: tuple[Files, Container]) -> None:
    port, container = files
    assert port.content(container, "small") is None
    port.write(container, "small", b"1")
    port.write(container, "small", b"22")
    assert port.content(container, "small") == b"22"


def test_what_is_written_once_stays(files: tuple[Files, Container]) -> None:
    store, container = files
    assert store.write_once(container, "1", io.BytesIO(b"a"))
    assert not store.write_once(container, "1", b"b")
    assert store.content(container, "1") == b"a"


def test_what_is_created_is_never_written_over(files: tuple[Files, Container]) -> None:
    store, container = files
    store.create(container, "1.json", b"a")
    store.create(container, "1.json", b"a")
    with pytest.raises(Conflict):
        store.create(container, "1.json", b"b")
    assert store.content(container, "1.json") == b"a"


@pytest.mark.parametrize("read", [lambda s, b: b"".join(s.read(b)), lambda s, b: s.read_range(b, 0, 1)])
def test_an_overwritten_blob_is_not_read_as_the_old_one(
    files: tuple[Files, Container], read: Callable[[Files, Blob], bytes]
) -> None:
    store, container = files
    store.write(container, "f", b"old")
    old = _stat(store, container, "f")
    store.write(container, "f", b"new")
    with pytest.raises(Superseded):
        read(store, old)


def test_a_list_names_versions_and_passes_over_older_ones(files: tuple[Files, Container]) -> None:
    store, container = files
    store.write(container, "a", b"1")
    store.write(container, "b", b"22")
    assert [(b.name, b.size) for b in store.list(container)] == [("a", 1), ("b", 2)]
    assert next(iter(store.list(container))).etag == _stat(store, container, "a").etag
    later = datetime.now(UTC) + timedelta(hours=1)
    assert list(store.list(container, modified_since=later)) == []


def test_staged_blocks_show_only_when_sealed_in_the_order_of_their_numbers(
    files: tuple[Files, Container],
) -> None:
    store, container = files
    for number, data in ((2, b"c"), (0, b"wrong"), (1, b"b"), (0, b"a")):
        store.stage(container, "out", number, data)
    assert store.stat(container, "out") is None
    store.seal(container, "out", 3)
    assert b"".join(store.read(_stat(store, container, "out"))) == b"abc"


def test_an_empty_blob_has_an_empty_stretch(files: tuple[Files, Container]) -> None:
    store, container = files
    store.write(container, "empty", b"")
    assert store.read_range(_stat(store, container, "empty"), 0, 0) == b""


def test_an_archived_blob_says_what_to_do(azurite: str) -> None:
    from azure.storage.blob import BlobServiceClient, StandardBlobTier

    from shared.adapters.blobs import AzureFiles

    service = BlobServiceClient.from_connection_string(azurite)
    container = f"c{uuid.uuid4().hex}"
    service.create_container(container).upload_blob("old.csv", b"a;b\n").set_standard_blob_tier(
        StandardBlobTier.ARCHIVE
    )
    files = AzureFiles(service)
    blob = _stat(files, container, "old.csv")
    with pytest.raises(
        Transient, match=r"old\.csv, answered 409 BlobArchived; set its access tier to Hot or Cool"
    ):
        files.read_range(blob, 0, 2)
