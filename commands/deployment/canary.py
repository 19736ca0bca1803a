"""A canary file: dropped like any other, refused by every contract, and so seen to go all the way round.

Event Grid tells of it, the queue holds it, the app reads it and puts it aside with a report: roles, settings and code
of all of them work. Nothing is learned from it. The ledger keeps it as a rejected upload.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from commands.deployment.patience import Patience
from shared.domain import names

CONTENT = b"canary;of;a;deployment\n1;2;3;4\n"
PREFIX = "canary/"


@dataclass(frozen=True, kw_only=True)
class Sung:
    """What became of it."""

    name: str
    reason: str
    release: str
    """Of the code that read it; empty from one that did not say so yet."""


def sing(storage: Any, name: str, patience: Patience) -> Sung | None:
    """The app's report on the file; None when it wrote none in time.

    storage: a BlobServiceClient of the data account. name: another for each deployment. The file is removed again.
    """
    blob = storage.get_blob_client(names.INCOMING, f"{PREFIX}{name}.csv")
    etag = patience.until_let_in("dropping the canary", lambda: blob.upload_blob(CONTENT, overwrite=True))[
        "etag"
    ]
    folder = names.quarantine_folder(blob.blob_name, etag.strip('"'))
    report = storage.get_blob_client(names.QUARANTINE, f"{folder}{names.REPORT}")
    try:
        text = patience.until_there(lambda: _content(report))
    finally:
        blob.delete_blob()
    if text is None:
        return None
    report = json.loads(text)
    return Sung(name=blob.blob_name, reason=str(report["reason"]), release=str(report.get("release", "")))


def _content(blob: Any) -> bytes | None:
    from azure.core.exceptions import HttpResponseError

    try:
        read: bytes = blob.download_blob().readall()
    except HttpResponseError as refusal:
        if refusal.status_code not in (403, 404):
            raise
        return None
    return read
