"""ETag and If-None-Match: an answer's tags (plain and gzip), whether the caller holds it already, and the 304 then."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cached_property

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

SMALLEST_ZIPPED = 1024
"""Bytes; a smaller body is sent as it is."""
CACHE_CONTROL = "private, no-cache"
CLOCK = re.compile(rb'^\{"asOf":"[^"]*",')
"""The answer's own time, with which the summary begins: not a change of what it shows."""

PLACE = re.compile(rb"[?&]deltatoken=[\w-]+")
"""Where the log of events stood, in the links of a list: it moves on with every event, whether the list shows it or
not. Who holds a page can follow the links of that page."""


@dataclass(frozen=True)
class Answer:
    """What a route answered, whole."""

    status: int
    headers: MutableHeaders
    body: bytes

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(PLACE.sub(b"", CLOCK.sub(b"{", self.body))).hexdigest()[:32]

    @cached_property
    def zipped(self) -> bytes:
        return gzip.compress(self.body, compresslevel=5, mtime=0)


def held_tags(header: str) -> set[str]:
    """The tags that an If-None-Match names; weak ones count like strong ones (RFC 9110, 13.1.2)."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",") if tag.strip()}


def tags_of(digest: str) -> set[str]:
    """The ETags of both forms of an answer: as it is, and zipped."""
    return {f'"{digest}"', f'"{digest}-gzip"'}


def as_it_is(answer: Answer) -> Response:
    """An answer that is no 200, as the route gave it: without a tag."""
    return Response(answer.body, answer.status, _without_length(answer))


def tagged(answer: Answer, headers: Headers) -> Response:
    """The answer under its ETag; zipped for a caller who takes that.

    headers: the request's
    """
    zips = len(answer.body) >= SMALLEST_ZIPPED and _takes_gzip(headers.get("accept-encoding", ""))
    fields = {**_without_length(answer), "etag": f'"{answer.digest}-gzip"' if zips else f'"{answer.digest}"'}
    fields |= {"cache-control": CACHE_CONTROL, "vary": "Accept-Encoding"}
    if zips:
        fields["content-encoding"] = "gzip"
    return Response(answer.zipped if zips else answer.body, 200, fields)


def not_modified(digest: str, held: set[str], retry_after: str) -> Response:
    """304: the caller has it."""
    tag = min(held & tags_of(digest) or {f'"{digest}"'})
    headers = {"ETag": tag, "Cache-Control": CACHE_CONTROL, "Retry-After": retry_after}
    return Response(status_code=304, headers={**headers, "Vary": "Accept-Encoding"})


def _without_length(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "content-length"}


def _takes_gzip(accepted: str) -> bool:
    offers = [offer.strip().lower() for offer in accepted.split(",")]
    return any(
        re.fullmatch(r"(gzip|\*)(\s*;\s*q=(1(\.0*)?|0\.[0-9]*[1-9][0-9]*))?", offer) for offer in offers
    )
