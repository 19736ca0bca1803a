"""A CSV was dropped into `incoming`: Event Grid says so in the queue `blob-events`."""

from __future__ import annotations

import json

import azure.functions as func

from functions.delivery import dead_letter, deliver
from shared.domain.facts import UploadArrived
from shared.domain.names import INCOMING

uploads = func.Blueprint()

WHOLE = {"PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose"}
"""The calls after which a blob is complete. Others (a Data Lake's CreateFile) also raise BlobCreated."""
SUBJECT = f"/blobServices/default/containers/{INCOMING}/blobs/"


@uploads.queue_trigger(arg_name="msg", queue_name="blob-events", connection="CAMPANHA_STORAGE")
def upload_arrived(msg: func.QueueMessage) -> None:
    arrived = _parse(msg)
    if arrived:
        deliver(arrived)


@uploads.queue_trigger(arg_name="msg", queue_name="blob-events-poison", connection="CAMPANHA_STORAGE")
def upload_dead_lettered(msg: func.QueueMessage) -> None:
    try:
        arrived = _parse(msg)
    except (ValueError, KeyError, TypeError, AttributeError):  # a poisoned message may be anything
        arrived = None
    dead_letter("blob-events", msg.get_body().decode(errors="replace"), arrived)


def _parse(msg: func.QueueMessage) -> UploadArrived | None:
    """The upload an event is about; None for events that are none of ours.

    The blob is found by the event's subject, never by following its URL.
    """
    event = json.loads(msg.get_body())
    subject: str = event["subject"]
    ours = event["eventType"] == "Microsoft.Storage.BlobCreated" and subject.startswith(SUBJECT)
    if not ours or event["data"]["api"] not in WHOLE:
        return None
    return UploadArrived(name=subject.removeprefix(SUBJECT), etag=event["data"]["eTag"].strip('"'))
