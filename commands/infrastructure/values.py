"""Values of a Bicep deployment as far as they are known before it: what only Azure can say stays a text that names it."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any


class Later(str):
    """What only a deployment knows, named by what it is read from: `id-work-x.properties.principalId`."""

    __slots__ = ()


class Guid(str):
    """A GUID that `guid()` made, with what it was made of."""

    parts: tuple[str, ...]

    def __new__(cls, *parts: str) -> Guid:
        made = super().__new__(cls, uuid.uuid5(uuid.NAMESPACE_URL, "-".join(parts)))
        made.parts = parts
        return made


def joined(pieces: list[Any]) -> str:
    """An interpolated text: as unknown as any of its pieces."""
    text = "".join(str(piece) for piece in pieces)
    return Later(text) if any(isinstance(piece, Later) for piece in pieces) else text


def unique(*parts: str) -> str:
    """What stands for `uniqueString()`: thirteen letters and digits."""
    return "u" + hashlib.sha256("-".join(parts).encode()).hexdigest()[:12]


def union(*objects: Any) -> Any:
    """Objects merged, the later over the earlier; or lists, without doubles."""
    if all(isinstance(each, dict) for each in objects):
        merged: dict[str, Any] = {}
        for each in objects:
            merged |= each
        return merged
    return list(dict.fromkeys(item for each in objects for item in each))
