"""The outbox: a fact is finished exactly once, with its events and its count, and none is forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from unit.ledger.interrupted import Fuse, Interrupted, Killed, Once, unanswered
from unit.ledger.processes import LEASE, Processes, made_up, upload

from shared.domain.facts import Fact, RunDue, RunMoved
from shared.errors import Conflict, Transient
from shared.ledger import Ledger, append_log
from shared.ledger.claims import Claim, Outcome
from shared.ledger.ledger import NOW
from shared.ledger.outbox import AT_ONCE, OPEN
from shared.ports import Upsert

UPLOAD = "UploadArrived"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between two tries: who is in the way here stays there."""
    monkeypatch.setattr(append_log.time, "sleep", lambda seconds: None)


@pytest.fixture
def processes() -> Processes:
    return Processes()


def settled(ledger: Ledger, fact: Fact, *led_to: Fact) -> Claim:
    claim = ledger.claims.claim(fact)
    return claim if claim.outcome else ledger.claims.settle(claim, Outcome(facts=led_to))


def finished(ledger: Ledger, fact: Fact, *led_to: Fact, events: Any = ()) -> bool:
    return ledger.outbox.finish(settled(ledger, fact, *led_to), led_to, events)


# --- finishing --------------------------------------------------------------------------------------------


def test_a_fact_is_open_until_it_is_finished_and_then_what_it_led_to_is(processes: Processes) -> None:
    ledger = processes.ledger()
    ledger.outbox.expect([upload("a")])
    assert (processes.open(), processes.done(), processes.waiting()) == ({UPLOAD: 1}, {}, {"a"})
    assert finished(ledger, upload("a"), upload("b"), upload("c"), events=made_up("1"))
    assert (processes.open(), processes.done()) == ({UPLOAD: 2}, {UPLOAD: 1})
    assert processes.waiting() == {"b", "c"}
    assert processes.events() == ["1"]


def test_a_second_finish_says_so_and_writes_nothing(processes: Processes) -> None:
    processes.ledger().outbox.expect([upload("a")])
    assert finished(processes.ledger(), upload("a"), upload("b"), events=made_up("1"))
    assert not finished(processes.ledger(), upload("a"), upload("b"), events=made_up("1"))
    assert (processes.open(), processes.done(), processes.events()) == ({UPLOAD: 1}, {UPLOAD: 1}, ["1"])


def test_two_that_finish_at_once_finish_once(processes: Processes) -> None:
    processes.ledger().outbox.expect([upload("a")])
    claim = settled(processes.ledger(), upload("a"), upload("b"))
    quicker = Once("commit", lambda: processes.ledger().outbox.finish(claim, [upload("b")], made_up("1")))
    slow = processes.ledger(present=Interrupted(processes.present, before=quicker))
    assert not slow.outbox.finish(claim, [upload("b")], made_up("1"))
    assert (processes.open(), processes.done(), processes.events()) == ({UPLOAD: 1}, {UPLOAD: 1}, ["1"])


def test_what_a_fact_leads_to_twice_is_open_once(processes: Processes) -> None:
    processes.ledger().outbox.expect([upload("a")])
    assert finished(processes.ledger(), upload("a"), upload("b"), upload("b"))
    assert processes.open() == {UPLOAD: 1}


def test_more_than_fits_one_transaction_is_all_there_once(processes: Processes) -> None:
    many = [upload(str(number)) for number in range(2 * AT_ONCE + 7)]
    ids = [str(number) for number in range(2 * AT_ONCE + 9)]
    processes.ledger().outbox.expect([upload("a")])
    assert finished(processes.ledger(), upload("a"), *many, events=made_up(*ids))
    assert processes.waiting() == {fact.name for fact in many}
    assert processes.open() == {UPLOAD: len(many)}
    assert processes.events() == ids


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("children", [2, AT_ONCE + 5])
def test_a_crash_at_any_call_of_a_finish_tells_and_counts_once(after: bool, children: int) -> None:
    """The fact is done again from its claim on, as the next delivery does it."""
    due = [upload(str(number)) for number in range(children)]
    told = made_up(*(str(number) for number in range(AT_ONCE + 2)))
    whole, fuse = Processes(), Fuse()
    whole.ledger().outbox.expect([upload("a")])
    claim = settled(whole.ledger(), upload("a"), *due)
    assert whole.ledger(present=fuse.over(whole.present)).outbox.finish(claim, due, told)
    expected = (whole.open(), whole.done(), whole.waiting(), whole.events())
    for at in range(1, fuse.calls + 1):
        processes, fuse = Processes(), Fuse(at, after=after)
        processes.ledger().outbox.expect([upload("a")])
        claim = settled(processes.ledger(), upload("a"), *due)
        with pytest.raises(Killed):
            processes.ledger(present=fuse.over(processes.present)).outbox.finish(claim, due, told)
        ledger = processes.ledger()
        claim = settled(ledger, upload("a"), *due)
        if ledger.outbox.is_open(upload("a")):
            assert ledger.outbox.finish(claim, due, told)
        seen = (processes.open(), processes.done(), processes.waiting(), processes.events())
        assert seen == expected, at


