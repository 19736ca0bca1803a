"""Uploads a file into the stack's blob storage as anybody would, with azure-storage-blob."""

from __future__ import annotations

from pathlib import Path

from commands.stack.data_account import blob_service
from commands.stack.errors import storage_in_words
from commands.stack.state import Stack


@storage_in_words()
def upload(stack: Stack, container: str, name: str, file: Path) -> None:
    """Put `file` there, over what may have that name; raises: StackError when storage refuses it."""
    from azure.storage.blob import ContentSettings, LinearRetry

    patience = LinearRetry(
        backoff=1, retry_total=2
    )  # no network lies between that would need the SDK's two minutes
    blob = blob_service(stack, retry_policy=patience).get_blob_client(container, name)
    with file.open("rb") as opened:
        blob.upload_blob(opened, overwrite=True, content_settings=ContentSettings(content_type="text/csv"))
