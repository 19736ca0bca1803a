"""Alert evaluation: what is the matter now, against the alerts that are raised; each cause is raised once, and over once.

Level-triggered: it compares two states and remembers nothing, so a crash, a second host or a tick too many raises
nothing twice. An alert's id is made of its cause and of when that began, which every worker reads from the same log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from shared.domain.alerts import BY_NAME, TEST, Condition, name_of
from shared.domain.facts import AlertCheckDue, AlertOver, AlertRaised, Fact, ReconcileDue
from shared.domain.kinds.kind import Change
from shared.errors import Conflict
from shared.kinds import BY_NAME as KINDS
from shared.ledger import Document, Listed, Present
from shared.procedures.conditions import ALL, FIRST_SEEN, first_seen, found
from shared.procedures.mended_rates import MENDED, by_hour
from shared.services import Services

T = TypeVar("T")
LONGEST_REASON = 300
WHYS = ("reason", "held_because", "doubted_because", "postponed_because")
"""Values of a record that say why it is as it is."""


def check_alerts(fact: AlertCheckDue, services: Services) -> Iterable[Fact | Change]:
    present = services.ledger.present()
    seen = first_seen(present, services)
    hours = by_hour(present, services.now())
    if not (_noted(FIRST_SEEN, seen, present, services) and _noted(MENDED, hours, present, services)):
        return  # another worker has just done so, and goes on
    looks_after_sweep = fact.clock != ReconcileDue.__name__
    now = found(present, seen, hours, services, looks_after_sweep=looks_after_sweep)
    conditions = {one.id: one for one in now.conditions}
    raised = present.causes.alerts
    for id_, condition in conditions.items():
        if id_ not in raised:
            yield _raised(_in_words(condition, services))
    open_ = services.ledger.records.at("alert", raised.values()) if raised else {}
    for alert in open_.values():
        yield from _still(alert, conditions.get(alert.record.id), now.judged)


def _noted(document: Document[T], now: T, present: Present, services: Services) -> bool:
    """Whether it stands as it is now; written only where it changed."""
    documents = services.ledger.documents
    if now == (present.document(document, ALL) or document.type()):
        return True
    before = documents.read(document, ALL)
    try:
        documents.write(document, ALL, now, over=before)
    except Conflict:
        return False
    return True


def _still(alert: Listed, condition: Condition | None, judged: frozenset[str]) -> Iterator[Fact | Change]:
    record = alert.record
    name = record.values["name"]
    if condition is None and (name in judged or name not in {*BY_NAME, TEST}):
        yield AlertOver(alert=record.id)
    elif condition is not None and condition.count != record.values.get("affected_count"):
        yield Change(kind="alert", id=record.id, values={"affected_count": condition.count})


def _in_words(condition: Condition, services: Services) -> Condition:
    """What moves opened, said by the record that opened it."""
    if condition.says or condition.about is None:
        return condition
    kind, id_ = condition.about
    record = services.ledger.find(kind, id_)
    if record is None:
        return replace(condition, says=f"{kind} {id_}")
    why = next((str(record.values[name]) for name in WHYS if record.values.get(name)), "")
    called = str(record.values.get("about") or record.values.get("name") or id_)
    said = f"{called} {KINDS[kind].state(record.state).sentence}"
    says = f"{said}: {why[:LONGEST_REASON]}" if why else said
    if condition.count > 1:
        says = f"{condition.count:,} of them; the first: {says}"
    dataset = record.values.get("dataset") or ""
    return replace(condition, says=says, dataset=condition.dataset or dataset)


def _raised(condition: Condition) -> AlertRaised:
    return AlertRaised(
        alert=condition.id,
        name=name_of(condition.cause),
        cause=condition.cause,
        since=condition.since,
        says=condition.says,
        dataset=condition.dataset,
        about=list(condition.about) if condition.about else None,
        count=condition.count,
    )