# --- others at the same rows ------------------------------------------------------------------------------


def test_many_processes_count_and_tell_everything_once(processes: Processes) -> None:
    names = [str(number) for number in range(40)]
    processes.ledger().outbox.expect(upload(name) for name in names)
    ledgers = [processes.ledger() for _ in range(2)]
    for ledger in ledgers:
        ledger.outbox._counter_row = "count-0"  # they meet at one row

    def work(name: str) -> bool:
        return finished(ledgers[int(name) % 2], upload(name), upload(f"after {name}"), events=made_up(name))

    with ThreadPoolExecutor(4) as workers:
        assert all(workers.map(work, names))
    assert (processes.open(), processes.done()) == ({UPLOAD: 40}, {UPLOAD: 40})
    assert sorted(processes.events()) == sorted(names)
    assert processes.ledger().present().sums.tally == {"n": 40}


@pytest.mark.parametrize("others", ["count", "append", "both"])
def test_a_transaction_that_meets_another_is_made_anew(processes: Processes, others: str) -> None:
    """Another process counts at the same row, or appends to the log, just before; and again a little later."""
    commits = met = 0

    def meets(verb: str, given: Any) -> None:
        nonlocal commits, met
        if verb != "commit":
            return
        commits += 1
        if commits % 2:
            met += 1
            other = processes.ledger()
            other.outbox._counter_row = "count-0"
            if others in ("append", "both"):
                other.outbox.append(made_up(f"other {met}"))
            if others in ("count", "both"):
                other.outbox.expect([upload(f"other {met}")])

    slow = processes.ledger(present=Interrupted(processes.present, before=meets))
    slow.outbox._counter_row = "count-0"
    slow.outbox.expect([upload("a")])
    assert finished(slow, upload("a"), upload("b"), events=made_up("mine"))
    assert finished(slow, upload("b"), upload("c"), events=made_up("mine too"))
    assert commits > 3  # some were refused
    counted = met if others in ("count", "both") else 0
    assert (processes.open(), processes.done()) == ({UPLOAD: 1 + counted}, {UPLOAD: 2})
    assert [id_ for id_ in processes.events() if id_.startswith("mine")] == ["mine", "mine too"]
    assert len(processes.events()) == 2 + (met if others in ("append", "both") else 0)


def test_a_process_counts_on_after_renewals_and_marks(processes: Processes) -> None:
    """The counter's row is known by its place among the transaction's answers, whatever else was written."""
    ledger = processes.ledger()
    ledger.outbox.expect([upload("a")])
    processes.pass_time(LEASE)
    ledger.outbox.expect([upload("a"), upload("b")])  # one is renewed
    ledger.outbox.expect([upload("c")])
    ledger.outbox.dead_letter(upload("c"), retries=0)
    ledger.outbox.expect([upload("d")])
    counted = Interrupted(processes.present)
    assert processes.open() == {UPLOAD: 3}
    last = processes.ledger(present=counted)
    last.outbox._counter_row = ledger.outbox._counter_row
    last.outbox.expect([upload("e")])
    calls = counted.calls["commit"]
    last.outbox.begin(upload("f"), made_up("1"))
    last.outbox.expect([upload("g")])
    assert counted.calls["commit"] - calls == 2  # it knew the counter's and the log's ends: none was refused
    assert processes.open() == {UPLOAD: 6}


# --- beginning and expecting ------------------------------------------------------------------------------


def test_a_fact_begins_once_with_its_events(processes: Processes) -> None:
    assert processes.ledger().outbox.begin(upload("a"), made_up("1"))
    assert not processes.ledger().outbox.begin(upload("a"), made_up("1"))
    assert (processes.open(), processes.events()) == ({UPLOAD: 1}, ["1"])


