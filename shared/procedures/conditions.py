"""What is the matter now: causes that moves opened, and what did not happen. Read from what stands for the present, in
one read, however much is past."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.alerts import BY_NAME, Condition, name_of
from shared.domain.expectations import What
from shared.domain.names import digest
from shared.domain.tables.contract import Contract
from shared.ledger import Document, Present
from shared.procedures.alert_cursor import ALERT_CURSOR
from shared.procedures.clock_health import HEARTBEAT, SWEEP, stopped_since
from shared.procedures.endpoint_probe import PROBES
from shared.procedures.mended_rates import MendedByHour, too_often
from shared.procedures.released_model import RELEASED
from shared.services import Services

SETTLED = timedelta(seconds=40)
"""The reconciliation has to have run for so long before absence is judged: while the app was down nothing could be
admitted, and what lies there is taken in first."""
CLOCKS_DIFFER = timedelta(seconds=2)
"""A tick on the hour may be a moment before it by storage's clock, and the next one is a minute later."""
FAILED_PROBES = 3
"""In a row: one may be a restart."""


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """What a contract may expect, as the ledger has it."""

    what: What
    alert: str
    kind: str
    thing: str
    came: str


EXPECTED = (
    _Kind(what="files", alert="file-late", kind="upload", thing="file", came="admitted"),
    _Kind(what="batches", alert="batch-late", kind="batch", thing="list", came="scored"),
)


@dataclass(frozen=True, kw_only=True)
class FirstSeen:
    """When something without a time of its own was noticed first."""

    since: Mapping[str, str] = field(default_factory=dict)
    """By cause; and from when on each expectation is watched."""


FIRST_SEEN = Document(name="first-seen", type=FirstSeen, placement="standing")
ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """Whether what a contract expects has come."""

    what: What
    last: str | None
    """When the newest came; None where none ever did."""
    due: datetime
    """When it is late, should no other come."""
    rule: str
    late: bool
    says: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is the matter, and of which alerts that could be told now: of the others nothing is known."""

    conditions: tuple[Condition, ...]
    judged: frozenset[str]


def found(
    present: Present, seen: FirstSeen, hours: MendedByHour, services: Services, *, looks_after_sweep: bool
) -> Found:
    """hours: what mended itself in them
    looks_after_sweep: whether another clock than the reconciliation's asks, which cannot miss itself"""
    now, judged = services.now(), set(BY_NAME)
    conditions = [*_opened(present, now), *_without_time(present, seen, services), *_channels(present)]
    conditions += too_often(hours)
    if _is_settled(present, now):
        for contract in services.contracts:
            conditions += _absent(contract, present, seen, now)
    else:
        judged -= {one.alert for one in EXPECTED}
    stopped = stopped_since(present.document(HEARTBEAT, SWEEP), now)
    if stopped and looks_after_sweep:
        says = f"the reconciliation loop last ended well at {stopped}"
        conditions.append(Condition(alert="sweep-late", cause="sweep-late", since=stopped, says=says))
    elif stopped:
        judged.remove("sweep-late")
    return Found(conditions=tuple(conditions), judged=frozenset(judged))


def first_seen(present: Present, services: Services) -> FirstSeen:
    """As it is, with what is new noticed now, and what is gone forgotten."""
    known = present.document(FIRST_SEEN, ALL) or FirstSeen()
    stamp = services.now().isoformat(timespec="milliseconds")
    watched = [_watch(one, contract) for contract in services.contracts for one in _expected(contract)]
    causes = [*watched, *(cause for cause, _, _ in _failing_endpoints(present, services))]
    return FirstSeen(since={cause: known.since.get(cause, stamp) for cause in sorted(causes)})


def freshness(contract: Contract, present: Present, seen: FirstSeen, now: datetime) -> list[Freshness]:
    """Whether what the contract expects has come, one for each thing that it does."""
    made = [_freshness(one, contract, present, seen, now) for one in _expected(contract)]
    return [one for one in made if one is not None]


