"""The kind `upload`: a CSV dropped to train on, from its arrival until its rows are in a dataset version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain import names
from shared.domain.facts import (
    StepDeadLettered,
    UploadAdmitted,
    UploadArrived,
    UploadDuplicated,
    UploadRejected,
    UploadWithdrawn,
)
from shared.domain.kinds.drift import DriftCost, ListDrift, ScoreDrift
from shared.domain.kinds.field import internal, public
from shared.domain.kinds.kind import Change, Kind, Thing
from shared.domain.kinds.mended import MendedValues
from shared.domain.kinds.state import State, Tone
from shared.domain.kinds.waiting import ADMISSION, GATHER_WINDOW


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What is known of an upload."""

    name: str = public("The file's name in the container.", example="may.csv")
    etag: str | None = public(
        "Which version of the file it is.", pattern=names.ETAG, example="0x8DD5A3B1C2D4E5F"
    )
    attempt: int | None = internal(
        "Which time this version is validated against the contract; absent for the first."
    )
    dataset: str | None = public("The dataset whose contract the file fits.", example="bank")
    rows: int | None = public("Rows that fit the contract.", least=0, example=2713)
    rejected_rows: int | None = public(
        "Rows that break the contract and lie in quarantine.", least=0, example=4
    )
    mended: list[MendedValues] | None = public(
        "What was mended on reading, as the contract's `mend`, aliases and spellings say; absent when nothing was."
    )
    content_hash: str | None = public(
        "SHA-256 of the rows that fit, as values in their order: delimiters, quotes and line ends do not change it.",
        pattern=names.SHA256,
        example="9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a",
    )
    sha256: str | None = public(
        "SHA-256 of the file's bytes.",
        pattern=names.SHA256,
        example="4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce",
    )
    same_as: str | None = public(
        "The id of the upload that brought the same rows first.",
        pattern=names.UPLOAD_ID,
        example="upload/april.csv/0x8DD59",
    )
    readmitted_from: str | None = public(
        "The id of the upload whose quarantined rows were readmitted.",
        pattern=names.UPLOAD_ID,
        example="upload/may.csv/0x8DD5A",
    )
    reason: str | None = public(
        "Why it was rejected, or is not checked yet.", example="none of the 3 rows fits the contract"
    )
    dataset_version: str | None = public(
        "The dataset version its rows became part of, as name:version.",
        pattern=names.DATASET_ID,
        example="bank:3",
    )
    repeated_rows: int | None = public(
        "Rows that repeat an earlier row exactly, of this file or of one before it; counted when a model is trained.",
        least=0,
        example=120,
    )
    drift_model_version: int | None = public(
        "The version of the model that served when its rows came into the dataset: drift is measured against it.",
        least=1,
        example=3,
    )
    column_drift: list[ListDrift] | None = public(
        "How far each column of its rows is from what that model learned: the 40 furthest, the furthest first."
    )
    score_drift: ScoreDrift | None = public(
        "How far that model's scores of its rows are from those it knows."
    )
    drift_cost: DriftCost | None = public("What it costs that this model no longer says what comes true.")
    drift_problem: str | None = public(
        "Why the model scored none of its rows, so that nothing is said of scores and money.",
        example="the endpoint refused the rows: it knows no column 'contact'",
    )
    replaced_by: str | None = public(
        "The id of the upload of a newer version of the file, whose rows count instead.",
        example="upload/may.csv/0x8DD5B",
    )
    withdrawn_by: str | None = public("Who withdrew it.", example="key:operator")
    withdrawn_because: str | None = public("Why it was withdrawn.", example="labels of another campaign")
    held_by: str | None = public(
        "Of a withdrawn one: another file that holds the very same rows, so that they stay; withdraw that one too to have"
        " them out.",
        example="archive/may.csv",
    )
    gone_from: str | None = public(
        "The first dataset version without its rows, as name:version.",
        pattern=names.DATASET_ID,
        example="bank:4",
    )


def _arrived(fact: UploadArrived) -> Iterable[Change]:
    values: dict[str, Any] = {"name": fact.name, "etag": fact.etag}
    values |= {"attempt": fact.attempt} if fact.attempt > 1 else {}
    yield Change(kind="upload", id=fact.key, state="arrived", values=values)
    yield Change(kind="file", id=f"{names.INCOMING}/{fact.name}", values={"upload": fact.key})


