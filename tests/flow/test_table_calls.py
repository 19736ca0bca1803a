"""What each fact costs in calls on the ledger's tables, by verb: the table is printed, and held to what it may cost.

Each fact is handled by a process that knows nothing yet, but for the config document, which it reads once in some
seconds: the dearest case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flow.engine import release
from flow.world import DATASET, POLICY, World, bank_rows

from shared.domain.facts import (
    BatchScored,
    Fact,
    ModelReleased,
    ReconcileDue,
    ScoringDue,
    ShardDue,
    UploadAdmitted,
)
from shared.ports import Row
from shared.procedures.gather_window import join_window
from shared.steps.reconcile import EVENT_DELAY

MODEL_CALLS = 141
"""From a dropped CSV to a released model."""
BATCH_CALLS = 139
"""From the clock's tick to the sealed output of a batch of `SHARDS` shards; one of them looks for its model's trace."""
SHARD_CALLS = 12
"""For the dearest shard of it."""
FEW, MANY = 100, 10_000
"""Files that wait."""
FILE_CALLS = 19
"""For one more file of three rows that is admitted and joins those that wait, however many they are; one of them looks for
what an older version of the file left in quarantine, one for the config document."""
TOLD_CALLS = 3.1
"""For each file no event told of, so that a reconciliation has to."""

SHARDS, SHARD_SECONDS, UNTOLD = 8, 2, 200
PAGE_ROWS = 1000
"""What a table answers to one query at most; the next rows are another call."""


@dataclass
class Calls:
    """The calls on all tables while facts are handled, by fact and by verb."""

    by_fact: dict[str, list[Counter[str]]] = field(default_factory=dict)
    """For each kind of fact one count for each delivery, in the order of their first."""
    handled: Counter[str] | None = None

    def begin(self, fact: Fact) -> None:
        self.handled = Counter()
        self.by_fact.setdefault(type(fact).__name__, []).append(self.handled)

    def end(self) -> None:
        self.handled = None

    def count(self, verb: str) -> None:
        if self.handled is not None:  # else a test looks
            self.handled[verb] += 1

    def of(self, kind: type[Fact]) -> list[int]:
        """How many each delivery of such a fact made."""
        return [delivery.total() for delivery in self.by_fact.get(kind.__name__, [])]

    def total(self) -> int:
        return sum(delivery.total() for deliveries in self.by_fact.values() for delivery in deliveries)

    def __add__(self, more: Calls) -> Calls:
        return Calls(by_fact={**self.by_fact, **more.by_fact})

    def __str__(self) -> str:
        sums = {fact: sum(deliveries, Counter[str]()) for fact, deliveries in self.by_fact.items()}
        verbs = sorted(set().union(*sums.values()))
        lines = [("fact", "times", "calls", *verbs)]
        lines += [
            (
                fact,
                str(len(self.by_fact[fact])),
                str(calls.total()),
                *(str(calls[verb] or "") for verb in verbs),
            )
            for fact, calls in sums.items()
        ]
        whole = sum(sums.values(), Counter[str]())
        lines.append(("all", "", str(self.total()), *(str(whole[verb]) for verb in verbs)))
        return "\n".join(f"{fact:20}" + "".join(f"{cell:>9}" for cell in cells) for fact, *cells in lines)


class Counted:
    """A table whose calls are counted, whatever its verbs."""

    def __init__(self, table: Any, world: CountedWorld) -> None:
        self._table, self._world = table, world

    def rows(self, *where: Any, **how: Any) -> Iterator[Row]:
        self._world.calls.count("rows")
        for number, row in enumerate(self._table.rows(*where, **how)):
            if number and number % PAGE_ROWS == 0:
                self._world.calls.count("rows")
            yield row

    def __getattr__(self, verb: str) -> Any:
        def counted(*given: Any, **named: Any) -> Any:
            self._world.calls.count(verb)
            return getattr(self._table, verb)(*given, **named)

        return counted


class CountedWorld(World):
    """A world whose tables are counted, and in which a shard takes its time, so that each shows how far its batch is."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.calls = Calls()
        self.table: Any = Counted(self.table, self)
        self.present: Any = Counted(self.present, self)

    def deliver(self, fact: Fact) -> None:
        if isinstance(fact, ShardDue):
            self.pass_time(SHARD_SECONDS)
        self.calls.begin(fact)
        try:
            super().deliver(fact)
        finally:
            self.calls.end()

    def handle(self, *facts: Fact) -> tuple[Calls, list[Fact]]:
        """What these facts cost, each delivered once, and what they lead to."""
        self.calls, self.due = Calls(), []
        for fact in facts:
            self.deliver(fact)
        return self.calls, [fact for _, fact in self.due]


