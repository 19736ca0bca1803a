"""A CSV was dropped into `incoming`: Event Grid says so in the queue `blob-events`."""

from __future__ import annotations

import re

import azure.functions as func

from functions.delivery import receive, received_in_vain
from functions.event_grid import event_in
from shared.domain.facts import UploadArrived
from shared.domain.names import ETAG, INCOMING
from shared.errors import Unreadable

uploads = func.Blueprint()

WHOLE = {"PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose"}
"""The calls after which a blob is complete. Others (a Data Lake's CreateFile) also raise BlobCreated."""
SUBJECT = f"/blobServices/default/containers/{INCOMING}/blobs/"


@uploads.queue_trigger(arg_name="msg", queue_name="blob-events", connection="CAMPANHA_STORAGE")
def upload_arrived(msg: func.QueueMessage) -> None:
    receive("blob-events", msg.get_body(), upload_in)


@uploads.queue_trigger(arg_name="msg", queue_name="blob-events-poison", connection="CAMPANHA_STORAGE")
def upload_dead_lettered(msg: func.QueueMessage) -> None:
    received_in_vain("blob-events", msg.get_body(), upload_in)


def upload_in(body: bytes) -> UploadArrived | None:
    """The upload that an event is about; None for events that are none of ours.

    The blob is found by the event's subject, never by following its URL. raises: Unreadable
    """
    event = event_in(body)
    if event.type != "Microsoft.Storage.BlobCreated" or not event.subject.startswith(SUBJECT):
        return None
    if event.text("api") not in WHOLE:
        return None
    name, etag = event.subject.removeprefix(SUBJECT), event.text("eTag").strip('"')
    if not name or not re.fullmatch(ETAG, etag):
        raise Unreadable("it is a Microsoft.Storage.BlobCreated that names no blob, or no ETag")
    return UploadArrived(name=name, etag=etag)
