"""The outbox: facts that are due and not yet done, so that none is forgotten whatever becomes of its message.

A fact's row is there before its message is, and goes when the fact is done. Finishing a fact is one transaction: its
own row goes, the rows of what it led to come, the events it caused are appended, it is counted, and the change tokens
move on. So an event is logged, and a fact is counted, exactly when the fact is done; and a worker that dies before that
transaction, or a message that is lost after it, leaves a row behind, which the reconciler finds.

This is the transactional outbox pattern with the relay inside: the worker that writes the rows publishes them at
once, and the reconciler is the relay for what was not.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain.facts import Fact
from shared.domain.names import digest
from shared.domain.trace import Trace
from shared.errors import Conflict, Transient, UnreadableMessage
from shared.ledger.append_log import CAS_TRIES, as_written, back_off
from shared.ledger.change_token import ChangeToken, Move
from shared.ledger.claims import Claim, Claims, in_its_trace
from shared.ledger.event_log import EventLog
from shared.ports import Delete, Insert, Remove, Replace, Row, Table, Write

OPEN = "open-"
COUNT = "count-"
COUNTERS = 8
"""Rows over which the counting is spread, so that many workers seldom meet at one; who reads adds them up."""
AT_ONCE = 80
"""Rows of what a fact led to, or of its events, in one transaction; storage takes 100 writes."""

LOST_RACE = "lost-race"
"""A transaction that another worker's was quicker than, and that was put together anew."""
FENCE_WAIT = "fence-wait"
"""A POST without an answer, which nobody repeats before it can be known what became of it."""
FOUND_OPEN = "found-open"
"""A file that was in the outbox already when the reconciler found it due: its event had come, and its worker died."""
REMEMBERED = 10_000
"""Facts known to need no telling, before all are forgotten and looked up again."""

NONE: Counter[str] = Counter()
Watch = Callable[[Counter[str]], None]
"""Is told of what mended itself: see `Counted.mended`."""

Value = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How many facts of each type are done, and how many are open, or how both change."""

    done: Counter[str] = field(default_factory=lambda: NONE)
    open: Counter[str] = field(default_factory=lambda: NONE)
    mended: Counter[str] = field(default_factory=lambda: NONE)
    """What went otherwise than it should and mended itself: facts that the reconciler found due, by their type,
    `FOUND_OPEN`, `LOST_RACE` and `FENCE_WAIT`."""

    def plus(self, other: Counted) -> Counted:
        return Counted(
            done=_sum(self.done, other.done),
            open=_sum(self.open, other.open),
            mended=_sum(self.mended, other.mended),
        )

    def to_json(self) -> Value:
        open_ = {name: n for name, n in self.open.items() if n}
        return {"done": dict(self.done), "open": open_, "mended": dict(self.mended)}

    @classmethod
    def from_json(cls, value: Value) -> Counted:
        """A version that counted less wrote the row, maybe."""
        mended: Counter[str] = Counter(value.get("mended", {}))
        return cls(done=Counter(value["done"]), open=Counter(value["open"]), mended=mended)

    @classmethod
    def opened(cls, facts: Iterable[Fact], *, by: int = 1) -> Counted:
        return cls(open=Counter({name: by * n for name, n in Counter(map(_type, facts)).items()}))

    @classmethod
    def finished(cls, fact: Fact) -> Counted:
        return cls(done=Counter({_type(fact): 1}), open=Counter({_type(fact): -1}))


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Facts whose message is to be sent."""

    again: list[Fact]
    """Those that were open before: their worker died, or their message was lost."""
    new: list[Fact]

    @property
    def facts(self) -> list[Fact]:
        return [*self.again, *self.new]