def test_expecting_again_renews_and_does_not_count_again(processes: Processes) -> None:
    processes.ledger().outbox.expect([upload("a")])
    processes.pass_time(LEASE)
    found = processes.ledger().outbox.expect([upload("a"), upload("b")])
    assert (found.again, found.new) == ([upload("a")], [upload("b")])
    assert processes.open() == {UPLOAD: 2}
    processes.pass_time(20)
    unfinished = processes.ledger().outbox.unfinished
    assert list(unfinished(older_than=timedelta(seconds=60))) == []
    processes.pass_time(40)
    assert {fact.key for fact, _ in unfinished(older_than=timedelta(seconds=60))} == {
        upload("a").key,
        upload("b").key,
    }


def test_a_row_that_cannot_be_read_keeps_no_other_from_being_found(processes: Processes) -> None:
    processes.ledger().outbox.expect([upload("a"), upload("b"), upload("c")])
    first, second, _ = list(processes.present.rows(NOW, after=OPEN, before=f"{OPEN}~"))
    processes.present.replace(first, {"fact": '{"fact": "UploadArrived", "name": 57, "etag": "1"}'})
    processes.present.replace(second, {"fact": '{"fact": "TomorrowsFact"}'})
    processes.pass_time(LEASE)
    told: list[tuple[str, str]] = []
    found = processes.ledger().outbox.unfinished(
        older_than=timedelta(0), unreadable=lambda row, fault: told.append((row, str(fault)))
    )
    assert len(list(found)) == 1
    assert told == [(first.row, "it is no UploadArrived: its name is no str")]


def test_a_fact_whose_message_is_on_its_way_is_not_sent_again(processes: Processes) -> None:
    processes.ledger().outbox.expect([upload("a")])
    processes.pass_time(LEASE - 1)
    counted = Interrupted(processes.present)
    assert processes.ledger(present=counted).outbox.expect([upload("a"), upload("b")]).facts == [upload("b")]
    assert counted.calls["commit"] == 1
    assert processes.open() == {UPLOAD: 2}


def test_a_fact_that_is_done_is_not_expected_again(processes: Processes) -> None:
    processes.ledger().outbox.expect([upload("a")])
    finished(processes.ledger(), upload("a"))
    assert processes.ledger().outbox.expect([upload("a")]).facts == []
    assert processes.open() == {}


def test_a_fact_that_is_done_while_it_is_sent_again_is_not_opened_again(processes: Processes) -> None:
    processes.ledger().outbox.expect([upload("a")])
    processes.pass_time(LEASE)
    quicker = Once("commit", lambda: finished(processes.ledger(), upload("a")))
    processes.ledger(present=Interrupted(processes.present, before=quicker)).outbox.expect([upload("a")])
    assert quicker.done
    assert not processes.ledger().outbox.is_open(upload("a"))
    assert (processes.open(), processes.done()) == ({}, {UPLOAD: 1})


def test_a_fact_whose_worker_died_before_it_began_is_noted_only_while_its_lease_runs(
    processes: Processes,
) -> None:
    """Nothing but the claim tells of it: no row of the outbox, and its message may be lost."""
    ledger = processes.ledger()
    assert not ledger.outbox.is_noted(upload("a"))
    processes.ledger().claims.claim(upload("a"))
    assert ledger.outbox.is_noted(upload("a"))
    processes.pass_time(LEASE)
    assert not ledger.outbox.is_noted(upload("a"))
    ledger.outbox.expect([upload("a")])
    assert processes.waiting() == {"a"}
    assert ledger.outbox.is_noted(upload("a"))
    assert finished(processes.ledger(), upload("a"))
    assert processes.ledger().outbox.is_noted(upload("a"))


def test_from_the_moment_its_lease_ends_a_worker_begins_nothing_that_another_has_done(
    processes: Processes,
) -> None:
    slow, other = processes.ledger(), processes.ledger()
    claim = slow.claims.claim(upload("a"))
    processes.pass_time(LEASE)
    taken = other.claims.claim(upload("a"))
    other.outbox.begin(upload("a"), made_up("1"), claim=taken)
    assert other.outbox.finish(other.claims.settle(taken, Outcome()), (), ())
    with pytest.raises(Conflict, match="another worker took it"):
        slow.outbox.begin(upload("a"), made_up("1"), claim=claim)
    assert (processes.open(), processes.events()) == ({}, ["1"])


