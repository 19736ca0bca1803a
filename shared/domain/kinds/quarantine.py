"""The kind `quarantine`: what an upload left in quarantine, until a person has decided about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shared.domain import names
from shared.domain.facts import QuarantineDecided, UploadAdmitted, UploadDuplicated, UploadRejected
from shared.domain.kinds.field import public
from shared.domain.kinds.kind import Change, Kind
from shared.domain.kinds.state import State, Tone


@dataclass(frozen=True, kw_only=True)
class QuarantinedUpload:
    """What is known of what an upload left in quarantine."""

    name: str = public("The file's name.", example="may.csv")
    upload: str = public(
        "The id of the upload.", pattern=names.UPLOAD_ID, example="upload/may.csv/0x8DD5A3B1C2D4E5F"
    )
    dataset: str | None = public("The dataset whose contract the rows break.", example="bank")
    rows: int = public(
        "Rows that break the contract; 0 when the file's shape is at fault.", least=0, example=4
    )
    whole_file: bool = public("Whether no row of the file was used.", example=False)
    reason: str | None = public(
        "Why the whole file was rejected.", example="none of the 3 rows fits the contract"
    )
    replaced_by: str | None = public(
        "The id of the upload of a newer version of the file, so that nobody need decide about this one.",
        pattern=names.UPLOAD_ID,
        example="upload/may.csv/0x8DD5B",
    )
    decided_by: str | None = public("Who decided about it.", example="key:operator")
    decided_because: str | None = public("The reason given with the decision.", example="a test file")


def _admitted(fact: UploadAdmitted | UploadDuplicated) -> Iterable[Change]:
    yield from _held(fact.upload, fact.name, fact.rejected, dataset=fact.dataset)
    if fact.readmitted_from:  # what waited in quarantine is in a dataset version now
        yield Change(kind="quarantine", id=fact.readmitted_from, state="readmitted")


def _rejected(fact: UploadRejected) -> Iterable[Change]:
    if fact.source_sha256:
        yield from _held(fact.upload, fact.name, fact.rejected, dataset=fact.dataset, reason=fact.reason)


def _held(upload: str, name: str, rows: int, *, dataset: str, reason: str = "") -> Iterable[Change]:
    """The upload's rejected rows, which wait for an operator's decision; nothing when every row was good."""
    if not rows and not reason:
        return
    values: dict[str, Any] = {"name": name, "upload": upload, "rows": rows, "whole_file": bool(reason)}
    values |= {"dataset": dataset} if dataset else {}
    values |= {"reason": reason} if reason else {}
    yield Change(kind="quarantine", id=upload, state="held", values=values)
    yield Change(kind="held", id=f"{names.INCOMING}/{name}", values={"quarantine": upload})


def _decided(fact: QuarantineDecided) -> Iterable[Change]:
    values = {"decided_by": fact.by, "decided_because": fact.reason or None}
    yield Change(kind="quarantine", id=fact.upload, state=fact.decision, values=values)


QUARANTINE = Kind(
    name="quarantine",
    plural="quarantine",
    sentence="What an upload left in quarantine: single rows, or the whole file.",
    id_pattern=names.UPLOAD_ID,
    id_example="upload/may.csv/0x8DD5A3B1C2D4E5F",
    states=(
        State(
            name="held",
            tone=Tone.BAD,
            word="in quarantine",
            sentence="is held in quarantine",
            final=True,
            needs_person=True,
        ),
        State(name="retried", tone=Tone.REST, word="checked again", sentence="is checked again", final=True),
        State(
            name="replaced",
            tone=Tone.REST,
            word="replaced",
            sentence="is replaced by a newer version of the file",
            final=True,
        ),
        State(name="readmitted", tone=Tone.OK, sentence="is readmitted", final=True),
        State(name="discarded", tone=Tone.REST, sentence="was discarded", final=True),
    ),
    values=QuarantinedUpload,
    projections={
        UploadAdmitted: _admitted,
        UploadDuplicated: _admitted,
        UploadRejected: _rejected,
        QuarantineDecided: _decided,
    },
)
