"""Makes Microsoft.Storage.BlobCreated and BlobDeleted events out of what the access log and the blob tell.

Source of the shape: https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localazure.events.access_log import BlobChange
from localazure.events.journal import Place

CREATED, DELETED = "Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobDeleted"
UNKNOWN_TYPE = "application/octet-stream"
_NAMESPACE = uuid.UUID("6f1c1a52-70a1-4f35-9f1e-6f3c5b3f2a11")


@dataclass(frozen=True, kw_only=True)
class Blob:
    """What an event says of the blob itself."""

    content_type: str = UNKNOWN_TYPE
    blob_type: str = "BlockBlob"
    content_length: int = 0
    etag: str = ""


def event_type(change: BlobChange) -> str:
    return DELETED if change.api == "DeleteBlob" else CREATED


def subject(change: BlobChange) -> str:
    """What subscriptions filter on."""
    return f"/blobServices/default/containers/{change.container}/blobs/{change.name}"


def logged_blob(change: BlobChange) -> Blob | None:
    """The blob as the log knows it; None when only the blob itself knows: its blocks or its source do count."""
    if change.api != "PutBlob" or change.etag is None:
        return None
    return Blob(
        content_type=change.content_type or UNKNOWN_TYPE,
        blob_type=change.blob_type or "BlockBlob",
        content_length=change.content_length or 0,
        etag=change.etag,
    )


def found_blob(change: BlobChange, properties: Mapping[str, str]) -> Blob:
    """The blob as it lies in storage, under the ETag of the change: by now it may be a later version.

    `properties` are the headers of the storage's answer, and empty when the blob is gone.
    """
    return Blob(
        content_type=properties.get("content-type") or change.content_type or UNKNOWN_TYPE,
        blob_type=properties.get("x-ms-blob-type") or change.blob_type or "BlockBlob",
        content_length=int(properties.get("content-length") or 0),
        etag=change.etag or properties.get("etag") or "",
    )


def event(
    change: BlobChange, blob: Blob, *, topic: str, endpoint: str, place: Place, sequence: int
) -> dict[str, Any]:
    """The event. Its id follows from the place in the log: reading a line twice gives the same event."""
    made_up = str(uuid.uuid5(_NAMESPACE, f"{place.log}:{place.offset}"))
    request_id = change.request_id or made_up
    data: dict[str, Any] = {
        "api": change.api,
        "clientRequestId": change.client_request_id or "",
        "requestId": request_id,
        "eTag": blob.etag.strip('"'),
        "contentType": blob.content_type,
        "contentLength": blob.content_length,
        "blobType": blob.blob_type,
        "url": f"{endpoint}{change.path}",
        "sequencer": f"{sequence:032x}",
        "storageDiagnostics": {"batchId": made_up},
    }
    if change.api == "DeleteBlob":  # a blob that is gone has no length and no ETag
        del data["eTag"], data["contentLength"]
    return {
        "topic": topic,
        "subject": subject(change),
        "eventType": event_type(change),
        "id": request_id[:-6] + made_up[-6:],
        "eventTime": _time(change.at),
        "data": data,
        "dataVersion": "",
        "metadataVersion": "1",
    }


def _time(at: datetime) -> str:
    """Azure writes seven decimals."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
