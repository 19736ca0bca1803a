"""What blobs promise, held against those in memory and those on Azurite."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.memory import MemoryFiles
from shared.errors import Superseded
from shared.ports import Blob, Files

Container = str


@pytest.fixture(params=["memory", "azurite"])
def files(request: pytest.FixtureRequest) -> tuple[Files, Container]:
    container = f"c{uuid.uuid4().hex}"
    if request.param == "memory":
        return MemoryFiles(chunk_size=5), container
    from azure.storage.blob import BlobServiceClient

    from shared.adapters.blobs import AzureFiles

    service = BlobServiceClient.from_connection_string(request.getfixturevalue("azurite"))
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


def test_an_empty_blob_has_an_empty_stretch(files: tuple[Files, Container]) -> None:
    store, container = files
    store.write(container, "empty.csv", b"")
    assert store.read_range(_stat(store, container, "empty.csv"), 0, 0) == b""
