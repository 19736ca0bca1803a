"""What became of each upload, dataset version, run, model and batch: a fold over the facts.

A record only moves forward: a change whose state ranks below the one recorded is late news and is dropped. So
facts may be recorded twice and in any order, and a poller never sees a state go back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

from shared.domain import names
from shared.domain.facts import (
    BatchDue,
    BatchRefused,
    BatchRunFinished,
    BatchRunStarted,
    BatchScored,
    DatasetRegistered,
    Fact,
    ModelAccepted,
    ModelRefused,
    ModelReleased,
    QuarantineDecided,
    ReleaseRolledBack,
    RetryAsked,
    RunFailed,
    RunFinished,
    RunPostponed,
    RunStarted,
    ShardDue,
    StepGivenUp,
    UploadAdmitted,
    UploadArrived,
    UploadKnown,
    UploadRejected,
    WorkPaused,
)

STATES: dict[str, tuple[str, ...]] = {
    "upload": ("arrived", "admitted", "registered", "known", "rejected"),
    "dataset": ("registering", "registered", "waiting", "training", "trained", "failed"),
    "run": ("started", "running", "completed", "canceled", "failed", "accepted", "refused"),
    "model": ("accepted", "refused", "releasing", "released", "previous", "rolled-back", "retired"),
    "deployment": ("creating", "serving", "standby", "failed", "removed"),
    "batch": ("due", "scoring", "scored", "refused"),
    "quarantine": ("held", "retried", "released", "discarded"),
    "failure": ("given-up", "retried", "resolved"),
    "operation": ("asked",),
    "work": ("paused", "resumed"),
}
"""The states of each kind, in the order in which they may follow each other."""

INDEXES = ("file", "hash")
"""Kinds without states: a file's name or a hash, and what it leads to."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One kind of thing is now in this state, and this is known of it."""

    kind: str
    id: str
    state: str | None = None
    """None: the state stays, only `values` are added."""
    values: dict[str, Any] = field(default_factory=dict)
    round: int | None = None
    """Which time the thing goes through its states: a higher one begins again. None: the time it is at."""


def rank(kind: str, state: str) -> int:
    """How far along `state` is; higher never goes back to lower."""
    return STATES[kind].index(state)


def dataset_id(dataset: str, version: int) -> str:
    return f"{dataset}:{version}"


@singledispatch
def changes(fact: Fact) -> list[Change]:
    """What the fact says about the state of things; nothing, for most that are only due."""
    return []


@changes.register
def _(fact: UploadArrived) -> list[Change]:
    values: dict[str, Any] = {"name": fact.name, "etag": fact.etag}
    values |= {"attempt": fact.attempt} if fact.attempt > 1 else {}
    return [
        Change(kind="upload", id=fact.key, state="arrived", values=values),
        Change(kind="file", id=f"{names.INCOMING}/{fact.name}", values={"upload": fact.key}),
    ]


@changes.register
def _(fact: UploadAdmitted) -> list[Change]:
    values = {
        "name": fact.name,
        "dataset": fact.dataset,
        "rows": fact.rows,
        "rejected_rows": fact.rejected,
        "content_hash": fact.content_hash,
        "sha256": fact.source_sha256,
    }
    values |= {"released_from": fact.released_from} if fact.released_from else {}
    return [
        Change(kind="upload", id=fact.upload, state="admitted", values=values),
        *_found_by(fact.upload, fact.source_sha256, fact.content_hash),
        *_held(fact.upload, fact.name, fact.rejected, dataset=fact.dataset),
        *_let_in(fact.released_from),
    ]


