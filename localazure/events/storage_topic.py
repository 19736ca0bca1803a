"""The storage account's topic: turns finished blob writes of the access log into BlobCreated events."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from localazure.events import blob_created
from localazure.events.access_log import AccessLog, BlobWrite, blob_write
from localazure.events.delivery import Broker
from localazure.events.journal import Journal, Place
from localazure.events.shared_key import Service, StorageUnreachable
from localazure.events.subscriptions import STORAGE_TOPIC

LOOK_SECONDS = (
    0.01  # one `stat` a look: 100 a second cost next to nothing, and an event waits 5 ms on average
)
SAVE_EVERY_BYTES = 256 * 1024
LONGEST_PAUSE = 5.0


class StorageTopic:
    """Follows the access log in a thread of its own."""

    def __init__(
        self, log: Path, *, journal: Journal, broker: Broker, connection_string: str, resource: str
    ) -> None:
        self._journal, self._broker, self._resource = journal, broker, resource
        self._blobs = Service(connection_string, "Blob")
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
                print(f"events: {problem}; looking again in {pause:.1f} s", file=sys.stderr)
                self._log.go_back(self._saved)

    def _take_new_lines(self) -> None:
        """Every line up to `_saved` is dealt with: nothing between it and the end is given up on an error."""
        for line, place in self._log.new_lines():
            write = blob_write(line)
            if write is not None and self._wanted(write):
                self._announce(write, place)
            elif self._saved is None or self._far_from_saved(place):
                self._journal.record([], place)
            else:
                continue
            self._saved = place

    def _wanted(self, write: BlobWrite) -> bool:
        return self._broker.wanted(STORAGE_TOPIC, blob_created.EVENT_TYPE, blob_created.subject(write))

    def _announce(self, write: BlobWrite, place: Place) -> None:
        """The log knows the name; the blob knows the rest. A blob deleted since then needs no event."""
        found = self._blobs.head(write.path)
        if found.status != 200:
            print(f"events: {write.path} is gone ({found.status}) before its event was made", file=sys.stderr)
            self._journal.record([], place)
            return
        event = blob_created.event(
            write,
            found.headers,
            topic=self._resource,
            endpoint=self._blobs.endpoint,
            place=place,
            sequence=self._journal.next_sequence(),
        )
        self._broker.accept(STORAGE_TOPIC, [event], place)

    def _far_from_saved(self, place: Place) -> bool:
        saved = self._saved
        return saved is None or saved.log != place.log or place.offset - saved.offset > SAVE_EVERY_BYTES
