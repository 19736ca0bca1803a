"""Reconciliation loop: storage and Azure ML compared with the ledger; lost events and abandoned facts become due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import TypeVar

from shared.domain import names
from shared.domain.facts import (
    DatasetDue,
    EndpointProbeDue,
    Fact,
    NotificationDue,
    OutcomesArrived,
    ReconcileDue,
    RunDue,
    RunMoved,
    StepDeadLettered,
    TrafficStrayed,
    UploadArrived,
)
from shared.errors import UnreadableMessage
from shared.ports import Blob
from shared.procedures.dataset_head import HEAD
from shared.procedures.dead_letters import given_up
from shared.procedures.endpoint_probe import PROBES
from shared.procedures.experiments import EXPERIMENT
from shared.procedures.gather_window import WINDOW
from shared.procedures.isolation import each_by_itself
from shared.procedures.open_batches import BATCH_RUN
from shared.procedures.released_model import RELEASED
from shared.procedures.run_slot import SLOT, wanted_after
from shared.procedures.traffic import stray_traffic
from shared.procedures.unseen_blobs import unseen_blobs
from shared.procedures.work_pause import is_paused
from shared.services import Services

T = TypeVar("T")
Arrived = type[UploadArrived] | type[OutcomesArrived]

EVENT_DELAY = timedelta(seconds=30)
"""So late a blob's event may be without being taken for lost; a second is usual."""
MOST_AT_ONCE = 200
"""Missed files of a container, and unfinished facts, that one reconciliation publishes; the next takes the next."""
LONGEST_SEARCH = timedelta(seconds=2)
"""For either, from the first found on: where storage is slow, fewer. To publish them takes as long again and again, and
whoever stops the app waits for it."""


def reconcile(fact: ReconcileDue, services: Services) -> Iterable[Fact]:
    """Finds what is due and returns it; every such fact is done once, however often a reconciliation finds it."""
    datasets = [contract.dataset for contract in services.contracts]
    parts: tuple[Callable[[], Iterable[Fact]], ...] = (
        lambda: _unfinished(services),
        lambda: _missed(names.INCOMING, UploadArrived, services),
        lambda: _missed(names.OUTCOMES, OutcomesArrived, services),
        lambda: _runs_under_way(services),
        lambda: each_by_itself(lambda dataset: _overdue_window(dataset, fact, services), datasets),
        lambda: each_by_itself(lambda dataset: _waiting_version(dataset, services), datasets),
        lambda: _strayed_traffic(datasets, services),
        lambda: each_by_itself(lambda dataset: _probe_due(dataset, fact, services), datasets),
        lambda: [NotificationDue(tick=fact.tick)] if services.subscribers else [],
    )
    return each_by_itself(lambda part: part(), parts)


def _unfinished(services: Services) -> Iterator[Fact]:
    """Facts whose worker died, or that were settled but not published; and what stands among them and is no fact. What
    waits while work is paused is not abandoned: whoever resumes work publishes it."""
    lapsed, broken = timedelta(seconds=services.policy.claim_seconds), list[Fact]()
    paused = is_paused(services)

    def unreadable(about: str, fault: UnreadableMessage) -> None:
        reason = f"what waits there could not be read: {fault}"
        broken.append(StepDeadLettered(queue="reconcile", about=about, reason=reason))

    unfinished = services.ledger.outbox.unfinished(older_than=lapsed, unreadable=unreadable)
    abandoned = ((fact, attempts) for fact, attempts in unfinished if not (fact.waits and paused))
    for fact, attempts in _some(abandoned, services):
        if attempts < services.policy.most_attempts:
            yield fact
            continue
        dead = given_up(fact, services)
        if dead is not None and services.ledger.outbox.is_done(dead):
            # Whoever told a person of it died before this.
            services.ledger.outbox.dead_letter(fact, retries=dead.retries)
        elif dead is not None:
            yield dead
    yield from broken


def _some(found: Iterator[T], services: Services) -> Iterator[T]:
    """As many as one reconciliation takes, and one at least."""
    until = None
    for thing in islice(found, MOST_AT_ONCE):
        yield thing
        until = until or services.now() + LONGEST_SEARCH
        if services.now() >= until:
            return


def _missed(container: str, arrived: Arrived, services: Services) -> Iterator[Fact]:
    """Blobs whose event is lost, or later than it ever is; those it has published before wait in the outbox."""
    late = services.now() - EVENT_DELAY

    def due(blob: Blob) -> Fact:
        return arrived(name=blob.name, etag=blob.etag)

    missed = (fact for blob, fact in unseen_blobs(container, due, services) if blob.modified < late)
    return _some(missed, services)


def _runs_under_way(services: Services) -> Iterator[Fact]:
    documents = services.ledger.documents
    slots = [slot.value for slot in documents.read_all(SLOT)]
    batch_runs = [run.value for run in documents.read_all(BATCH_RUN)]
    experiments = [experiment.value for experiment in documents.read_all(EXPERIMENT)]
    for intent in (*slots, *batch_runs, *experiments):
        if intent.state == "submitted":
            yield RunMoved(run=intent.run)


def _overdue_window(dataset: str, fact: ReconcileDue, services: Services) -> Iterator[Fact]:
    """A window that should have closed by now: the fact that was to close it is lost."""
    longest = timedelta(seconds=services.policy.gather_longest_seconds + services.policy.claim_seconds)
    window = services.ledger.documents.read(WINDOW, dataset)
    if window is not None and services.now() - window.changed > longest:
        yield DatasetDue(dataset=dataset, cause=fact.key)


def _waiting_version(dataset: str, services: Services) -> Iterator[Fact]:
    """A registered version newer than the last run, while no run is under way."""
    head = services.ledger.documents.read(HEAD, dataset)
    slot = services.ledger.documents.read(SLOT, dataset)
    if head is None:
        return
    idle = slot is None or slot.value.state == "free"
    waited = services.now() - head.changed > timedelta(seconds=services.policy.claim_seconds)
    newest = head.value.version
    behind = slot is None or newest > slot.value.version
    if idle and waited and behind and head.value.state == "registered" and not is_paused(services):
        if services.ledger.find("dataset", names.dataset_id(dataset, newest)) is None:
            return  # whoever registered it died before that was noted: the fact that it did is found first
        wanted = wanted_after(slot.value.version if slot else 0, dataset, services)
        cause = f"reconcile/{slot.row.etag if slot else 'first'}"
        cause += "/asked" * wanted.asked + "/drifted" * wanted.drifted  # not what was put off before
        yield RunDue(dataset=dataset, version=newest, cause=cause, asked=wanted.asked, drifted=wanted.drifted)


def _strayed_traffic(datasets: Iterable[str], services: Services) -> Iterator[Fact]:
    """Endpoints at which another model answers than the released one."""

    def look(dataset: str) -> Iterator[Fact]:
        if stray_traffic(dataset, services) is not None:
            yield TrafficStrayed(dataset=dataset)

    if not services.ledger.newest("deployment", limit=1):
        return iter(())  # nothing was ever deployed, so the workspace need not be asked
    return each_by_itself(look, datasets)


def _probe_due(dataset: str, fact: ReconcileDue, services: Services) -> Iterator[Fact]:
    """A released model whose last health probe lies long enough back."""
    every = timedelta(seconds=services.policy.endpoint_probe_seconds)
    released = services.ledger.documents.read(RELEASED, dataset) if every else None
    if released is None:
        return
    probed = services.ledger.documents.read(PROBES, names.digest(released.value.deployment_id))
    if probed is None or services.now() - probed.changed >= every:
        yield EndpointProbeDue(dataset=dataset, tick=fact.tick)
