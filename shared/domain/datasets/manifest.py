"""A dataset version: the exact parts it is made of, and where each came from.

The manifest is one JSON document; the parts are immutable files named by the hash of their rows. A version thus
costs one small file, however large the history, and naming the same parts again is naming the same version.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Part:
    """The good rows of one upload, typed."""

    file: str
    rows: int
    content_hash: str
    """Of the rows' meaning: delimiters, quotes and line ends do not change it."""
    sha256: str
    """Of the file's bytes."""
    source: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What version `version` of `dataset` consists of."""

    dataset: str
    version: int
    contract: dict[str, Any]
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    def to_json(self) -> bytes:
        body = {
            "dataset": self.dataset,
            "version": self.version,
            "rows": self.rows,
            "contract": self.contract,
            "parts": [asdict(part) for part in self.parts],
        }
        return json.dumps(body, indent=1).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        body = json.loads(text)
        parts = tuple(Part(**part) for part in body["parts"])
        return cls(dataset=body["dataset"], version=body["version"], contract=body["contract"], parts=parts)


def following(
    previous: Manifest | None, gathered: Iterable[Part], *, dataset: str, contract: dict[str, Any]
) -> Manifest | None:
    """The next version: everything so far and the gathered parts that are new, in the order they came.

    returns: None when no gathered part is new
    """
    before = previous.parts if previous else ()
    known = {part.content_hash for part in before}
    new: dict[str, Part] = {}
    for part in gathered:
        if part.content_hash not in known:
            new.setdefault(part.content_hash, part)
    if not new:
        return None
    version = previous.version + 1 if previous else 1
    return Manifest(dataset=dataset, version=version, contract=contract, parts=(*before, *new.values()))
