"""Claims and leases: one worker at a time, one outcome for good."""

from __future__ import annotations

import json
import threading
import zlib
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from unit.ledger.interrupted import Interrupted, Once
from unit.ledger.processes import LEASE, Processes, moved, upload

from shared.errors import Conflict, InProgress, Transient
from shared.ledger.claims import Claim, Outcome
from shared.ledger.lease import Lease, heartbeat
from shared.ports import Row

LED_TO = Outcome(facts=(upload("b"),), changes=(moved("a", "admitted", rows=3),))


@pytest.fixture
def processes() -> Processes:
    return Processes()


def test_a_fact_is_claimed_by_one_of_many(processes: Processes) -> None:
    def work(worker: int) -> bool:
        try:
            processes.ledger().claims.claim(upload("a"))
        except InProgress:
            return False
        return True

    with ThreadPoolExecutor(6) as workers:
        assert sum(workers.map(work, range(12))) == 1


def test_a_settled_fact_answers_what_it_led_to_for_good(processes: Processes) -> None:
    claims = processes.ledger().claims
    assert claims.outcome(upload("a").key) is None
    claims.settle(claims.claim(upload("a")), LED_TO)
    processes.pass_time(10 * LEASE)
    there = claims.find(upload("a").key)
    again = processes.ledger().claims.claim(upload("a"))
    assert (again.outcome, again.row) == (LED_TO, there)
    assert processes.ledger().claims.outcome(upload("a").key) == LED_TO
    assert processes.ledger().claims.outcome(upload("b").key) is None


def test_a_lease_that_lapsed_is_taken_over_and_its_worker_cannot_settle(processes: Processes) -> None:
    slow = processes.ledger().claims
    lost = slow.claim(upload("a"))
    processes.pass_time(LEASE - 1)
    with pytest.raises(InProgress):
        processes.ledger().claims.claim(upload("a"))
    processes.pass_time(1)
    other = processes.ledger().claims
    taken = other.claim(upload("a"))
    assert (lost.attempt, taken.attempt) == (1, 2)
    assert lost.row.value["begun"] == taken.row.value["begun"]
    with pytest.raises(Conflict):
        slow.settle(lost, Outcome())
    slow.free(lost, "it failed")  # changes nothing
    with pytest.raises(InProgress):
        processes.ledger().claims.claim(upload("a"))
    other.settle(taken, LED_TO)
    assert processes.ledger().claims.outcome(upload("a").key) == LED_TO


def test_only_one_of_two_takes_over(processes: Processes) -> None:
    processes.ledger().claims.claim(upload("a"))
    processes.pass_time(LEASE)
    quicker = Once("replace", lambda: processes.ledger().claims.claim(upload("a")))
    slow = processes.ledger(past=Interrupted(processes.past, before=quicker))
    with pytest.raises(InProgress):
        slow.claims.claim(upload("a"))
    assert quicker.done


def test_a_freed_fact_can_be_tried_at_once(processes: Processes) -> None:
    claims = processes.ledger().claims
    claims.free(claims.claim(upload("a")), "x" * 1000)
    again = processes.ledger().claims.claim(upload("a"))
    assert again.attempt == 2
    assert again.row.value["last_error"] == "x" * 500


def test_a_reset_fact_has_all_its_attempts_again_but_was_tried_before(processes: Processes) -> None:
    claims = processes.ledger().claims
    first = claims.claim(upload("a"))
    assert first.first
    claims.free(first, "it failed")
    row = claims.find(upload("a").key)
    assert row is not None
    claims.reset(row, failure="f")
    again = processes.ledger().claims.claim(upload("a"))
    assert (again.attempt, again.failure, again.first) == (1, "f", False)
    assert again.row.value["retries"] == 1
    assert again.row.value["begun"] == first.row.value["begun"]


def test_a_lease_is_held_by_its_heartbeat_and_settling_follows_it(processes: Processes) -> None:
    ledger = processes.ledger()
    claim = ledger.claims.claim(upload("a"))
    lease = Lease(claim.row)
    beaten = threading.Event()

    def renew(row: Row) -> Row:
        beaten.set()
        return processes.past.replace(row, row.value)

    with heartbeat(lease, renew, every_seconds=0.001):
        assert beaten.wait(10)
    assert lease.row.etag != claim.row.etag
    ledger.claims.settle(replace(claim, row=lease.row), LED_TO)
    assert processes.ledger().claims.outcome(upload("a").key) == LED_TO


def test_a_heartbeat_outlives_silence_but_not_the_loss_of_its_lease() -> None:
    row = Row(partition="p", row="r", value={}, etag="1", changed=Processes().time)
    lease, beats, over = Lease(row), list[int](), threading.Event()

    def renew(row: Row) -> Row:
        beats.append(len(beats))
        if len(beats) == 1:
            raise Transient
        if len(beats) == 2:
            return replace(row, etag="2")
        over.set()
        raise Conflict

    with heartbeat(lease, renew, every_seconds=0.001):
        assert over.wait(10)
    assert (beats, lease.row.etag) == ([0, 1, 2], "2")


def test_an_outcome_comes_back_as_it_was_packed_however_large() -> None:
    many = Outcome(facts=tuple(upload(f"{number}.csv") for number in range(5000)), changes=LED_TO.changes)
    packed = many.pack()
    assert Outcome.unpack(packed) == many
    assert len(packed) < 64 * 1024
    assert Outcome.unpack(Outcome().pack()) == Outcome()


def test_a_version_that_knows_no_order_reads_what_this_one_settled() -> None:
    """A rollback finds outcomes that the newer version left behind."""
    change = replace(moved("a", None, rows=3), order=7)
    packed = Outcome(changes=(change,)).pack()
    assert Outcome.unpack(packed).changes == (change,)
    (line,) = zlib.decompress(b64decode(packed)).decode().splitlines()
    assert set(json.loads(line)["change"]) == {"kind", "id", "state", "values", "round"}


def test_a_claim_that_is_not_settled_has_no_outcome(processes: Processes) -> None:
    claim: Claim = processes.ledger().claims.claim(upload("a"))
    assert (claim.outcome, claim.failure) == (None, "")