class Waiting:
    """So many files wait in an open window: how often it is due, what one more file costs, and a reconciliation then."""

    def __init__(self, files: int) -> None:
        world = CountedWorld(policy=replace(POLICY, gather_most_files=10**6, gather_longest_seconds=10**6))
        self.dues = sum(len(join_window(admitted(number), world.services)) for number in range(files))
        arriving, led_to = world.handle(world.drop("more.csv", bank_rows(3)))
        gathering, _ = world.handle(*led_to)
        self.one_more = arriving + gathering
        world.pass_time(15)
        self.reconcile, _ = world.handle(ReconcileDue(tick="1"))


def admitted(number: int) -> UploadAdmitted:
    hashed = f"{number:064x}"
    return UploadAdmitted(
        upload=f"upload/{number}.csv/0x1",
        name=f"{number}.csv",
        dataset=DATASET,
        content_hash=hashed,
        rows=3,
        rejected=0,
        source_sha256=hashed,
        part_sha256=hashed,
    )


def test_from_a_dropped_file_to_a_released_model() -> None:
    world = CountedWorld()
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    assert world.told(ModelReleased)
    print(f"\nFrom a dropped file to a released model\n{world.calls}")
    assert world.calls.total() <= MODEL_CALLS, f"\n{world.calls}"


def test_a_scored_shard() -> None:
    world = CountedWorld(policy=replace(POLICY, shard_bytes=600))
    release(world, 1)
    clients = [line.rsplit(";", 1)[0] for line in bank_rows(60).splitlines()]
    world.files.write("scoring", "clients.csv", "\n".join([*clients, ""]).encode())
    world.tell(ScoringDue(tick="1"))
    assert world.told(BatchScored)
    shards = world.calls.of(ShardDue)
    print(f"\nA batch of {SHARDS} shards, which made {shards} calls\n{world.calls}")
    assert len(shards) == SHARDS
    assert max(shards) <= SHARD_CALLS, f"the shards made {shards} calls\n{world.calls}"
    assert world.calls.total() <= BATCH_CALLS, f"\n{world.calls}"


@pytest.fixture(scope="module")
def waiting() -> dict[int, Waiting]:
    return {files: Waiting(files) for files in (FEW, MANY)}


def test_one_more_file_costs_the_same_however_many_wait(waiting: dict[int, Waiting]) -> None:
    few, many = (waiting[files].one_more for files in (FEW, MANY))
    print(f"\nOne more file with {FEW} waiting\n{few}\nand with {MANY}\n{many}")
    assert few.total() <= FILE_CALLS, f"\n{few}"
    assert many.total() == few.total(), f"\n{few}\n{many}"


def test_a_sweep_costs_the_same_however_many_wait(waiting: dict[int, Waiting]) -> None:
    few, many = (waiting[files].reconcile for files in (FEW, MANY))
    print(f"\nA reconcile with {FEW} files waiting\n{few}\nand with {MANY}\n{many}")
    assert many.total() == few.total(), f"\n{few}\n{many}"


def test_a_window_is_due_once(waiting: dict[int, Waiting]) -> None:
    assert [waiting[files].dues for files in (FEW, MANY)] == [1, 1]


def test_files_of_which_no_event_told_are_told_by_a_sweep() -> None:
    world = CountedWorld()
    dropped = [world.drop(f"{number}.csv", bank_rows(3, start=3 * number)) for number in range(UNTOLD)]
    world.pass_time(EVENT_DELAY.total_seconds() + 1)
    calls, told = world.handle(ReconcileDue(tick="1"))
    print(f"\nA reconcile that tells of {UNTOLD} files\n{calls}")
    assert set(told) >= set(dropped)
    assert calls.total() <= UNTOLD * TOLD_CALLS, f"\n{calls}"