def test_what_is_noted_is_not_looked_up_again(processes: Processes) -> None:
    counted = Interrupted(processes.past)
    ledger = processes.ledger(past=counted)
    ledger.outbox.expect([upload("a")])
    finished(processes.ledger(), upload("a"))
    for _ in range(5):
        assert ledger.outbox.is_noted(upload("a"))
    assert counted.calls["get"] == 2


@pytest.mark.parametrize("claimed", [False, True])
def test_a_fact_whose_time_has_come_is_held_back_no_more(processes: Processes, claimed: bool) -> None:
    """Its message was lost after its delay, or its worker died: it would be late by that delay again."""
    ledger = processes.ledger()
    due = RunDue(dataset="bank", version=1, cause="c", after_seconds=36_000)
    ledger.outbox.expect([due])
    processes.pass_time(36_000)
    if claimed:
        ledger.claims.claim(due)
    processes.pass_time(LEASE + 1)
    ((found, _),) = ledger.outbox.unfinished(older_than=timedelta(seconds=LEASE))
    assert (found.key, found.delay_seconds) == (due.key, 0)


def test_only_what_nobody_can_be_at_is_unfinished(processes: Processes) -> None:
    """The lease of a claim counts from its renewal, and a fact that is held back from when it is due."""
    late = RunDue(dataset="bank", version=1, cause="x", after_seconds=90)
    processes.ledger().outbox.expect([upload("claimed"), upload("not"), late])
    processes.pass_time(LEASE - 1)
    processes.ledger().claims.claim(upload("claimed"))
    processes.pass_time(1)

    def unfinished() -> set[tuple[str, int]]:
        found = processes.ledger().outbox.unfinished(older_than=timedelta(seconds=LEASE))
        return {(fact.key, attempts) for fact, attempts in found}

    assert unfinished() == {(upload("not").key, 0)}
    processes.pass_time(LEASE - 1)
    assert (upload("claimed").key, 1) in unfinished()
    assert late.key not in {key for key, _ in unfinished()}
    processes.pass_time(90)
    assert (late.key, 0) in unfinished()


# --- dead letters -----------------------------------------------------------------------------------------


def test_a_fact_that_is_published_anew_meanwhile_becomes_a_dead_letter_all_the_same(
    processes: Processes,
) -> None:
    processes.ledger().outbox.expect([upload("a")])
    processes.pass_time(LEASE)
    quicker = Once("commit", lambda: processes.ledger().outbox.expect([upload("a")]))
    processes.ledger(present=Interrupted(processes.present, before=quicker)).outbox.dead_letter(
        upload("a"), retries=0
    )
    assert quicker.done
    assert (processes.open(), processes.waiting()) == ({}, set())


def test_a_dead_letter_is_nobodys_until_it_is_reopened(processes: Processes) -> None:
    ledger = processes.ledger()
    ledger.outbox.expect([upload("a")])
    claim = ledger.claims.claim(upload("a"))
    ledger.claims.free(claim, "it failed")
    ledger.outbox.dead_letter(upload("a"), retries=0)
    ledger.outbox.dead_letter(upload("a"), retries=0)
    assert (processes.open(), processes.waiting()) == ({}, set())
    assert processes.ledger().outbox.reopen(upload("a").key, failure="f") == upload("a")
    assert processes.ledger().outbox.reopen(upload("a").key, failure="f") == upload("a")
    assert (processes.open(), processes.waiting()) == ({UPLOAD: 1}, {"a"})
    again = processes.ledger().claims.claim(upload("a"))
    assert (again.attempt, again.failure) == (1, "f")
    processes.ledger().outbox.dead_letter(
        upload("a"), retries=0
    )  # of the time before: it was given back since
    assert (processes.open(), processes.waiting()) == ({UPLOAD: 1}, {"a"})
    processes.ledger().outbox.dead_letter(upload("a"), retries=1)
    assert processes.open() == {}


