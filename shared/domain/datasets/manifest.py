"""A dataset version: the exact parts it is made of, and where each came from.

The manifest is one JSON document; the parts are immutable files named by the hash of their rows. A version thus
costs one small file, however large the history, and naming the same parts again is naming the same version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from shared.domain.json_text import in_lines
from shared.domain.json_types import as_json

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
class Decision:
    """What a person decided about rows."""

    by: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Withdrawn:
    """An upload that a person took out."""

    upload: str
    version: int
    """The dataset version that its rows came in with, or would have."""
    gone: int
    """The first version without them."""
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Trusted:
    """A dataset version whose new rows a person answers for: they are learned from, however implausible."""

    version: int
    by: str
    reason: str


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
    withdrawn: tuple[Withdrawn, ...] = ()
    """All that were taken out up to this version, the oldest decision first."""
    trusted: tuple[Trusted, ...] = ()
    """All versions, this one's among them perhaps, whose rows are trusted."""

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def just_withdrawn(self) -> tuple[Withdrawn, ...]:
        """Those whose rows the version before may still have had."""
        return tuple(one for one in self.withdrawn if one.gone == self.version)

    @property
    def accounted(self) -> frozenset[str]:
        """The uploads that this version took in or passed over: they wait in the window no longer."""
        return frozenset((*self.uploads, *self.replaced, *(one.upload for one in self.withdrawn)))

    def to_json(self) -> bytes:
        body = {
            "dataset": self.dataset,
            "version": self.version,
            "rows": self.rows,
            "repeats": self.repeats,
            "contract": self.contract,
            "recipes": self.recipes,
            "parts": [as_json(part) for part in self.parts],
            "uploads": self.uploads,
            "replaced": self.replaced,
            "withdrawn": [as_json(one) for one in self.withdrawn],
            "trusted": [as_json(one) for one in self.trusted],
        }
        return in_lines(body)

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
            withdrawn=tuple(Withdrawn(**one) for one in body.get("withdrawn", ())),
            trusted=tuple(Trusted(**one) for one in body.get("trusted", ())),
        )


@dataclass(frozen=True, kw_only=True)
class Staying:
    """What of a dataset's parts its next version has, and why it has no longer what it lacks."""

    parts: tuple[Part, ...]
    replaced: dict[str, str]
    withdrawn: tuple[Withdrawn, ...]


def staying(
    version: int,
    before: Sequence[Part],
    gathered: Sequence[Part],
    *,
    replaced: Mapping[str, str],
    withdrawn: Mapping[str, Decision],
    heirs: Mapping[str, dict[str, str]],
) -> Staying:
    """Everything that was neither replaced nor withdrawn, and the gathered parts that are new, as they came.

    version: the next one's number
    replaced: versions of files (their uploads) that were overwritten, each with the upload of the newest version
    withdrawn: uploads that a person took out; the rows that were readmitted from one go with it
    heirs: by content, the source of other files with the very rows of one that goes: they keep them
    """
    kept: dict[str, Part] = {}
    overwritten: dict[str, str] = {}
    taken_out: dict[str, Withdrawn] = {}
    for part in (*before, *gathered):
        decision = withdrawn.get(part.file_version) or withdrawn.get(part.upload)
        newer = replaced.get(part.file_version)
        if decision is not None:
            taken_out[part.upload] = Withdrawn(
                upload=part.upload,
                version=int(part.source["version"]),
                gone=version,
                by=decision.by,
                reason=decision.reason,
            )
        elif newer is not None:
            overwritten[part.upload] = newer
        else:
            kept.setdefault(part.content_hash, part)
            continue
        if part.content_hash in heirs:
            inherited = {**heirs[part.content_hash], "version": part.source["version"]}
            kept.setdefault(part.content_hash, replace(part, source=inherited))
    return Staying(parts=tuple(kept.values()), replaced=overwritten, withdrawn=tuple(taken_out.values()))


def following(
    previous: Manifest | None,
    gathered: Sequence[Part],
    *,
    dataset: str,
    contract: dict[str, Any],
    recipes: Sequence[dict[str, Any]],
    repeats: Repeats = REPEATS_ONCE,
    replaced: Mapping[str, str] | None = None,
    withdrawn: Mapping[str, Decision] | None = None,
    trusted: Sequence[Trusted] = (),
    heirs: Mapping[str, dict[str, str]] | None = None,
) -> Manifest | None:
    """The next version.

    replaced, withdrawn, heirs: as for `staying`
    trusted: all versions whose rows a person answers for
    returns: None when it would have the rows that there are already, of the same files and as trusted as before; and when
    it would have none
    """
    before, version = (previous.parts, previous.version + 1) if previous else ((), 1)
    left = staying(
        version, before, gathered, replaced=replaced or {}, withdrawn=withdrawn or {}, heirs=heirs or {}
    )
    known = previous.trusted if previous else ()
    taken_out = {one.upload for one in left.withdrawn}
    same = _files(left.parts) == _files(before) and not any(part.upload in taken_out for part in before)
    if not left.parts or (same and set(trusted) <= set(known)):
        return None
    gone = {*left.replaced, *taken_out}
    return Manifest(
        dataset=dataset,
        version=version,
        contract=contract,
        parts=left.parts,
        recipes=tuple(recipes),
        repeats=repeats,
        uploads=tuple(part.upload for part in gathered if part.upload not in gone),
        replaced=left.replaced,
        withdrawn=(*(previous.withdrawn if previous else ()), *left.withdrawn),
        trusted=tuple(dict.fromkeys((*known, *trusted))),
    )


def _files(parts: Sequence[Part]) -> dict[str, str]:
    """The parts, and the file that each is from."""
    return {part.content_hash: part.source["name"] for part in parts}