@changes.register
def _(fact: UploadRejected) -> list[Change]:
    values: dict[str, Any] = {"reason": fact.reason}
    if not fact.source_sha256:
        return [Change(kind="upload", id=fact.upload, state="rejected", values=values)]
    values |= {"sha256": fact.source_sha256}
    if fact.rejected:
        values |= {"rows": 0, "rejected_rows": fact.rejected, "dataset": fact.dataset}
    return [
        Change(kind="upload", id=fact.upload, state="rejected", values=values),
        *_found_by(fact.upload, fact.source_sha256),
        *_held(fact.upload, fact.name, fact.rejected, dataset=fact.dataset, reason=fact.reason),
    ]


@changes.register
def _(fact: UploadKnown) -> list[Change]:
    values: dict[str, Any] = {"name": fact.name, "dataset": fact.dataset, "rows": fact.rows}
    values |= {"same_as": fact.first_upload, "rejected_rows": fact.rejected, "sha256": fact.source_sha256}
    return [
        Change(kind="upload", id=fact.upload, state="known", values=values),
        *_held(fact.upload, fact.name, fact.rejected, dataset=fact.dataset),
        *_let_in(fact.released_from),
    ]


def _let_in(upload: str) -> list[Change]:
    """What waited in quarantine is in a dataset version now."""
    return [Change(kind="quarantine", id=upload, state="released")] if upload else []


def _found_by(upload: str, *hashes: str) -> list[Change]:
    return [Change(kind="hash", id=hash_, values={"upload": upload}) for hash_ in hashes]


def _held(upload: str, name: str, rows: int, *, dataset: str, reason: str = "") -> list[Change]:
    """What of the upload waits in quarantine for somebody to decide; nothing when every row was good."""
    if not rows and not reason:
        return []
    values: dict[str, Any] = {"name": name, "upload": upload, "rows": rows, "whole": bool(reason)}
    values |= {"dataset": dataset} if dataset else {}
    values |= {"reason": reason} if reason else {}
    return [Change(kind="quarantine", id=upload, state="held", values=values)]


@changes.register
def _(fact: DatasetRegistered) -> list[Change]:
    values = {"dataset": fact.dataset, "version": fact.version, "rows": fact.rows}
    id_ = dataset_id(fact.dataset, fact.version)
    return [Change(kind="dataset", id=id_, state="registered", values=values)]


@changes.register
def _(fact: RunPostponed) -> list[Change]:
    id_ = dataset_id(fact.dataset, fact.version)
    return [Change(kind="dataset", id=id_, state="waiting", values={"waiting_for": fact.reason})]


@changes.register
def _(fact: RunStarted) -> list[Change]:
    values = {"dataset": fact.dataset, "version": fact.version}
    return [
        Change(kind="run", id=fact.run, state="started", values=values),
        Change(
            kind="dataset",
            id=dataset_id(fact.dataset, fact.version),
            state="training",
            round=fact.attempt - 1,
            values={"run": fact.run, "waiting_for": None},
        ),
    ]


@changes.register
def _(fact: RunFinished | BatchRunFinished) -> list[Change]:
    state = {"Completed": "completed", "Canceled": "canceled"}.get(fact.status, "failed")
    values = {"reason": fact.reason} if fact.reason else {}
    return [Change(kind="run", id=fact.run, state=state, values=values)]


@changes.register
def _(fact: RunFailed) -> list[Change]:
    return [
        Change(
            kind="run",
            id=fact.run,
            state="failed",
            values={"dataset": fact.dataset, "version": fact.version, "reason": fact.reason},
        ),
        Change(
            kind="dataset",
            id=dataset_id(fact.dataset, fact.version),
            state="failed",
            values={"reason": fact.reason},
        ),
    ]


def _judged(fact: ModelAccepted | ModelRefused, state: str) -> list[Change]:
    model = dataset_id(fact.dataset, fact.version)
    about = {"dataset": fact.dataset, "version": fact.version, "run": fact.run, "reason": fact.reason}
    return [
        Change(kind="model", id=model, state=state, values=about),
        Change(kind="run", id=fact.run, state=state, values={"reason": fact.reason, "model": model}),
        Change(kind="dataset", id=model, state="trained", values={"model": model}),
    ]


