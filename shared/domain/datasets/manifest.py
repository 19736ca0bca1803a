"""A dataset version: the exact parts it is made of, and where each came from.

The manifest is one JSON document; the parts are immutable files named by the hash of their rows. A version thus
costs one small file, however large the history, and naming the same parts again is naming the same version.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

Repeats = Literal["once", "each"]
REPEATS_ONCE: Repeats = "once"


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
    """`container`, `name`, `etag`, `sha256`, `upload`, `version`; of readmitted rows `readmitted_from` too."""

    @property
    def upload(self) -> str:
        return self.source["upload"]

    @property
    def file_version(self) -> str:
        """The upload of the version of the file these rows stood in: of readmitted rows the one they came from."""
        return self.source.get("readmitted_from") or self.upload


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What version `version` of `dataset` consists of."""

    dataset: str
    version: int
    contract: dict[str, Any]
    parts: tuple[Part, ...]
    recipes: tuple[dict[str, Any], ...] = ()
    """How models may be made of it, the recipe that a dataset starts with first."""
    repeats: Repeats = REPEATS_ONCE
    """Whether a row that repeats another exactly is learned from `once`, or as often as it comes (`each`)."""
    uploads: tuple[str, ...] = ()
    """The uploads that came in with this version."""
    replaced: dict[str, str] = field(default_factory=dict)
    """Uploads whose files were overwritten, and which this version no longer has: which upload replaced each."""

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def accounted(self) -> frozenset[str]:
        """The uploads that this version took in or passed over: they wait in the window no longer."""
        return frozenset((*self.uploads, *self.replaced))

    def to_json(self) -> bytes:
        body = {
            "dataset": self.dataset,
            "version": self.version,
            "rows": self.rows,
            "repeats": self.repeats,
            "contract": self.contract,
            "recipes": self.recipes,
            "parts": [asdict(part) for part in self.parts],
            "uploads": self.uploads,
            "replaced": self.replaced,
        }
        return json.dumps(body, indent=1).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        body = json.loads(text)
        return cls(
            dataset=body["dataset"],
            version=body["version"],
            contract=body["contract"],
            parts=tuple(Part(**part) for part in body["parts"]),
            recipes=tuple(body["recipes"]),
            repeats=body.get("repeats", REPEATS_ONCE),
            uploads=tuple(body.get("uploads", ())),
            replaced=body.get("replaced", {}),
        )


def following(
    previous: Manifest | None,
    gathered: Sequence[Part],
    *,
    dataset: str,
    contract: dict[str, Any],
    recipes: Sequence[dict[str, Any]],
    repeats: Repeats = REPEATS_ONCE,
    replaced: Mapping[str, str] | None = None,
    heirs: Mapping[str, dict[str, str]] | None = None,
) -> Manifest | None:
    """The next version: everything so far that was not replaced, and the gathered parts that are new, as they came.

    replaced: versions of files (their uploads) that were overwritten, each with the upload of the newest version
    heirs: by content, the source of other files with the very rows of a replaced one: they keep them
    returns: None when it would have the rows that there are already, of the same files
    """
    replaced, heirs = replaced or {}, heirs or {}
    before = previous.parts if previous else ()
    kept: dict[str, Part] = {}
    gone: dict[str, str] = {}
    for part in (*before, *gathered):
        newer = replaced.get(part.file_version)
        if newer is None:
            kept.setdefault(part.content_hash, part)
            continue
        gone[part.upload] = newer
        if part.content_hash in heirs:
            inherited = {**heirs[part.content_hash], "version": part.source["version"]}
            kept.setdefault(part.content_hash, replace(part, source=inherited))
    if _files(kept.values()) == _files(before):
        return None
    return Manifest(
        dataset=dataset,
        version=previous.version + 1 if previous else 1,
        contract=contract,
        parts=tuple(kept.values()),
        recipes=tuple(recipes),
        repeats=repeats,
        uploads=tuple(part.upload for part in gathered if part.upload not in gone),
        replaced=gone,
    )


def _files(parts: Iterable[Part]) -> dict[str, str]:
    """The parts, and the file that each is from."""
    return {part.content_hash: part.source["name"] for part in parts}