def _admitted(fact: UploadAdmitted) -> Iterable[Change]:
    values = {
        "name": fact.name,
        "dataset": fact.dataset,
        "rows": fact.rows,
        "rejected_rows": fact.rejected,
        "content_hash": fact.content_hash,
        "sha256": fact.source_sha256,
        "reason": None,
    }
    values |= {"readmitted_from": fact.readmitted_from} if fact.readmitted_from else {}
    values |= {"mended": fact.mended} if fact.mended else {}
    yield Change(kind="upload", id=fact.upload, state="admitted", values=values)
    yield from _found_by(fact.upload, fact.source_sha256, fact.content_hash)


def _rejected(fact: UploadRejected) -> Iterable[Change]:
    values: dict[str, Any] = {"reason": fact.reason}
    values |= {"sha256": fact.source_sha256} if fact.source_sha256 else {}
    if fact.rejected:
        values |= {"rows": 0, "rejected_rows": fact.rejected, "dataset": fact.dataset}
    yield Change(kind="upload", id=fact.upload, state="rejected", values=values)
    yield from _found_by(fact.upload, fact.source_sha256)


def _known(fact: UploadDuplicated) -> Iterable[Change]:
    values: dict[str, Any] = {"name": fact.name, "dataset": fact.dataset, "rows": fact.rows}
    values |= {
        "same_as": fact.first_upload,
        "rejected_rows": fact.rejected,
        "sha256": fact.source_sha256,
        "reason": None,
    }
    values |= {"mended": fact.mended} if fact.mended else {}
    yield Change(kind="upload", id=fact.upload, state="duplicate", values=values)


def _withdrawn(fact: UploadWithdrawn) -> Iterable[Change]:
    values = {"withdrawn_by": fact.by, "withdrawn_because": fact.reason}
    values |= {"held_by": fact.held_by} if fact.held_by else {}
    yield Change(kind="upload", id=fact.upload, state="withdrawn", values=values)


def _dead_lettered(fact: StepDeadLettered) -> Iterable[Change]:
    """The upload waits for whoever retries."""
    if fact.about.startswith("upload") and re.fullmatch(names.UPLOAD_ID, fact.about):
        reason = f"{fact.reason}; it is checked again when failure {names.digest(fact.key)} is retried"
        yield Change(kind="upload", id=fact.about, values={"reason": reason})


def _found_by(upload: str, *hashes: str) -> Iterable[Change]:
    return [Change(kind="hash", id=hash_, values={"upload": upload}) for hash_ in hashes if hash_]


def _links(upload: Thing[Upload]) -> Mapping[str, str | None]:
    held = upload.state == "rejected" or upload.values.rejected_rows
    return {"quarantine": upload.id if held else None, "dataset": upload.values.dataset_version}


UPLOAD = Kind(
    name="upload",
    plural="uploads",
    sentence="One version of a CSV that was dropped to train on.",
    id_pattern=names.UPLOAD_ID,
    id_example="upload/may.csv/0x8DD5A3B1C2D4E5F",
    states=(
        State(name="arrived", tone=Tone.RUN, word="being checked", sentence="arrived", waits_for=ADMISSION),
        State(name="admitted", tone=Tone.RUN, sentence="fits its contract", waits_for=GATHER_WINDOW),
        State(name="registered", tone=Tone.OK, sentence="became part of a dataset version", final=True),
        State(
            name="replaced",
            tone=Tone.REST,
            sentence="was overwritten: the rows of the file's newer version count",
            final=True,
        ),
        State(
            name="duplicate",
            tone=Tone.REST,
            sentence="is a duplicate: its rows are known already",
            final=True,
        ),
        State(
            name="withdrawn",
            tone=Tone.REST,
            sentence="was withdrawn by a person: no dataset version to come has its rows",
            final=True,
        ),
        State(
            name="rejected",
            tone=Tone.BAD,
            word="in quarantine",
            sentence="does not fit any contract",
            final=True,
        ),
    ),
    values=Upload,
    projections={
        UploadArrived: _arrived,
        UploadAdmitted: _admitted,
        UploadRejected: _rejected,
        UploadDuplicated: _known,
        UploadWithdrawn: _withdrawn,
        StepDeadLettered: _dead_lettered,
    },
    links=_links,
)
