"""A step may take longer than a claim lasts: the claim of a worker that lives does not lapse."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from flow.world import POLICY, World

from shared import flow
from shared.adapters.memory import MemoryTable, system_clock
from shared.domain.facts import UploadArrived, UploadRejected
from shared.errors import Conflict, InProgress, Transient
from shared.ledger.lease import Lease, heartbeat
from shared.ports import Row

FACT = UploadArrived(name="large.csv", etag="0x1")
REJECTED = UploadRejected(upload=FACT.key, name=FACT.name, reason="not today")
LONGER_THAN_A_CLAIM = 4
"""Renewals, of which there are three in a claim's time."""


@dataclass
class WatchedTable(MemoryTable):
    renewed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def replace(self, old: Row, value: dict[str, Any]) -> Row:
        new = super().replace(old, value)
        if value == old.value:
            self.renewed.release()
        return new


class RealTime(World):
    """A world whose clock nobody turns."""

    def now(self) -> datetime:
        return system_clock()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Admitting a file takes longer than a claim lasts here."""
    made = RealTime(policy=replace(POLICY, claim_seconds=3))
    made.table = WatchedTable()

    def slow(fact: UploadArrived, services: Any) -> list[UploadRejected]:
        for _ in range(LONGER_THAN_A_CLAIM):
            assert made.table.renewed.acquire(timeout=30), "the claim is not renewed"
        try:
            made.ledger.claims.claim(fact)
        except InProgress:
            return [REJECTED]
        raise AssertionError("another delivery took the fact over from a worker that lives")

    monkeypatch.setitem(flow.STEPS, UploadArrived, slow)
    return made


def test_nobody_takes_over_from_a_worker_that_lives_however_long_it_takes(world: World) -> None:
    assert flow.handle(FACT, world.services) == (REJECTED,)
    assert flow.handle(FACT, world.services) == (REJECTED,), "settled over the claim as renewed last"
    record = world.ledger.find("upload", FACT.key)
    assert record is not None
    assert record.state == "rejected"


def test_a_long_step_that_fails_frees_its_claim(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = flow.STEPS[UploadArrived]

    def failing(fact: UploadArrived, services: Any) -> list[UploadRejected]:
        slow(fact, services)
        raise Transient

    monkeypatch.setitem(flow.STEPS, UploadArrived, failing)
    with pytest.raises(Transient):
        flow.handle(FACT, world.services)
    assert world.ledger.claims.claim(FACT).outcome is None


ROW = MemoryTable().insert("p", "r", {})


def _heartbeats() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


def test_a_claim_taken_over_is_renewed_no_more() -> None:
    tried: list[Row] = []
    lost = threading.Event()

    def too_late(row: Row) -> Row:
        tried.append(row)
        lost.set()
        raise Conflict

    with heartbeat(Lease(ROW), too_late, every_seconds=0.01):
        assert lost.wait(30)
        for beat in _heartbeats():
            beat.join(30)
        assert _heartbeats() == []
    assert tried == [ROW]


def test_a_renewal_that_fails_is_tried_again() -> None:
    other = replace(ROW, etag="other")
    answers = iter([Transient(), other])
    renewed = threading.Event()

    def flickering(row: Row) -> Row:
        answer = next(answers, other)
        if isinstance(answer, Transient):
            raise answer
        renewed.set()
        return answer

    lease = Lease(ROW)
    with heartbeat(lease, flickering, every_seconds=0.01):
        assert renewed.wait(30)
    assert lease.row == other


def test_the_heartbeat_ends_with_the_step() -> None:
    with heartbeat(Lease(ROW), lambda row: row, every_seconds=3600):
        assert len(_heartbeats()) == 1
    assert _heartbeats() == []
