"""Status of a long-running operation: derived from the records and facts it led to, and stored nowhere itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from functions.http.views.learned_from import withdrawn
from functions.http.views.records import address
from functions.http.views.retry_after import UNKNOWN, retry_after
from shared.domain import facts as f
from shared.domain.facts import Fact
from shared.domain.names import SCORING, batch_id, dataset_id
from shared.flow import STEPS
from shared.kinds import BY_NAME
from shared.ledger import Record
from shared.procedures.file_version import GONE_UNREAD
from shared.services import Services

Json = dict[str, Any]
DEEPEST = 8
"""How many facts one after the other are followed."""
MOST_REMEMBERED = 1000
_reached: dict[str, f.EventReplayDue] = {}
"""By the first fact of a replay to a subscriber, the newest that it was seen to have led to: outcomes never change, and a
replay of a long history has thousands, which no poll is to read again."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far it is, with what it is about."""

    status: str
    detail: str = ""
    record: Record | None = None


def progress_body(operation: Record, services: Services) -> tuple[Json, int | None]:
    """The operation as JSON, and its Retry-After in seconds (None: it is over)."""
    progress = _progress(operation, services)
    record = progress.record
    body: Json = {
        "id": operation.id,
        "status": progress.status,
        "action": operation.values["action"],
        "createdAt": operation.created,
        "lastModifiedAt": max(operation.updated, record.updated) if record else operation.updated,
    }
    if record:
        body["resourceLocation"] = address(record.kind, record.id, record.values.get("name"))
    if progress.status == "Failed":
        body["error"] = {"code": "ActionFailed", "message": progress.detail}
    elif progress.detail:
        body["detail"] = progress.detail
    if progress.status in ("Succeeded", "Failed"):
        return body, None
    averages = services.ledger.events.snapshot().averages
    return body, (retry_after(record, averages, services.now()) if record else None) or UNKNOWN


def _progress(operation: Record, services: Services) -> Progress:
    target = operation.values.get("target")
    if target:
        kind, id_ = target
        progress, file = _of_record(kind, id_, services, since=0), operation.values.get("file")
        if progress.record or not file or not _is_gone(id_, file, services):
            return progress
        found = _of_record(kind, id_, services, since=0)  # it may have been taken up, and be gone since
        return found if found.record else Progress(status="Failed", detail=GONE_UNREAD)
    fact = operation.values.get("fact")
    return _of_fact(Fact.from_json(fact), services, DEEPEST) if fact else Progress(status="Succeeded")


def _is_gone(batch: str, name: str, services: Services) -> bool:
    """Whether another version of the file lies in `scoring`, or none: this one will never be taken up."""
    blob = services.files.stat(SCORING, name)
    return blob is None or batch_id(name, blob.etag) != batch


def _of_record(kind: str, id_: str, services: Services, *, since: int) -> Progress:
    """since: for what may have ended before, the time of the request"""
    record = services.ledger.find(kind, id_)
    if record is None:
        return Progress(status="NotStarted")
    if record.round < since:
        return Progress(status="Running", record=record)
    state = BY_NAME[kind].state(record.state)
    if state.succeeded:
        return Progress(status="Succeeded", record=record)
    if state.final:
        reason = str(record.values.get("reason", f"it ended as {record.state}"))
        return Progress(status="Failed", detail=reason, record=record)
    return Progress(status="Running", record=record)


def _of_fact(fact: Fact, services: Services, deepest: int) -> Progress:
    if fact.hint or type(fact) not in STEPS:
        return Progress(status="Succeeded")  # nothing more is known of it, or needs to be
    outcome = services.ledger.claims.outcome(fact.key)
    if outcome is None:
        return Progress(status="Running" if services.ledger.claims.find(fact.key) else "NotStarted")
    if isinstance(fact, f.EventReplayRequested):
        return _of_replay(outcome.facts, services)
    if isinstance(fact, f.WorkResumed | f.ConfigChanged):
        return Progress(status="Succeeded")  # what waited goes its own way
    if isinstance(fact, f.RetryRequested) and not outcome.facts:
        reason = "there is nothing to try again: it was done meanwhile, or its message could not be read"
        return Progress(status="Failed", detail=reason)
    return _of_outcome(outcome.facts, services, deepest)


def _of_replay(begun: tuple[Fact, ...], services: Services) -> Progress:
    """How far each subscriber is: its facts are its cursor, one for each few hundred events."""
    told, over = 0, True
    for fact in begun:
        newest = _newest(fact, services)
        told, over = told + newest.told, over and services.ledger.claims.outcome(newest.key) is not None
    return Progress(
        status="Succeeded" if over else "Running", detail=f"{told} events were taken so far" * (not over)
    )


