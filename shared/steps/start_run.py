"""Start the published training pipeline for a dataset version: once, and one run at a time per dataset."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from datetime import datetime

from shared.domain import names
from shared.domain.datasets.run_budget import PutOff, of_the_last_day, put_off
from shared.domain.facts import (
    LONGEST_DELAY,
    DatasetRegistered,
    Fact,
    RunDue,
    RunFailed,
    RunPostponed,
    RunStarted,
)
from shared.domain.kinds.kind import Change
from shared.domain.names import dataset_id
from shared.errors import Refused
from shared.ledger import Versioned
from shared.ports import RunRequest
from shared.procedures.dataset_head import HEAD
from shared.procedures.dataset_manifest import manifest_text
from shared.procedures.model_folders import folder_of, newest_before
from shared.procedures.released_model import RELEASED
from shared.procedures.run_slot import SLOT, Slot, WantedRun, want
from shared.procedures.submission import submit_once
from shared.services import Services


def start_run(fact: DatasetRegistered | RunDue, services: Services) -> Iterable[Fact | Change]:
    """POSTs to the published pipeline endpoint, once per version, or says what the version waits for.

    The intent is written first; `submit_once` sees to it that the POST is made once.
    raises: Transient when the version has no manifest: its run would hold the slot, and could learn nothing
    """
    held = services.ledger.documents.read(SLOT, fact.dataset)
    slot = held.value if held else None
    if slot and slot.state != "free" and slot.version != fact.version:
        if isinstance(fact, RunDue) and (fact.asked or fact.drifted):
            # The run that is under way ends in a `RunDue` of its own, which nobody has asked for.
            wanted = WantedRun(version=fact.version, asked=fact.asked, drifted=fact.drifted)
            want(fact.dataset, wanted, services)
        return [_postponed(fact, f"run {slot.run} of the dataset is under way")]
    if slot and slot.version == fact.version and slot.state == "submitted":
        return _started(slot.run, slot, fact)
    if slot and _is_done(slot, fact):
        return [_superseded(fact.dataset, fact.version)] if slot.version > fact.version else []
    newest = services.ledger.documents.read(HEAD, fact.dataset)
    if newest and newest.value.version > fact.version and (slot is None or slot.state == "free"):
        return [_postponed(fact, f"version {newest.value.version} is newer and has its own run")]
    rows = newest.value.rows if newest else 0
    over_budget = _over_budget(slot, rows, fact, services)
    if over_budget:
        return _put_off(over_budget, fact)
    manifest = manifest_text(fact.dataset, fact.version, services)
    intent = _intend(held, rows, fact, services)
    return _submit(intent, manifest, fact, services)


def _is_done(slot: Slot, fact: DatasetRegistered | RunDue) -> bool:
    """The version has, or had, its run; only a retry after a failure makes another."""
    if slot.version != fact.version:
        return slot.version > fact.version
    return slot.state == "free" and not (slot.failed and isinstance(fact, RunDue))


def _over_budget(
    slot: Slot | None, rows: int, fact: DatasetRegistered | RunDue, services: Services
) -> PutOff | None:
    """rows: of the version"""
    if slot is None or slot.state == "intended" or (isinstance(fact, RunDue) and fact.asked):
        return None
    few_may_do = slot.version >= fact.version or _is_for_drift(fact)
    new_rows = None if few_may_do else rows - slot.rows
    return put_off(new_rows, _begun(slot), services.now(), services.policy)


def _is_for_drift(fact: DatasetRegistered | RunDue) -> bool:
    return isinstance(fact, RunDue) and fact.drifted


def _begun(slot: Slot) -> list[datetime]:
    return [datetime.fromisoformat(one) for one in slot.begun]


def _put_off(over_budget: PutOff, fact: DatasetRegistered | RunDue) -> list[Fact | Change]:
    """The version waits, and is looked at again when time has lifted it; more rows are a version of their own."""
    postponed = _postponed(fact, over_budget.reason)
    if over_budget.wait is None:
        return [postponed]
    seconds = min(math.ceil(over_budget.wait.total_seconds()), LONGEST_DELAY)
    cause = names.digest(f"{fact.key}/{over_budget.reason}")
    later = RunDue(
        dataset=fact.dataset,
        version=fact.version,
        cause=cause,
        after_seconds=seconds,
        drifted=_is_for_drift(fact),
    )
    return [postponed, later]


def _intend(
    held: Versioned[Slot] | None, rows: int, fact: DatasetRegistered | RunDue, services: Services
) -> Versioned[Slot]:
    if held is not None and held.value.state == "intended":
        return held
    is_again = held is not None and held.value.version == fact.version
    attempt = held.value.attempt + 1 if held is not None and is_again else 1
    after = (
        held.value.after
        if held is not None and is_again
        else held.value.version
        if held is not None
        else None
    )
    run = names.run_name(fact.dataset, fact.version, attempt)
    now = services.now()
    begun = of_the_last_day([*(_begun(held.value) if held else ()), now], now, services.policy)
    intent = Slot(
        state="intended",
        run=run,
        version=fact.version,
        attempt=attempt,
        rows=rows,
        after=after,
        begun=tuple(one.isoformat() for one in begun),
    )
    return services.ledger.documents.write(SLOT, fact.dataset, intent, over=held)


def _request(slot: Slot, manifest: bytes, fact: DatasetRegistered | RunDue, services: Services) -> RunRequest:
    """raises: Refused when the workspace has lost the model that serves"""
    released = services.ledger.documents.read(RELEASED, fact.dataset)
    folders = services.workspace.model_folders(fact.dataset)
    return RunRequest(
        name=slot.run,
        dataset=fact.dataset,
        version=fact.version,
        parts_url=services.files.url(names.DATASETS, names.parts_folder(fact.dataset)),
        manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        champion=folder_of(fact.dataset, released.value.version, folders) if released else None,
        earlier=newest_before(fact.version, folders),
        values={
            "call_cost": services.policy.call_cost,
            "deposit_value": services.policy.deposit_value,
            "false_change": services.policy.false_recipe_change,
        },
    )


def _submit(
    intent: Versioned[Slot], manifest: bytes, fact: DatasetRegistered | RunDue, services: Services
) -> list[Fact | Change]:
    try:
        request = _request(intent.value, manifest, fact, services)
        sent = submit_once(
            services.pipeline, request, document=SLOT, part=fact.dataset, intent=intent, services=services
        )
    except Refused as no:
        return [RunFailed(run=intent.value.run, dataset=fact.dataset, version=fact.version, reason=str(no))]
    if sent.run is None:
        return [_retry_later(fact, sent.intent.value, sent.wait_seconds)]
    return _started(sent.run, sent.intent.value, fact)


def _postponed(fact: DatasetRegistered | RunDue, reason: str) -> RunPostponed:
    return RunPostponed(dataset=fact.dataset, version=fact.version, reason=reason)


def _started(run: str, slot: Slot, fact: DatasetRegistered | RunDue) -> list[Fact | Change]:
    """And the versions since the last run wait no longer: this one has all their rows."""
    passed = range(slot.after + 1, slot.version) if slot.after is not None else ()
    started = RunStarted(run=run, dataset=fact.dataset, version=fact.version, attempt=slot.attempt)
    return [started, *(_superseded(fact.dataset, version) for version in passed)]


def _superseded(dataset: str, version: int) -> Change:
    """Of a version that has, or had, a run of its own nothing is changed: its state is further."""
    values = {"dataset": dataset, "version": version, "postponed_because": None}
    return Change(kind="dataset", id=dataset_id(dataset, version), state="superseded", values=values)


def _retry_later(fact: DatasetRegistered | RunDue, slot: Slot, seconds: int) -> RunDue:
    cause = names.digest(f"{fact.key}/{slot.posted}/{seconds}")
    return RunDue(
        dataset=fact.dataset,
        version=fact.version,
        cause=cause,
        after_seconds=seconds,
        drifted=_is_for_drift(fact),
    )