class Outbox:
    """Open facts, in the partition that stands for the present."""

    def __init__(
        self,
        present: Table,
        *,
        within: str,
        claims: Claims,
        events: EventLog,
        token: ChangeToken,
        now: Callable[[], datetime],
        lease_seconds: int,
        mended: Watch,
    ) -> None:
        """mended: told of what mends itself, as it is counted"""
        self._present, self._within, self._mended = present, within, mended
        self._lease = timedelta(seconds=lease_seconds)
        self._claims, self._events, self._token, self._now = claims, events, token, now
        self._lock = threading.Lock()
        """The workers of this process finish one after another, rather than one against another."""
        self._counter_row = f"{COUNT}{secrets.randbelow(COUNTERS)}"
        self._counter: Row | None = None
        self._counter_read = False
        """Whether `_counter` says how the row is, and be it that there is none."""
        self._known: set[str] = set()

    # --- writing ------------------------------------------------------------------------------------------

    def expect(self, facts: Iterable[Fact]) -> Expected:
        """Facts that may have been published before are about to be: should no worker claim them in time, the
        reconciler publishes them again.

        returns: those whose message is to be sent. A backlog is not sent twice: a fact that waits here for less than a
        lease, unclaimed, has a message on its way; and what is done, or just claimed, needs none
        """
        claimed, new = list[Fact](), list[Fact]()
        waiting = list[tuple[Fact, Row]]()
        for fact in _distinct(facts):
            noted, row = self.is_noted(fact), self._row(fact)
            if row is None:
                new += [] if noted else [fact]
            elif noted:
                claimed.append(fact)
            elif self._now() - row.changed >= self._lease:
                waiting.append((fact.in_trace(_trace(row) or fact.trace), row))
        for start in range(0, len(waiting), AT_ONCE):
            self._commit(_Transaction(renewed=waiting[start : start + AT_ONCE]))
        for start in range(0, len(new), AT_ONCE):
            self._commit(_Transaction(opens=new[start : start + AT_ONCE], renews=True))
        return Expected(again=[*claimed, *(fact for fact, _ in waiting)], new=new)

    def begin(self, fact: Fact, events: Sequence[Value], *, claim: Claim | None = None) -> bool:
        """Notes a fact that came from outside, so that no step before it noted it, with the events that it is itself.

        claim: of the worker that begins it
        returns: False when it is noted already; nothing is written then
        raises: Conflict when the claim has lapsed, and another worker took it
        """
        return self._commit(_Transaction(begins=fact, events=events), claim)

    def finish(
        self, claim: Claim, led_to: Iterable[Fact], events: Sequence[Value], *, all_new: bool = False
    ) -> bool:
        """The fact is done: see above; led_to: what is to be published after this.

        all_new: no attempt before this one can have put any of the events into the log; else they are looked up there
        returns: False when another delivery has finished it meanwhile; nothing is written then
        """
        due = _distinct(led_to)
        while len(due) > AT_ONCE:
            self._commit(_Transaction(opens=due[:AT_ONCE]))
            due = due[AT_ONCE:]
        while len(events) + len(due) > AT_ONCE:
            self._commit(_Transaction(events=events[:AT_ONCE], doubtful=not all_new), claim)
            events = events[AT_ONCE:]
        last = _Transaction(closes=claim.fact, opens=due, events=events, doubtful=not all_new)
        return self._commit(last, claim)

    def append(self, events: Sequence[Value], claim: Claim | None = None) -> None:
        """Puts events into the log by themselves.

        claim: of the fact whose step failed and whose events they are; those that are in the log already are left out
        """
        if events:
            self._commit(_Transaction(events=events, doubtful=claim is not None), claim)

    def count(self, mended: Counter[str]) -> None:
        """Counts what mended itself; see `Counted`."""
        if mended:
            self._commit(_Transaction(counted=Counted(mended=mended)))
            self._mended(mended)

    def dead_letter(self, fact: Fact, *, retries: int) -> None:
        """Takes an open fact from the reconciler: from now on it is a person's, who was told of it before this.

        retries: how often it had been retried when it was given up; what a person has given back since then stays the
        reconciler's, and what is done is nobody's. Nor is a hint, which comes again
        """
        if fact.hint:
            return
        for attempt in range(CAS_TRIES):
            # The row before the claim: who gives the fact back writes the row last, so that this one's write meets it.
            old, entry = self._row(fact), self._claims.find(fact.key)
            if entry is None:
                try:
                    entry = self._claims.never_claimed(fact)
                except Conflict:
                    return  # a worker is at it now: what becomes of that the reconciler sees
            retried = entry is not None and int(entry.value.get("retries", 0)) > retries
            done = old is None and entry is not None and entry.value["state"] == "settled"
            if retried or done or _is_dead_letter(old) or self._mark(fact, old, dead_lettered=True):
                return
            back_off(attempt)
        raise _never_left_alone(fact)

    def reopen(self, key: str, *, failure: str) -> Fact | None:
        """Gives a dead-lettered fact back to the reconciler, with all its attempts before it.

        failure: the record of it, which is resolved once the fact is done
        returns: None when there is no such fact, or it was done meanwhile
        """
        row = self._claims.find(key) or self._given_up_unclaimed(key)
        if row is None:
            return None
        fact = _fact(row)
        if row.value["state"] == "settled" and not self.is_open(fact):
            return None
        if row.value.get("failure") != failure:
            self._claims.reset(row, failure=failure)
        for attempt in range(CAS_TRIES):
            old = self._row(fact)
            if self._mark(fact, old, dead_lettered=False):
                return fact
            back_off(attempt)
        raise _never_left_alone(fact)

    def _given_up_unclaimed(self, key: str) -> Row | None:
        """The entry, made now, of a dead letter of a version of the app that made none for what no worker had claimed."""
        row = self._present.get(self._within, f"{OPEN}{digest(key)}")
        if row is None or not _is_dead_letter(row):
            return None
        fact = _fact(row)
        return None if fact.hint else self._claims.never_claimed(fact)

    def _mark(self, fact: Fact, old: Row | None, *, dead_lettered: bool) -> bool:
        """Notes whether it is a person's; an open fact that is one's own is counted, a given-up one is not.

        old: its row; where that has changed nothing is written, and False returned
        """
        value = _open(fact) | ({"dead_lettered": True} if dead_lettered else {})
        mark = Replace(old=old, value=value) if old else Insert(row=_row_key(fact), value=value)
        more = int(not dead_lettered) - int(old is not None and not _is_dead_letter(old))
        return self._commit(_Transaction(mark=mark, counted=Counted.opened([fact], by=more)))

    # --- looking ------------------------------------------------------------------------------------------

    def _row(self, fact: Fact) -> Row | None:
        return self._present.get(self._within, _row_key(fact))

    def is_open(self, fact: Fact) -> bool:
        """Whether the fact is still to be finished."""
        return self._row(fact) is not None

    def is_done(self, fact: Fact) -> bool:
        """Whether the fact was handled to its end."""
        entry = self._claims.find(fact.key)
        return entry is not None and entry.value["state"] == "settled" and not self.is_open(fact)

    def open(self, *types: type[Fact]) -> Iterator[Fact]:
        """The facts of these types that are still to be finished, and are no person's."""
        for row in self._present.rows(self._within, after=OPEN, before=f"{OPEN}~"):
            if not _is_dead_letter(row) and json.loads(row.value["fact"])["fact"] in {
                type_.__name__ for type_ in types
            }:
                yield _fact(row)

    def is_noted(self, fact: Fact) -> bool:
        """Whether the fact is done, or claimed and in the outbox, or about to be: a live worker has just claimed it.

        A claim alone does not say so: its worker may have died just before `begin`, and then nobody else knows of it.
        """
        if fact.key in self._known:
            return True
        entry = self._claims.find(fact.key)
        if entry is None or not self._claims.was_claimed(entry):
            return False
        if entry.value["state"] != "settled" and not self.is_open(fact):
            return self._claims.is_held(entry)
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known.add(fact.key)  # it has been, and so it will be
        return True

    def unfinished(
        self, *, older_than: timedelta, unreadable: Callable[[str, UnreadableMessage], None] | None = None
    ) -> Iterator[tuple[Fact, int]]:
        """Facts published or claimed, but not finished, for so long that no worker can still be at them; and how often they
        were tried in vain: a step that is done, and only not finished, was not.

        A row that no version can read keeps no other from being found; unreadable: told of it, and of what is wrong with
        it. One that a newer version wrote waits for that version.
        """
        for row in self._present.rows(self._within, after=OPEN, before=f"{OPEN}~"):
            if _is_dead_letter(row) or self._now() - row.changed < older_than:
                continue
            try:
                fact = _fact(row)
            except Transient:
                continue
            except UnreadableMessage as fault:
                if unreadable:
                    unreadable(row.row, fault)
                continue
            entry = self._claims.find(fact.key)
            if entry is None:
                due = row.changed + timedelta(seconds=fact.delay_seconds)
                if self._now() - due >= older_than:
                    yield fact.due_now(), 0
            elif self._now() - entry.changed >= older_than:
                yield fact.due_now(), 0 if entry.value["state"] == "settled" else entry.value["attempt"]

    def counted(self, rows: Iterable[Row] | None = None) -> Counted:
        """The facts done and open; rows: of the partition, when they were read already."""
        rows = self._present.rows(self._within, after=COUNT, before=f"{COUNT}~") if rows is None else rows
        total = Counted()
        for row in rows:
            if row.row.startswith(COUNT):
                total = total.plus(Counted.from_json(row.value))
        return total

    # --- the transaction ----------------------------------------------------------------------------------

    def _commit(self, transaction: _Transaction, claim: Claim | None = None) -> bool:
        """Writes it, among others who append and count; False when there is nothing to do (any more).

        claim: of the fact that it begins or finishes, or whose events it appends
        """
        looked = 0  # the log's end at the look before: each goes on from there, however long the log is
        with self._lock:
            for attempt in range(CAS_TRIES):
                built = self._built(transaction)
                if claim and (transaction.doubtful or self._has_lapsed(claim)):
                    end = self._events.next_number() if transaction.events else looked
                    due = self._still_due(transaction, claim, after=looked)
                    looked = end
                    if not due.writes_anything:
                        return False
                    # Without a call: one that stood still would come after the look whether the lease has lapsed.
                    built = built if due is transaction else self._built(due)
                    transaction = due
                try:
                    etags = self._present.commit(self._within, built.writes)
                except Conflict:
                    self._counter_read = False
                    self._events.lost_the_race()
                    transaction, needed = self._rebased(transaction)
                    if not needed:
                        return False
                    lost = Counted(mended=Counter({LOST_RACE: 1}))
                    transaction = replace(transaction, counted=transaction.counted.plus(lost))
                    self._mended(lost.mended)
                    back_off(attempt)
                    continue
                self._token.moved(built.move)
                etags = etags[len(built.opened) :]
                if built.counter:
                    self._counter = as_written(built.counter[0], etags[0], self._within)
                self._events.grown(built.appended, etags[len(built.counter) :])
                return True
        raise Conflict(f"the outbox changed {CAS_TRIES} times under our hands")

    def _built(self, transaction: _Transaction) -> _Built:
        opened, counter = transaction.writes(), self._counter_write(transaction.counts())
        appended = self._events.inserts(transaction.events)
        if transaction.events:
            self._token.note_things()
        return _Built(opened=opened, counter=counter, appended=appended, move=self._token.move())

    def _has_lapsed(self, claim: Claim) -> bool:
        return self._now() - claim.row.changed >= self._lease

    def _still_due(self, transaction: _Transaction, claim: Claim, *, after: int) -> _Transaction:
        """What is left to write for a worker that is not the first, or was away for longer than a lease: another may have
        logged events of the fact before or meanwhile, or have done it, and nothing in the partition tells a fact that is
        done from one that was never begun.

        Asked once the log's end was read, and by one worker of a process at a time: an event that comes after that moves
        the end on, and fails the transaction.

        after: the number of events that were looked at before
        raises: Conflict when another worker took the claim before the fact was begun
        """
        if transaction.begins and self._has_lapsed(claim):
            entry = self._claims.find(claim.fact.key)
            if entry is None or entry.etag != claim.row.etag:
                raise Conflict(f"the claim on {claim.fact.key} had lapsed, and another worker took it")
        if transaction.closes:  # a dead letter by now, maybe
            transaction = replace(transaction, closed=self._row(transaction.closes))
        left = self._unlogged(claim, transaction.events, after)
        return transaction if len(left) == len(transaction.events) else replace(transaction, events=left)

    def _unlogged(self, claim: Claim, events: Sequence[Value], after: int) -> Sequence[Value]:
        if not events:
            return events
        begun = datetime.fromisoformat(claim.row.value["begun"])
        return self._events.missing(events, since=begun, after=after)

    def _rebased(self, transaction: _Transaction) -> tuple[_Transaction, bool]:
        """The transaction without what is there already; and whether there is still a reason for it."""
        if transaction.begins and self.is_open(transaction.begins):
            return transaction, False
        if transaction.closes and not self.is_open(transaction.closes):
            return transaction, False
        if transaction.mark and not self._is_writable(transaction.mark):
            return transaction, False
        events, has_row = transaction.events, transaction.begins or transaction.closes
        # With a row, the row tells whether they are there already; and doubtful ones are looked up anyhow.
        if events and not has_row and not transaction.doubtful:
            events = self._events.missing(events, since=min(map(_time_of, events)))
        looked = [(fact, self._row(fact)) for fact in transaction.opens]
        opens = [fact for fact, row in looked if row is None]
        again = [(fact, self._row(fact)) for fact, _ in transaction.renewed]
        again += looked if transaction.renews else []
        # What is done by now has no row, and is not opened anew.
        renewed = [(fact, row) for fact, row in again if row is not None]
        rebased = _Transaction(
            begins=transaction.begins,
            closes=transaction.closes,
            opens=opens,
            renews=transaction.renews,
            renewed=renewed,
            events=events,
            doubtful=transaction.doubtful,
            mark=transaction.mark,
            counted=transaction.counted,
        )
        return rebased, rebased.writes_anything

    def _is_writable(self, write: Insert | Replace) -> bool:
        row = self._present.get(self._within, write.row if isinstance(write, Insert) else write.old.row)
        return row is None if isinstance(write, Insert) else row is not None and row.etag == write.old.etag

    def _counter_write(self, counted: Counted) -> list[Insert | Replace]:
        if not counted.done and not counted.open and not counted.mended:
            return []
        if not self._counter_read:
            self._counter = self._present.get(self._within, self._counter_row)
            self._counter_read = True
        if self._counter is None:
            return [Insert(row=self._counter_row, value=counted.to_json())]
        total = Counted.from_json(self._counter.value).plus(counted)
        return [Replace(old=self._counter, value=total.to_json())]


