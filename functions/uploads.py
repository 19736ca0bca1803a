"""A CSV was dropped into `incoming`, or `outcomes`: Event Grid says so in the queue `blob-events`."""

from __future__ import annotations

import re

import azure.functions as func

from functions.delivery import first_seen, receive, received_in_vain
from functions.event_grid import LONGEST, event_in
from shared.domain.facts import OutcomesArrived, UploadArrived
from shared.domain.names import ETAG, INCOMING, OUTCOMES
from shared.errors import UnreadableMessage

uploads = func.Blueprint()

WHOLE = {"PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose", "SftpCommit"}
"""The calls after which a blob is complete. Others (a Data Lake's CreateFile) also raise BlobCreated."""
CREATED = "Microsoft.Storage.BlobCreated"
RENAMED = "Microsoft.Storage.BlobRenamed"
"""How transfers end that write under another name first."""
SUBJECT = re.compile(r"/blobServices/default/containers/([^/]+)/blobs/(.*)", re.DOTALL)
ARRIVED: dict[str, type[UploadArrived] | type[OutcomesArrived]] = {
    INCOMING: UploadArrived,
    OUTCOMES: OutcomesArrived,
}
"""By container what a blob in it is."""


@uploads.queue_trigger(arg_name="msg", queue_name="blob-events", connection="CAMPANHA_STORAGE")
def upload_arrived(msg: func.QueueMessage) -> None:
    receive("blob-events", msg.get_body(), upload_in, inserted=first_seen(msg))


@uploads.queue_trigger(arg_name="msg", queue_name="blob-events-poison", connection="CAMPANHA_STORAGE")
def upload_dead_lettered(msg: func.QueueMessage) -> None:
    received_in_vain("blob-events", msg.get_body(), upload_in)


def upload_in(body: bytes) -> UploadArrived | OutcomesArrived | None:
    """The upload, or file of outcomes, that an event is about; None for events that are none of ours.

    The blob is found by the event's subject, never by following its URL. raises: UnreadableMessage
    """
    event = event_in(body)
    about = SUBJECT.fullmatch(event.subject)
    arrived = ARRIVED.get(about[1]) if about else None
    if about is None or arrived is None or event.type not in (CREATED, RENAMED):
        return None
    if event.type == CREATED and event.text("api") not in WHOLE:
        return None
    container, name = about.groups()
    if len(name) > LONGEST:
        raise UnreadableMessage(f"it is a {event.type} of a blob whose name is longer than there are any")
    if name and not _is_taken_in(container, name):
        return None
    etag = event.text("eTag").strip('"') if event.type == CREATED else _etag_of(container, name)
    if event.type == RENAMED and not etag:  # deleted, or renamed again: that has an event of its own
        return None
    if not name or not re.fullmatch(ETAG, etag):
        raise UnreadableMessage(f"it is a {event.type} that names no blob, or no ETag")
    return arrived(name=name, etag=etag)


def _is_taken_in(container: str, name: str) -> bool:
    from shared import wiring
    from shared.procedures.unseen_blobs import is_taken_in

    return is_taken_in(container, name, wiring.services())


def _etag_of(container: str, name: str) -> str:
    """Of the version that lies there: the event of a rename names none. Empty when there is none."""
    from shared import wiring

    blob = wiring.services().files.stat(container, name)
    return blob.etag if blob else ""
