"""Files on Azure Blob storage: each read pinned to one version by its ETag; the SDK's errors become ours."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import IO, Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobServiceClient

from shared.adapters.storage_errors import answering
from shared.errors import Conflict, Superseded
from shared.ports import Blob

REFUSED = (400, 413)
"""A name no blob can have, a list of blocks that are not there (any more), a body that is too large."""


class AzureFiles:
    """Blobs, each read pinned to its ETag (If-Match): a file overwritten meanwhile is never read half old, half new."""

    def __init__(self, service: BlobServiceClient) -> None:
        self._service = service

    def stat(self, container: str, name: str) -> Blob | None:
        with _answers(container, name):
            try:
                return _blob(container, self._service.get_blob_client(container, name).get_blob_properties())
            except ResourceNotFoundError:
                return None

    def list(
        self, container: str, *, prefix: str = "", modified_since: datetime | None = None
    ) -> Iterator[Blob]:
        blobs = self._service.get_container_client(container).list_blobs(name_starts_with=prefix or None)
        with _answers(container, f"{prefix}*"):
            for found in blobs:
                if modified_since is None or found.last_modified >= modified_since:
                    yield _blob(container, found)

    def content(self, container: str, name: str) -> bytes | None:
        with _answers(container, name):
            try:
                data: bytes = self._service.get_blob_client(container, name).download_blob().readall()
            except ResourceNotFoundError:
                return None
        return data

    def read(self, blob: Blob) -> Iterator[bytes]:
        with _pinned(blob):
            yield from self._open(blob).chunks()

    def read_range(self, blob: Blob, start: int, end: int) -> bytes:
        if start == end:  # the service knows no empty stretch
            return b""
        with _pinned(blob):
            data: bytes = self._open(blob, offset=start, length=end - start).readall()
            return data

    def write(self, container: str, name: str, data: bytes | IO[bytes]) -> None:
        with _answers(container, name):
            self._service.get_blob_client(container, name).upload_blob(data, overwrite=True)

    def write_once(self, container: str, name: str, data: bytes | IO[bytes]) -> bool:
        with _answers(container, name):
            try:
                self._service.get_blob_client(container, name).upload_blob(data, overwrite=False)
            except ResourceExistsError:
                return False
        return True

    def create(self, container: str, name: str, data: bytes) -> None:
        if not self.write_once(container, name, data) and self.content(container, name) != data:
            raise Conflict(f"{container}/{name} is there with other content")

    def stage(self, container: str, name: str, number: int, data: bytes) -> None:
        with _answers(container, name):
            self._service.get_blob_client(container, name).stage_block(
                _block_id(number), data, validate_content=True
            )

    def seal(self, container: str, name: str, count: int) -> None:
        blocks = [BlobBlock(_block_id(number)) for number in range(count)]
        with _answers(container, name):
            self._service.get_blob_client(container, name).commit_block_list(blocks)

    def url(self, container: str, name: str) -> str:
        return f"{self._service.url.rstrip('/')}/{container}/{name}"

    def _open(self, blob: Blob, **stretch: int) -> Any:
        client = self._service.get_blob_client(blob.container, blob.name)
        return client.download_blob(
            etag=f'"{blob.etag}"', match_condition=MatchConditions.IfNotModified, **stretch
        )


def _answers(container: str, name: str) -> AbstractContextManager[None]:
    return answering(f"blob storage, at {container}/{name},", refuses=REFUSED)


@contextmanager
def _pinned(blob: Blob) -> Iterator[None]:
    with _answers(blob.container, blob.name):
        try:
            yield
        except (ResourceModifiedError, ResourceNotFoundError) as cause:
            raise Superseded(f"{blob.container}/{blob.name} is no longer version {blob.etag}") from cause


def _block_id(number: int) -> str:
    """Ids of one blob must have one length; the service compares them as text."""
    return b64encode(f"{number:08d}".encode()).decode()


def _blob(container: str, found: Any) -> Blob:
    return Blob(
        container=container,
        name=found.name,
        etag=found.etag.strip('"'),
        size=found.size,
        modified=found.last_modified,
    )