def test_what_was_never_open_becomes_a_dead_letter_and_is_counted_when_it_comes_back(
    processes: Processes,
) -> None:
    claim = processes.ledger().claims.claim(upload("a"))
    processes.ledger().claims.free(claim, "it failed")
    processes.ledger().outbox.dead_letter(upload("a"), retries=0)
    assert processes.open() == {}
    processes.ledger().outbox.reopen(upload("a").key, failure="f")
    assert processes.open() == {UPLOAD: 1}
    assert finished(processes.ledger(), upload("a"))
    assert (processes.open(), processes.done()) == ({}, {UPLOAD: 1})


@pytest.mark.parametrize("older", [False, True], ids=["this version's", "of one that noted no such claim"])
def test_a_dead_letter_that_no_worker_ever_claimed_is_reopened(processes: Processes, older: bool) -> None:
    """Whatever its deliveries failed at came before the claim."""
    processes.ledger().outbox.expect([upload("a")])
    processes.ledger().outbox.dead_letter(upload("a"), retries=0)
    if older:
        (claim,) = (processes.past.get(*place) for place in list(processes.past._rows))
        assert claim is not None
        processes.past.delete(claim)
    assert (processes.open(), processes.waiting()) == ({}, set())
    for _ in range(2):
        assert processes.ledger().outbox.reopen(upload("a").key, failure="f") == upload("a")
        assert (processes.open(), processes.waiting()) == ({UPLOAD: 1}, {"a"})
    assert processes.ledger().claims.claim(upload("a")).failure == "f"
    processes.pass_time(LEASE)
    assert finished(processes.ledger(), upload("a"))
    assert (processes.open(), processes.done()) == ({}, {UPLOAD: 1})


def test_a_dead_letter_that_is_found_due_again_is_open_again(processes: Processes) -> None:
    """A listing finds its file, which no worker ever claimed."""
    processes.ledger().outbox.expect([upload("a")])
    processes.ledger().outbox.dead_letter(upload("a"), retries=0)
    assert not processes.ledger().outbox.is_noted(upload("a"))
    processes.pass_time(LEASE)
    assert processes.ledger().outbox.expect([upload("a")]).facts == [upload("a")]
    assert (processes.open(), processes.waiting()) == ({UPLOAD: 1}, {"a"})
    assert finished(processes.ledger(), upload("a"))
    assert (processes.open(), processes.done()) == ({}, {UPLOAD: 1})


def test_a_second_message_of_a_dead_letter_that_nobody_claimed_is_counted_right(processes: Processes) -> None:
    """It comes to its first worker, of whose events no attempt before it can have logged any."""
    processes.ledger().outbox.expect([upload("a")])
    processes.ledger().outbox.dead_letter(upload("a"), retries=0)
    ledger = processes.ledger()
    claim = ledger.claims.claim(upload("a"))
    all_new = claim.first
    assert ledger.outbox.finish(ledger.claims.settle(claim, Outcome()), (), (), all_new=all_new)
    assert (processes.open(), processes.done()) == ({}, {UPLOAD: 1})


def test_a_fact_that_is_claimed_while_it_is_given_up_stays_the_reconcilers(processes: Processes) -> None:
    processes.ledger().outbox.expect([upload("a")])
    ledger = processes.ledger()
    claims = list[Claim]()
    quicker = Once("insert", lambda: claims.append(ledger.claims.claim(upload("a"))))
    slow = processes.ledger(past=Interrupted(processes.past, before=quicker))
    slow.outbox.dead_letter(upload("a"), retries=0)
    assert processes.open() == {UPLOAD: 1}
    assert ledger.outbox.finish(ledger.claims.settle(claims[0], Outcome()), (), (), all_new=True)
    assert (processes.open(), processes.done()) == ({}, {UPLOAD: 1})


def test_a_hint_is_no_dead_letter_of_the_outbox(processes: Processes) -> None:
    """It comes again with its clock, and nothing would ever take its row away."""
    processes.ledger().outbox.dead_letter(RunMoved(run="r"), retries=0)
    assert list(processes.present.rows(NOW, after=OPEN, before=f"{OPEN}~")) == []
    assert processes.ledger().outbox.reopen(RunMoved(run="r").key, failure="f") is None


def test_a_fact_that_is_done_or_unnoted_is_not_reopened(processes: Processes) -> None:
    assert processes.ledger().outbox.reopen(upload("a").key, failure="f") is None
    processes.ledger().outbox.expect([upload("a")])
    finished(processes.ledger(), upload("a"))
    assert processes.ledger().outbox.reopen(upload("a").key, failure="f") is None
    assert processes.open() == {}


