"""Makes Microsoft.Storage.BlobCreated events out of what the access log and the blob itself tell.

Source of the shape: https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
Azure's event carries the ids of the request that wrote the blob; the log has none, so they are new.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from localazure.events.access_log import BlobWrite
from localazure.events.journal import Place

EVENT_TYPE = "Microsoft.Storage.BlobCreated"
_NAMESPACE = uuid.UUID("6f1c1a52-70a1-4f35-9f1e-6f3c5b3f2a11")


def subject(write: BlobWrite) -> str:
    """What subscriptions filter on."""
    return f"/blobServices/default/containers/{write.container}/blobs/{write.name}"


def event(
    write: BlobWrite, properties: Mapping[str, str], *, topic: str, endpoint: str, place: Place, sequence: int
) -> dict[str, Any]:
    """The event. Its id follows from the place in the log: reading a line twice gives the same event."""
    return {
        "topic": topic,
        "subject": subject(write),
        "eventType": EVENT_TYPE,
        "id": str(uuid.uuid5(_NAMESPACE, f"{place.log}:{place.offset}")),
        "eventTime": _time(write.at),
        "data": {
            "api": "CopyBlob" if "x-ms-copy-id" in properties and write.api == "PutBlob" else write.api,
            "clientRequestId": str(uuid.uuid4()),
            "requestId": str(uuid.uuid4()),
            "eTag": properties.get("etag", "").strip('"'),
            "contentType": properties.get("content-type", "application/octet-stream"),
            "contentLength": int(properties.get("content-length", 0)),
            "blobType": properties.get("x-ms-blob-type", "BlockBlob"),
            "url": f"{endpoint}{write.path}",
            "sequencer": f"{sequence:032x}",
            "storageDiagnostics": {"batchId": str(uuid.uuid4())},
        },
        "dataVersion": "",
        "metadataVersion": "1",
    }


def _time(logged: datetime) -> str:
    """The log knows the second only: for a line just written, now is closer."""
    now = datetime.now(UTC)
    exact = now if now - logged < timedelta(seconds=2) else logged.astimezone(UTC)
    return exact.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
