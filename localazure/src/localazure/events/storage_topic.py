"""The storage account's topic: turns what the access log tells of finished writes into Event Grid's events."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from localazure import agents
from localazure.events import blob_events
from localazure.events.access_log import AccessLog, BlobChange, blob_change
from localazure.events.blob_events import CREATED, DELETED, UNKNOWN_TYPE, Blob
from localazure.events.broker import Broker
from localazure.events.journal import Journal, Place
from localazure.events.subscriptions import STORAGE_TOPIC
from localazure.storage.client import Service, StorageUnreachable

LOOK_SECONDS = (
    0.01  # one `stat` a look: 100 a second cost next to nothing, and an event waits 5 ms on average
)
SAVE_EVERY_BYTES = 256 * 1024
LONGEST_PAUSE = 5.0


class StorageTopic:
    """Follows the access log in a thread of its own."""

    def __init__(
        self,
        log: Path,
        *,
        journal: Journal,
        broker: Broker,
        connection_string: str,
        resource: str,
        endpoint: str | None = None,
    ) -> None:
        """endpoint: the account's address in events, if it is another than the one that is asked"""
        self._journal, self._broker, self._resource = journal, broker, resource
        self._blobs = Service(connection_string, "Blob", agent=agents.EVENTS)
        self._endpoint = endpoint or self._blobs.endpoint
        self._account = urlsplit(self._blobs.endpoint).path.strip("/")
        self._saved = journal.place()
        self._log = AccessLog(log, self._saved)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="storage topic", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(15)

    def _follow(self) -> None:
        pause = LOOK_SECONDS
        while not self._stopping.wait(pause):
            try:
                self._take_new_lines()
                pause = LOOK_SECONDS
            except (StorageUnreachable, OSError) as problem:
                pause = min(LONGEST_PAUSE, pause * 4)
                print(f"events: {problem}; looking again in {pause:.1f} s", file=sys.stderr, flush=True)
                self._log.go_back(self._saved)

    def _take_new_lines(self) -> None:
        """Every line up to `_saved` is dealt with: nothing between it and the end is given up on an error."""
        for line, place in self._log.new_lines():
            change = blob_change(line, self._account)
            if change is not None and (self._is_wanted(change, CREATED) or self._is_wanted(change, DELETED)):
                self._take(change, place)
            elif self._saved is None or self._far_from_saved(place):
                self._journal.record([], place)
            else:
                continue
            self._saved = place

    def _take(self, change: BlobChange, place: Place) -> None:
        if change.api == "DeleteBlob":
            self._announce(change, self._deleted(change), place)
            self._journal.forget_blob(change.path)
            return
        blob = self._written(change)
        if blob is not None and self._is_wanted(change, DELETED):
            self._journal.remember_blob(change.path, blob.content_type, blob.blob_type)
        self._announce(change, blob, place)

    def _is_wanted(self, change: BlobChange, event_type: str) -> bool:
        return self._broker.may_want(STORAGE_TOPIC, event_type, blob_events.subject(change))

    def _announce(self, change: BlobChange, blob: Blob | None, place: Place) -> None:
        if blob is None or not self._is_wanted(change, blob_events.event_type(change)):
            self._journal.record([], place)
            return
        event = blob_events.event(
            change, blob, topic=self._resource, endpoint=self._endpoint, place=place,
            sequence=self._journal.next_sequence(),
        )  # fmt: skip
        self._broker.accept(STORAGE_TOPIC, [event], place)

    def _written(self, change: BlobChange) -> Blob | None:
        """The blob that was written; None when nothing is known of it any more: the log is Azurite's own."""
        blob = blob_events.logged_blob(change)
        if blob is not None:
            return blob
        found = self._blobs.call("HEAD", change.path)
        if found.status != 200 and change.etag is None:
            said = f"{change.path} is gone ({found.status}) before its event was made"
            print(f"events: {said}", file=sys.stderr, flush=True)
            return None
        return blob_events.found_blob(change, found.headers if found.status == 200 else {})

    def _deleted(self, change: BlobChange) -> Blob:
        """What its creation said; a blob from before somebody asked for deletions is unknown."""
        content_type, blob_type = self._journal.known_blob(change.path) or (UNKNOWN_TYPE, "BlockBlob")
        return Blob(content_type=content_type, blob_type=blob_type)

    def _far_from_saved(self, place: Place) -> bool:
        saved = self._saved
        return saved is None or saved.log != place.log or place.offset - saved.offset > SAVE_EVERY_BYTES