def test_a_step_that_is_done_and_only_not_finished_was_not_tried_in_vain(processes: Processes) -> None:
    """Its last worker died before it was finished: there is nothing to give up, only to finish."""
    ledger = processes.ledger()
    ledger.outbox.expect([upload("a")])
    for _ in range(4):
        ledger.claims.free(ledger.claims.claim(upload("a")), "it failed")
    assert settled(ledger, upload("a"), upload("b")).attempt == 5
    ((_, attempts),) = ledger.outbox.unfinished(older_than=timedelta(0))
    assert attempts == 0


def test_a_dead_letter_that_is_settled_is_reopened_as_it_is(processes: Processes) -> None:
    """What its step led to stays; only finishing is left."""
    processes.ledger().outbox.expect([upload("a")])
    settled(processes.ledger(), upload("a"), upload("b"))
    processes.ledger().outbox.dead_letter(upload("a"), retries=0)
    assert processes.ledger().outbox.reopen(upload("a").key, failure="f") == upload("a")
    claim = processes.ledger().claims.claim(upload("a"))
    assert claim.outcome == Outcome(facts=(upload("b"),))
    assert (claim.failure, claim.attempt, claim.row.value["state"]) == ("f", 1, "settled")
    assert processes.waiting() == {"a"}


def test_a_dead_letter_that_is_finished_meanwhile_leaves_no_open_fact(processes: Processes) -> None:
    """Another process finishes it between reading its row and marking it: it is looked at again, not tried on and on."""
    processes.ledger().outbox.expect([upload("a")])
    claim = settled(processes.ledger(), upload("a"))
    commits = Interrupted(
        processes.present,
        before=Once("commit", lambda: processes.ledger().outbox.finish(claim, (), ())),
    )
    processes.ledger(present=commits).outbox.dead_letter(upload("a"), retries=0)
    assert commits.calls["commit"] <= 2
    assert not processes.ledger().outbox.is_open(upload("a"))
    assert processes.waiting() == set()
    assert (processes.open(), processes.done()) == ({}, {UPLOAD: 1})


def test_a_first_attempt_that_stood_still_until_its_fact_was_a_dead_letter_is_counted_right(
    processes: Processes,
) -> None:
    ledger = processes.ledger()
    ledger.outbox.expect([upload("a")])
    claim = settled(ledger, upload("a"))
    processes.pass_time(LEASE)
    processes.ledger().outbox.dead_letter(upload("a"), retries=0)
    assert processes.open() == {}
    assert ledger.outbox.finish(claim, (), (), all_new=True)
    assert (processes.open(), processes.done()) == ({}, {UPLOAD: 1})


def test_a_fact_that_becomes_a_dead_letter_just_before_it_is_finished_is_counted_right(
    processes: Processes,
) -> None:
    """The two count in different rows, so that only the fact's own row tells them of one another."""
    processes.ledger().outbox.expect([upload("a")])
    claim = settled(processes.ledger(), upload("a"))
    other = processes.ledger()
    other.outbox._counter_row = "count-0"
    quicker = Once("commit", lambda: other.outbox.dead_letter(upload("a"), retries=0))
    slow = processes.ledger(present=Interrupted(processes.present, before=quicker))
    slow.outbox._counter_row = "count-1"
    assert slow.outbox.finish(claim, (), ())
    assert quicker.done
    assert (processes.open(), processes.done()) == ({}, {UPLOAD: 1})


def test_a_mark_meets_another_that_counts(processes: Processes) -> None:
    processes.ledger().outbox.expect([upload("a")])

    def counts() -> None:
        other = processes.ledger()
        other.outbox._counter_row = "count-0"
        other.outbox.expect([upload("b")])

    ledger = processes.ledger(present=Interrupted(processes.present, before=Once("commit", counts)))
    ledger.outbox._counter_row = "count-0"
    ledger.outbox.dead_letter(upload("a"), retries=0)
    assert (processes.open(), processes.waiting()) == ({UPLOAD: 1}, {"b"})


def test_an_outbox_that_is_never_left_alone_says_so(processes: Processes) -> None:
    process = processes.ledger()
    process.outbox._counter_row = "count-0"

    def always(verb: str, given: Any) -> None:
        if verb == "commit":
            processes.present.commit("now", [Upsert(row="count-0", value={"done": {}, "open": {}})])

    process = processes.ledger(present=Interrupted(processes.present, before=always))
    process.outbox._counter_row = "count-0"
    with pytest.raises(Conflict, match="changed"):
        process.outbox.expect([upload("a")])