@changes.register
def _(fact: ModelAccepted) -> list[Change]:
    return _judged(fact, "accepted")


@changes.register
def _(fact: ModelRefused) -> list[Change]:
    return _judged(fact, "refused")


@changes.register
def _(fact: ModelReleased) -> list[Change]:
    values = {"deployment": fact.deployment, "previous_deployment": fact.previous or None}
    model = dataset_id(fact.dataset, fact.version)
    released = Change(kind="model", id=model, state="released", values=values, round=fact.asked or None)
    if not fact.endpoint:
        return [released]
    about = {"endpoint": fact.endpoint, "dataset": fact.dataset, "version": fact.version}
    serving = Change(
        kind="deployment",
        id=f"{fact.endpoint}/{fact.deployment}",
        state="serving",
        round=fact.asked or None,
        values={**about, "deployment": fact.deployment, "traffic": 100},
    )
    return [released, serving]


@changes.register
def _(fact: ReleaseRolledBack) -> list[Change]:
    model = dataset_id(fact.dataset, fact.version)
    values = {"reason": fact.reason}
    return [Change(kind="model", id=model, state="rolled-back", values=values, round=fact.asked or None)]


@changes.register
def _(fact: BatchDue) -> list[Change]:
    id_ = names.batch_id(fact.name, fact.etag)
    return [
        Change(kind="batch", id=id_, state="due", values={"name": fact.name, "etag": fact.etag}),
        Change(kind="file", id=f"{names.SCORING}/{fact.name}", values={"batch": id_}),
    ]


@changes.register
def _(fact: BatchRunStarted) -> list[Change]:
    values = {"batch": fact.batch, "attempt": fact.attempt, "dataset": fact.dataset, "version": fact.version}
    values |= {"model": dataset_id(fact.dataset, fact.version)}
    return [
        Change(kind="run", id=fact.run, state="started", values=values),
        Change(kind="batch", id=fact.batch, values={"run": fact.run}),
    ]


@changes.register
def _(fact: BatchScored) -> list[Change]:
    values = {
        "rows": fact.rows,
        "refused_rows": fact.refused,
        "decile_counts": fact.deciles,
        "parquet": f"{names.SCORED}/{names.parquet_folder(fact.batch)}",
        "output": f"{names.SCORED}/{names.scored_blob(fact.batch)}",
        "manifest": f"{names.SCORED}/{names.batch_manifest_blob(fact.batch)}",
        "reason": None,
    }
    return [Change(kind="batch", id=fact.batch, state="scored", values=values)]


@changes.register
def _(fact: BatchRefused) -> list[Change]:
    values = {"name": fact.name, "reason": fact.reason}
    return [Change(kind="batch", id=fact.batch, state="refused", values=values)]


@changes.register
def _(fact: StepGivenUp) -> list[Change]:
    values = {"queue": fact.queue, "about": fact.about, "reason": fact.reason}
    failure = Change(kind="failure", id=names.digest(fact.key), state="given-up", values=values)
    shard = ShardDue.parts(fact.about)
    if shard is None:
        return [failure]
    batch, number = shard
    reason = f"shard {number} was given up; the batch goes on when failure {failure.id} is tried again"
    return [failure, Change(kind="batch", id=batch, values={"reason": reason})]


@changes.register
def _(fact: QuarantineDecided) -> list[Change]:
    values = {"decided_by": fact.by, "decided_because": fact.reason or None}
    return [Change(kind="quarantine", id=fact.upload, state=fact.decision, values=values)]


@changes.register
def _(fact: WorkPaused) -> list[Change]:
    values = {"paused_by": fact.by, "paused_because": fact.reason or None}
    return [Change(kind="work", id=fact.operation, state="paused", values=values)]


@changes.register
def _(fact: RetryAsked) -> list[Change]:
    return [Change(kind="failure", id=fact.failure, state="retried")]
