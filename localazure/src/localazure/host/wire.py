"""An HTTP request and the reply to it, apart from any server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Request:
    """What came; header names in lower case, repeated headers and query values joined by a comma."""

    method: str
    path: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What goes back."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def json_reply(content: Any, status: int = 200) -> Reply:
    body = json.dumps(content).encode()
    return Reply(status=status, headers=(("content-type", "application/json; charset=utf-8"),), body=body)
