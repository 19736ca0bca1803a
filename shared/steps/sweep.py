"""Hold storage and Azure ML against the ledger: what no event told us, and what a dead worker left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from shared.domain import names
from shared.domain.facts import (
    DatasetDue,
    EndpointLookDue,
    Fact,
    RunDue,
    RunMoved,
    StepGivenUp,
    SweepDue,
    TellingDue,
    UploadArrived,
)
from shared.ports import Blob
from shared.procedures.open_batches import BATCH_RUNS
from shared.procedures.unseen_blobs import new_blobs
from shared.services import Services
from shared.steps.look_at_endpoint import LOOKS
from shared.steps.release_model import RELEASED


def sweep(fact: SweepDue, services: Services) -> Iterable[Fact]:
    """Finds what is due and says so; every fact it returns is done once, however often a sweep finds it."""
    yield from _unfinished(services)
    yield from _missed_uploads(services)
    yield from _runs_under_way(services)
    yield from _overdue_windows(fact, services)
    yield from _waiting_versions(services)
    yield from _looks_due(fact, services)
    if services.subscribers:
        yield TellingDue(tick=fact.tick)


def _unfinished(services: Services) -> Iterator[Fact]:
    """Facts whose worker died, or that were settled but not published."""
    lapsed = timedelta(seconds=services.policy.claim_seconds)
    for fact, attempts in services.ledger.unfinished(older_than=lapsed):
        if attempts < services.policy.most_attempts:
            yield fact
            continue
        retries = services.ledger.give_up(fact)
        reason = f"its worker died or failed {attempts} times"
        yield StepGivenUp(queue="sweep", about=fact.key, reason=reason, retries=retries)


def _missed_uploads(services: Services) -> Iterator[Fact]:
    """Blobs no event told us of."""
    for _, arrived in new_blobs(names.INCOMING, _arrived, services):
        yield arrived


def _arrived(blob: Blob) -> Fact:
    return UploadArrived(name=blob.name, etag=blob.etag)


def _runs_under_way(services: Services) -> Iterator[Fact]:
    for slot in services.ledger.documents("slot"):
        if slot.value["state"] == "submitted":
            yield RunMoved(run=slot.value["run"])
    for opened in services.ledger.documents(BATCH_RUNS):
        if opened.value["state"] == "submitted":
            yield RunMoved(run=opened.value["run"])


def _overdue_windows(fact: SweepDue, services: Services) -> Iterator[Fact]:
    """Windows that should have closed by now: the fact that was to close them is lost."""
    longest = timedelta(seconds=services.policy.gather_longest_seconds + services.policy.claim_seconds)
    for contract in services.contracts:
        gathered = services.ledger.documents(f"gathered-{contract.dataset}")
        if gathered and services.now() - min(row.changed for row in gathered) > longest:
            yield DatasetDue(dataset=contract.dataset, cause=fact.key)


def _waiting_versions(services: Services) -> Iterator[Fact]:
    """Registered versions newer than the last run, while no run is under way."""
    for contract in services.contracts:
        head = services.ledger.document("head", contract.dataset)
        slot = services.ledger.document("slot", contract.dataset)
        if head is None:
            continue
        idle = slot is None or slot.value["state"] == "free"
        waited = services.now() - head.changed > timedelta(seconds=services.policy.claim_seconds)
        newest = head.value["version"]
        behind = slot is None or newest > slot.value["version"]
        if idle and waited and behind and head.value["state"] == "registered":
            yield RunDue(
                dataset=contract.dataset, version=newest, cause=f"sweep/{slot.etag if slot else 'first'}"
            )


def _looks_due(fact: SweepDue, services: Services) -> Iterator[Fact]:
    """The models that answer, when it is time to look at them again."""
    every = timedelta(seconds=services.policy.endpoint_look_seconds)
    if not every:
        return
    for contract in services.contracts:
        released = services.ledger.document(RELEASED, contract.dataset)
        if released is None:
            continue
        kept = services.ledger.document(LOOKS, f"{released.value['endpoint']}-{released.value['deployment']}")
        if kept is None or services.now() - kept.changed >= every:
            yield EndpointLookDue(dataset=contract.dataset, tick=fact.tick)