def _is_dead_letter(row: Row | None) -> bool:
    return row is not None and bool(row.value.get("dead_lettered"))


def _never_left_alone(fact: Fact) -> Conflict:
    return Conflict(f"the open fact {fact.key} changed {CAS_TRIES} times under our hands")


@dataclass(frozen=True, kw_only=True)
class _Built:
    """The writes of a transaction, as things stood when they were put together."""

    opened: list[Write]
    counter: list[Insert | Replace]
    appended: list[Insert | Replace]
    move: Move

    @property
    def writes(self) -> list[Write]:
        return [*self.opened, *self.counter, *self.appended, *self.move.writes]


@dataclass(frozen=True, kw_only=True)
class _Transaction:
    """What is to be written together."""

    begins: Fact | None = None
    closes: Fact | None = None
    closed: Row | None = None
    """The row that goes, where it was looked at: only as it was then."""
    opens: Sequence[Fact] = ()
    renews: bool = False
    """Whether a fact that is open already is open anew from now: its message is sent again."""
    renewed: Sequence[tuple[Fact, Row]] = ()
    """Each with its row, as it was looked at."""
    events: Sequence[Value] = ()
    doubtful: bool = False
    """Whether some of the events may be in the log already."""
    mark: Insert | Replace | None = None
    """The row of a fact that is given up, or given back."""
    counted: Counted = field(default_factory=Counted)

    @property
    def writes_anything(self) -> bool:
        return bool(self.writes() or self.events or self.counted.mended)

    def writes(self) -> list[Write]:
        new = [*([self.begins] if self.begins else []), *self.opens]
        return [
            *(Insert(row=_row_key(fact), value=_open(fact)) for fact in new),
            *(Replace(old=row, value=_open(fact)) for fact, row in self.renewed),
            *self._closing(),
            *([self.mark] if self.mark else []),
        ]

    def _closing(self) -> list[Write]:
        if self.closed:
            return [Remove(old=self.closed)]
        return [Delete(row=_row_key(self.closes))] if self.closes else []

    def counts(self) -> Counted:
        """A dead letter was not counted as open any more."""
        opened = Counted.opened([*([self.begins] if self.begins else []), *self.opens])
        closed = Counted.finished(self.closes) if self.closes else Counted()
        revived = [self.closes] if self.closes and _is_dead_letter(self.closed) else []
        revived += [fact for fact, row in self.renewed if _is_dead_letter(row)]
        return self.counted.plus(opened).plus(closed).plus(Counted.opened(revived))


def _time_of(event: Value) -> datetime:
    return datetime.fromisoformat(event["event"]["time"])


def _sum(one: Counter[str], other: Counter[str]) -> Counter[str]:
    """Those below 0 too, unlike `+`; most are added to nothing."""
    if not one or not other:
        return one or other
    both = one.copy()
    both.update(other)
    return both


def _distinct(facts: Iterable[Fact]) -> list[Fact]:
    return list({fact.key: fact for fact in facts}.values())


def _open(fact: Fact) -> Value:
    """What the row of an open fact holds."""
    return {"fact": fact.to_json(), **in_its_trace(fact)}


def _fact(row: Row) -> Fact:
    """The fact that a row is about, in its trace. raises: as `Fact.from_json`"""
    return Fact.from_json(row.value["fact"]).in_trace(_trace(row))


def _trace(row: Row) -> Trace | None:
    return Trace.read(row.value.get("trace"))


def _row_key(fact: Fact) -> str:
    return f"{OPEN}{digest(fact.key)}"


def _type(fact: Fact) -> str:
    return type(fact).__name__
