"""Start the published training pipeline for a dataset version: once, and one run at a time per dataset."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.domain import names
from shared.domain.facts import DatasetRegistered, Fact, RunDue, RunFailed, RunPostponed, RunStarted
from shared.errors import Conflict, Refused
from shared.ports import Row, RunRequest
from shared.procedures.submission import submit_once
from shared.services import Services

SLOT = "slot"
"""One document per dataset: the run that holds it. `intended` before the POST, `submitted` after, then `free`."""


def start_run(fact: DatasetRegistered | RunDue, services: Services) -> Iterable[Fact]:
    """POSTs to the published pipeline endpoint, once per version, or says what the version waits for.

    The intent is written first; `submit_once` sees to it that the POST is made once.
    """
    slot = services.ledger.document(SLOT, fact.dataset)
    if _is_taken(slot, fact):
        reason = f"run {slot.value['run']} of the dataset is under way" if slot else ""
        return [RunPostponed(dataset=fact.dataset, version=fact.version, reason=reason)]
    if slot is not None and slot.value["version"] == fact.version and slot.value["state"] == "submitted":
        return [_started(slot.value["run"], slot, fact)]
    if _is_done(slot, fact):
        return []
    newest = services.ledger.document("head", fact.dataset)
    if newest and newest.value["version"] > fact.version and _is_free(slot):
        reason = f"version {newest.value['version']} is newer and has its own run"
        return [RunPostponed(dataset=fact.dataset, version=fact.version, reason=reason)]
    slot = _intend(slot, fact, services)
    return _submit(slot, _request(slot, fact, services), fact, services)


def _is_free(slot: Row | None) -> bool:
    return slot is None or slot.value["state"] == "free"


def _is_taken(slot: Row | None, fact: DatasetRegistered | RunDue) -> bool:
    return slot is not None and not _is_free(slot) and slot.value["version"] != fact.version


def _is_done(slot: Row | None, fact: DatasetRegistered | RunDue) -> bool:
    """The version has, or had, its run; only a retry asked for after a failure makes another."""
    if slot is None or slot.value["version"] < fact.version:
        return False
    if slot.value["version"] > fact.version:
        return True
    return slot.value["state"] == "free" and not (slot.value["failed"] and isinstance(fact, RunDue))


def _intend(slot: Row | None, fact: DatasetRegistered | RunDue, services: Services) -> Row:
    if slot is not None and slot.value["state"] == "intended":
        return slot
    again = slot is not None and slot.value["version"] == fact.version
    attempt = slot.value["attempt"] + 1 if slot is not None and again else 1
    intent: dict[str, Any] = {
        "state": "intended",
        "run": names.run_name(fact.dataset, fact.version, attempt),
        "version": fact.version,
        "attempt": attempt,
        "posted": None,
        "failed": False,
    }
    return services.ledger.put(SLOT, fact.dataset, intent, over=slot)


def _request(slot: Row, fact: DatasetRegistered | RunDue, services: Services) -> RunRequest:
    champion = services.ledger.document("released", fact.dataset)
    return RunRequest(
        name=slot.value["run"],
        dataset=fact.dataset,
        version=fact.version,
        parts_url=services.files.url(names.DATASETS, names.parts_folder(fact.dataset)),
        champion=f"{fact.dataset}:{champion.value['version']}" if champion else "none",
        values={"call_cost": services.policy.call_cost, "deposit_value": services.policy.deposit_value},
    )


def _submit(
    slot: Row, request: RunRequest, fact: DatasetRegistered | RunDue, services: Services
) -> list[Fact]:
    try:
        sent = submit_once(services.pipeline, request, slot, services)
    except Refused as no:
        return [RunFailed(run=request.name, dataset=fact.dataset, version=fact.version, reason=str(no))]
    if sent.run is None:
        return [_again(fact, sent.document, sent.wait_seconds)]
    return [_started(sent.run, slot, fact)]


def _started(run: str, slot: Row, fact: DatasetRegistered | RunDue) -> RunStarted:
    attempt = slot.value["attempt"]
    return RunStarted(run=run, dataset=fact.dataset, version=fact.version, attempt=attempt)


def _again(fact: DatasetRegistered | RunDue, slot: Row, seconds: int) -> RunDue:
    cause = names.digest(f"{fact.key}/{slot.value['posted']}/{seconds}")
    return RunDue(dataset=fact.dataset, version=fact.version, cause=cause, after_seconds=seconds)


def free_slot(dataset: str, run: str, services: Services, *, failed: bool) -> Row | None:
    """Lets the dataset's next run begin; returns the slot, or None when the run does not hold it (any more)."""
    slot = services.ledger.document(SLOT, dataset)
    if slot is None or slot.value["run"] != run:
        return None
    if slot.value["state"] == "free":
        return slot
    try:
        return services.ledger.put(
            SLOT, dataset, {**slot.value, "state": "free", "failed": failed}, over=slot
        )
    except Conflict:
        return free_slot(dataset, run, services, failed=failed)