# --- events of a fact that is done again ------------------------------------------------------------------


def test_events_that_are_in_the_log_are_not_told_again(processes: Processes) -> None:
    """A worker died between appending a part of its events and finishing."""
    processes.ledger().outbox.expect([upload("a")])
    claim = settled(processes.ledger(), upload("a"))
    processes.ledger().outbox.append(made_up("1", "2"))
    processes.ledger().outbox.append(made_up(*(f"other {number}" for number in range(70))))
    processes.ledger().outbox.append(made_up(*(f"other {number}" for number in range(70, 140))))
    before = processes.events()
    assert processes.ledger().outbox.finish(claim, (), made_up("1", "2", "3"))
    assert processes.events() == [*before, "3"]


def test_events_that_another_worker_logs_just_before_the_fact_is_finished_are_not_told_again(
    processes: Processes,
) -> None:
    """The worker whose step failed stood still in the call that logs what the fact says of itself."""
    processes.ledger().outbox.expect([upload("a")])
    claim = settled(processes.ledger(), upload("a"))
    quicker = Once("commit", lambda: processes.ledger().outbox.append(made_up("1"), claim))
    slow = processes.ledger(present=Interrupted(processes.present, before=quicker))
    assert slow.outbox.finish(claim, (), made_up("1", "2"))
    assert processes.events() == ["1", "2"]


def test_events_that_another_worker_of_the_same_process_logged_are_not_told_again(
    processes: Processes,
) -> None:
    """No conflict tells of them: the process knows the log's end."""
    ledger = processes.ledger()
    ledger.outbox.expect([upload("a")])
    claim = settled(ledger, upload("a"))
    ledger.outbox.append(made_up("1"), claim)
    assert ledger.outbox.finish(claim, (), made_up("1", "2"))
    assert processes.events() == ["1", "2"]


def test_a_long_log_is_read_back_once_however_many_races_are_lost(processes: Processes) -> None:
    """A dead letter of a month ago is retried, and its events are looked up from its first claim on."""
    processes.ledger().outbox.expect([upload("a")])
    processes.ledger().claims.free(processes.ledger().claims.claim(upload("a")), "it failed")
    filling = processes.ledger()
    for first in range(0, 2000, 50):
        filling.outbox.append(made_up(*(f"other {first + number}" for number in range(50))))
    processes.ledger().outbox.dead_letter(upload("a"), retries=0)
    processes.ledger().outbox.reopen(upload("a").key, failure="f")
    claim = settled(processes.ledger(), upload("a"))

    def reads(races: int) -> int:
        """Of the past, by a worker that loses so many races; in the third another logs one of its own events."""
        past, lost = Interrupted(processes.past), 0

        def appends(verb: str, given: Any) -> None:
            nonlocal lost
            if verb == "commit" and lost < races:
                lost += 1
                processes.ledger().outbox.append(made_up(f"race {races}-{lost}"))
                if lost == races == 3:
                    processes.ledger().outbox.append(made_up("1"), claim)

        present = Interrupted(processes.present, before=appends)
        events = made_up("1", "2") if races else made_up("0")
        ledger = processes.ledger(past=past, present=present)
        ledger.outbox.append(events, claim)
        return past.calls["get"]

    once = reads(0)
    assert once >= 2000 / 25 * 0.9
    assert reads(3) < once * 2
    logged = processes.events()
    assert [id_ for id_ in logged if not id_.startswith(("other", "race"))] == ["0", "1", "2"]


def test_an_answer_that_is_lost_leaves_a_fact_that_is_finished_once(processes: Processes) -> None:
    processes.ledger().outbox.expect([upload("a")])
    claim = settled(processes.ledger(), upload("a"), upload("b"))
    deaf = processes.ledger(
        present=Interrupted(
            processes.present, after=lambda verb, given: verb == "commit" and unanswered(verb, given)
        )
    )
    with pytest.raises(Transient):
        deaf.outbox.finish(claim, [upload("b")], made_up("1"))
    assert not processes.ledger().outbox.finish(claim, [upload("b")], made_up("1"))
    assert (processes.open(), processes.done(), processes.events()) == ({UPLOAD: 1}, {UPLOAD: 1}, ["1"])
