"""The data account's blobs as whoever sits at this machine reaches them: by its key, or, with roles, by signing in."""

from __future__ import annotations

import os
from typing import Any

from commands.stack.access import PERSON, data_address
from commands.stack.settings import no_proxy, sdk_settings
from commands.stack.state import Stack
from shared.adapters.sign_in import credential


def blob_service(stack: Stack, **options: Any) -> Any:
    """A BlobServiceClient. options: the SDK's own"""
    from azure.storage.blob import BlobServiceClient

    if not stack.roles:
        return BlobServiceClient.from_connection_string(stack.connection_string, **options)
    os.environ.update({**sdk_settings(stack, PERSON), **no_proxy()})
    return BlobServiceClient(data_address(stack, "blob"), credential=credential(), **options)