def _newest(fact: Fact, services: Services) -> f.EventReplayDue:
    assert isinstance(fact, f.EventReplayDue)  # noqa: S101  (a replay leads to no other)
    newest = _reached.get(fact.key, fact)
    while (outcome := services.ledger.claims.outcome(newest.key)) is not None and outcome.facts:
        [later] = outcome.facts
        assert isinstance(later, f.EventReplayDue)  # noqa: S101
        newest = later
    if len(_reached) >= MOST_REMEMBERED:
        _reached.clear()
    _reached[fact.key] = newest
    return newest


def _of_outcome(outcome: tuple[Fact, ...], services: Services, deepest: int) -> Progress:
    retrain = next((led_to for led_to in outcome if isinstance(led_to, f.RetrainDue)), None)
    if retrain is not None and deepest:  # a decision about rows, and a model was asked for that goes by it
        return _of_fact(retrain, services, deepest - 1)
    for led_to in outcome:
        ended = _end(led_to, services)
        if ended is not None:
            return ended
    followed = [led_to for led_to in outcome if not led_to.hint]
    if followed and deepest:
        return _of_fact(followed[-1], services, deepest - 1)
    return Progress(status="Succeeded")


def _end(fact: Fact, services: Services) -> Progress | None:
    """How far the thing is that this fact is about; None when its outcome has to be followed."""
    match fact:
        case f.DatasetRegistered() | f.RunDue() | f.RunStarted() | f.RunPostponed():
            return _of_record("dataset", dataset_id(fact.dataset, fact.version), services, since=0)
        case f.ReleaseDue():
            return _of_record(
                "model", dataset_id(fact.dataset, fact.version), services, since=fact.requested_ms
            )
        case f.UploadAdmitted() | f.UploadDuplicated() | f.BatchHeld() | f.BatchRunDue() | f.ShardDue():
            kind = "upload" if isinstance(fact, f.UploadAdmitted | f.UploadDuplicated) else "batch"
            return _of_record(kind, getattr(fact, kind), services, since=0)
        case (
            f.NothingNew()
            | f.ReleaseRolledBack()
            | f.ExperimentStarted()
            | f.UploadWithdrawn()
            | f.RowsTrusted()
        ):
            return _as_asked_for(fact, services)
        case (
            f.ExperimentPostponed()
            | f.ExperimentFailed()
            | f.ReleaseNotPossible()
            | f.ReadmissionRefused()
            | f.DecisionNotPossible()
            | f.BatchRefused()
        ):
            return Progress(status="Failed", detail=fact.reason)
        case _:
            return None


def _decided(fact: f.UploadWithdrawn | f.RowsTrusted, services: Services) -> Progress:
    """A decision about rows is made; what it means for what was learned, and how to learn anew."""
    if isinstance(fact, f.RowsTrusted):
        version = services.ledger.find("dataset", dataset_id(fact.dataset, fact.version))
        said = f"dataset versions to come learn from these rows; {_retrain(fact.dataset)}"
        return Progress(status="Succeeded", detail=said, record=version)
    upload = services.ledger.find("upload", fact.upload)
    said = withdrawn(fact, upload, services) if upload else ""
    if fact.rows_left:
        said += f"; {_retrain(fact.dataset)}"
    return Progress(status="Succeeded", detail=said, record=upload)


def _retrain(dataset: str) -> str:
    return f"./dev runs --retrain {dataset} (POST /api/datasets/{dataset}/retrain) trains anew now"


def _as_asked_for(
    fact: f.NothingNew | f.ReleaseRolledBack | f.ExperimentStarted | f.UploadWithdrawn | f.RowsTrusted,
    services: Services,
) -> Progress:
    """What is a success as it was asked for, though elsewhere it would be none: there was nothing to do, or to find, or
    something is ended, or taken out."""
    if isinstance(fact, f.UploadWithdrawn | f.RowsTrusted):
        return _decided(fact, services)
    if isinstance(fact, f.ExperimentStarted):
        progress = _of_record("run", fact.run, services, since=0)
        if progress.status != "Succeeded" or progress.record is None:
            return progress
        return replace(progress, detail=str(progress.record.values.get("reason", "")))
    if isinstance(fact, f.NothingNew):
        if fact.reason:
            return Progress(status="Failed", detail=fact.reason)
        return Progress(status="Succeeded", detail="nothing new had gathered, and the last run did not fail")
    model = services.ledger.find("model", dataset_id(fact.dataset, fact.version))
    return Progress(status="Succeeded", detail=fact.reason, record=model)
