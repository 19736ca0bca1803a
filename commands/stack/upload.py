"""Uploads a file into the stack's blob storage as anybody would, with azure-storage-blob."""

from __future__ import annotations

from pathlib import Path


def upload(connection_string: str, container: str, name: str, file: Path) -> None:
    """Put `file` there, over what may have that name."""
    from azure.storage.blob import BlobServiceClient, ContentSettings

    blob = BlobServiceClient.from_connection_string(connection_string).get_blob_client(container, name)
    with file.open("rb") as opened:
        blob.upload_blob(opened, overwrite=True, content_settings=ContentSettings(content_type="text/csv"))
