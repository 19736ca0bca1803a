"""One HTTP request by `requests`, held to what it does not promise: no redirect is followed, since the key and clients'
rows are for one address; and the answer is whole, in time and within bounds."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

NOT_LET_IN = frozenset({401, 403})
"""The caller is not known, or has no role: it may have one in a minute, or when somebody gives it one."""
_PIECE = 1 << 20


class TooLarge(ValueError):
    """The answer has more bytes than any good one could."""


class Connections(requests.Session):
    """Kept connections that lead to no other address: a redirect is an answer like any other."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: even where it follows none, the library reads all of a redirect's body to find the next request."""


@dataclass(frozen=True)
class Reply:
    """What came back, whole."""

    status: int
    headers: CaseInsensitiveDict[str]
    body: bytes
    reason: str = ""

    def json(self) -> Any:
        """raises: ValueError"""
        try:
            return json.loads(self.body)
        except RecursionError as cause:
            raise ValueError("it is JSON within JSON without end") from cause


def ask(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    timeout: tuple[float, float],
    most: int,
    connections: Connections | None = None,
) -> Reply:
    """The answer, whatever its status.

    timeout: seconds to connect, and to have all of the answer; most: bytes of the answer
    raises: requests.RequestException when there is no whole answer in time, TooLarge
    """
    if connections is None:
        with Connections() as own:
            return ask(method, url, headers=headers, body=body, timeout=timeout, most=most, connections=own)
    until = time.monotonic() + timeout[1]
    with connections.request(
        method, url, data=body, headers=dict(headers), timeout=timeout, stream=True
    ) as answer:
        try:
            return Reply(answer.status_code, answer.headers, _whole(answer, until, most), answer.reason or "")
        except HTTPError as cause:
            raise requests.ConnectionError("the answer broke off") from cause


def _whole(answer: requests.Response, until: float, most: int) -> bytes:
    pieces, size = [], 0
    while piece := answer.raw.read1(_PIECE, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise TooLarge(f"it answered more than {most:,} bytes")
        if time.monotonic() > until:  # the library's timeout is for each piece
            raise requests.ReadTimeout("the answer drips in too slowly")
    expected = answer.headers.get("Content-Length")
    if expected is not None and "Content-Encoding" not in answer.headers and str(size) != expected.strip():
        raise requests.ConnectionError("the answer broke off")
    return b"".join(pieces)
