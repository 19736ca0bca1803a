"""Follows the storage access log across rotations and restarts; which lines wrote or deleted a blob."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from localazure.events.journal import Place

_CHUNK = 1 << 20
_CHANGE = re.compile(
    r'\[(?P<time>[^\]]+)\] "(?P<method>PUT|DELETE) (?P<path>/[^ ?]+)(?:\?(?P<query>\S*))? HTTP/[\d.]+"'
    r" (?P<status>20[12]) \S*(?: (?P<facts>\{.*\}))?"
)
_APIS = {("PUT", "", "201"): "PutBlob", ("PUT", "blocklist", "201"): "PutBlockList",
         ("PUT", "", "202"): "CopyBlob", ("DELETE", "", "202"): "DeleteBlob"}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class BlobChange:
    """One finished write or deletion of a blob, as the access log tells it.

    What stands behind `at` is None when the log is Azurite's own, which says no more than method and path.
    """

    api: str
    path: str  # still percent-encoded, without the account
    container: str
    name: str
    at: datetime
    request_id: str | None = None
    client_request_id: str | None = None
    etag: str | None = None
    blob_type: str | None = None
    content_type: str | None = None
    content_length: int | None = None


def blob_change(line: str, account: str | None = None) -> BlobChange | None:
    """The blob a log line says was created, replaced or deleted; None for every other request.

    account: the one whose blobs count; None for any.

    Event Grid speaks of a blob when it is whole: a staged block (`comp=block`) is not, its commit is.
    """
    match = _CHANGE.search(line)
    if match is None:
        return None
    query = parse_qs(match["query"] or "")
    parts = match["path"].split("/", 3)
    api = _APIS.get((match["method"], query.get("comp", [""])[0], match["status"]))
    if api is None or {"restype", "snapshot"} & query.keys() or len(parts) < 4 or not parts[3]:
        return None
    if account is not None and parts[1] != account:
        return None
    if parts[2].startswith("$"):  # $logs and the like tell nobody
        return None
    told = _facts(match["facts"])
    return BlobChange(
        api=api,
        path=f"/{parts[2]}/{parts[3]}",
        container=unquote(parts[2]),
        name=unquote(parts[3]),
        at=_moment(match["time"], told),
        request_id=told.get("requestId"),
        client_request_id=told.get("clientRequestId"),
        etag=told.get("eTag"),
        blob_type=told.get("blobType"),
        content_type=told.get("contentType"),
        content_length=told.get("contentLength"),
    )


def _facts(text: str | None) -> dict[str, Any]:
    """What stands behind the line; nothing when the storage was killed while it wrote that."""
    try:
        told = json.loads(text or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _moment(stamp: str, told: Mapping[str, Any]) -> datetime:
    if "time" in told:
        return datetime.fromisoformat(told["time"])
    return datetime.strptime(stamp, "%d/%b/%Y:%H:%M:%S %z")


class AccessLog:
    """The log's files, read line by line from a place on."""

    def __init__(self, file: Path, place: Place | None) -> None:
        self._file = file
        self._place = place
        self._seen: tuple[int, int] | None = None

    def new_lines(self) -> Iterator[tuple[str, Place]]:
        """Whole lines not given before, each with the place behind it. Cheap when there are none."""
        now = self._fingerprint()
        if now is None or now == self._seen:
            return
        while (chunk := self._next_chunk()) is not None:
            yield from chunk
        self._seen = now

    def go_back(self, place: Place | None) -> None:
        """Read again from `place` on."""
        self._place, self._seen = place, None

    def _fingerprint(self) -> tuple[int, int] | None:
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_size

    def _next_chunk(self) -> list[tuple[str, Place]] | None:
        """Some lines, or None at the end. A file that was read to its end leads to the next newer one."""
        files = self._files()
        names = [name for name, _ in files]
        if not files:
            return None
        if self._place is None or self._place.log not in names:
            if self._place is not None:
                print(
                    "events: the access log was rotated past what was read; some may be lost", file=sys.stderr
                )
            self._place = Place(log=names[0], offset=0)
        at = names.index(self._place.log)
        lines = self._lines(files[at][1], self._place)
        if lines:
            self._place = lines[-1][1]
            return lines
        if lines is None or at + 1 == len(files):
            return None
        self._place = Place(log=names[at + 1], offset=0)
        return []

    def _files(self) -> list[tuple[str, Path]]:
        """The log's files with the names in their first lines, oldest first."""
        numbered = [
            (int(path.suffix[1:]), path) for path in self._file.parent.glob(f"{self._file.name}.[0-9]*")
        ]
        paths = [path for _, path in sorted(numbered, reverse=True)] + [self._file]
        named = []
        for path in paths:
            try:
                with path.open("rb") as opened:
                    first = opened.readline(200)
            except FileNotFoundError:
                continue  # rotated away this instant
            if first.endswith(b"\n"):
                named.append((first.decode(errors="replace").strip(), path))
        return named

    @staticmethod
    def _lines(path: Path, place: Place) -> list[tuple[str, Place]] | None:
        """The whole lines behind `place`; None when `path` was given to another file since it was listed."""
        with path.open("rb") as opened:
            if opened.readline(200).decode(errors="replace").strip() != place.log:
                return None
            opened.seek(place.offset)
            block = opened.read(_CHUNK)
        offset, found = place.offset, []
        for line in block.split(b"\n")[:-1]:
            offset += len(line) + 1
            found.append((line.decode(errors="replace"), Place(log=place.log, offset=offset)))
        return found