# --- what moves opened --------------------------------------------------------------------------------------


def _opened(present: Present, now: datetime) -> Iterator[Condition]:
    for cause in present.causes.open:
        alert, one = BY_NAME.get(name_of(cause)), present.causes.get(cause)
        if alert is None or one is None:
            continue  # of a newer version of the app
        if now - datetime.fromisoformat(one.since) < timedelta(hours=alert.after_hours):
            continue
        yield Condition(
            alert=alert.name, cause=cause, since=one.since, says="", about=(one.kind, one.id), count=one.count
        )


# --- what did not happen ------------------------------------------------------------------------------------


def _expected(contract: Contract) -> list[_Kind]:
    expects = contract.expects
    return [one for one in EXPECTED if expects and expects.of(one.what)]


def _watch(one: _Kind, contract: Contract) -> str:
    return f"expects/{one.what}/{contract.dataset}"


def _is_settled(present: Present, now: datetime) -> bool:
    heartbeat = present.document(HEARTBEAT, SWEEP)
    if heartbeat is None or stopped_since(heartbeat, now):
        return False
    return now - datetime.fromisoformat(heartbeat.steady_since) >= SETTLED


def _absent(contract: Contract, present: Present, seen: FirstSeen, now: datetime) -> Iterator[Condition]:
    for one in _expected(contract):
        fresh = _freshness(one, contract, present, seen, now)
        if fresh and fresh.late:
            yield Condition(
                alert=one.alert, cause=f"{one.alert}/{contract.dataset}", since=_stamp(fresh.due), says=fresh.says,
                dataset=contract.dataset,
            )  # fmt: skip


def _freshness(
    one: _Kind, contract: Contract, present: Present, seen: FirstSeen, now: datetime
) -> Freshness | None:
    expects, last = contract.expects, present.causes.last(one.kind, contract.dataset)
    watched = datetime.fromisoformat(seen.since.get(_watch(one, contract), _stamp(now)))
    came_at = datetime.fromisoformat(last) if last else None
    due = expects.next_due(one.what, came_at, watched=watched) if expects else None
    if due is None:
        return None
    came = f"the last was {one.came} at {last}" if last else f"none was {one.came} yet"
    says = f"no {one.thing} of {contract.dataset} was {one.came}, expected {due.rule}; {came}"
    late = due.since <= now + CLOCKS_DIFFER
    return Freshness(what=one.what, last=last, due=due.since, rule=due.rule, late=late, says=says)


# --- what has no time of its own ----------------------------------------------------------------------------


def _without_time(present: Present, seen: FirstSeen, services: Services) -> Iterator[Condition]:
    for cause, dataset, fault in _failing_endpoints(present, services):
        since = seen.since.get(cause)
        released = present.document(RELEASED, dataset)
        if since and released:
            yield Condition(
                alert=name_of(cause), cause=cause, since=since, says=f"{released.deployment_id}: {fault}",
                dataset=dataset, about=("deployment", released.deployment_id),
            )  # fmt: skip


def _failing_endpoints(present: Present, services: Services) -> Iterable[tuple[str, str, str]]:
    """Cause, dataset and fault of those whose newest probes all failed."""
    for contract in services.contracts:
        released = present.document(RELEASED, contract.dataset)
        probes = present.document(PROBES, digest(released.deployment_id)) if released else None
        newest = probes.probes[-FAILED_PROBES:] if probes else []
        if len(newest) == FAILED_PROBES and all("fault" in probe for probe in newest):
            yield f"endpoint-unhealthy/{contract.dataset}", contract.dataset, str(newest[-1]["fault"])


def _channels(present: Present) -> Iterator[Condition]:
    for name, cursor in present.each(ALERT_CURSOR).items():
        if cursor.failing and cursor.failing_since:
            yield Condition(
                alert="channel-failing", cause=f"channel-failing/{name}", since=cursor.failing_since,
                says=f"{name} took no message at {cursor.failures} tries: {cursor.problem}",
            )  # fmt: skip


def _stamp(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")
