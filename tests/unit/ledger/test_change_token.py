"""Change tokens: which moves with what, and that none moves on before what it tells of can be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from unit.ledger.interrupted import Interrupted, Once, unanswered
from unit.ledger.processes import Processes, arrived, made_up, upload

from shared.domain.kinds.kind import Change
from shared.errors import Transient
from shared.ledger import Document, Ledger


@dataclass(frozen=True, kw_only=True)
class Light:
    """A value of a test's document."""

    on: bool


SHOWN = Document(name="light", type=Light, placement="standing", shown=True)
HIDDEN = Document(name="dark", type=Light, placement="standing")


@pytest.fixture
def processes() -> Processes:
    return Processes()


def tokens(processes: Processes) -> tuple[str, str]:
    token = processes.ledger().token
    return token.read(facts=False), token.read(facts=True)


def moved_by(processes: Processes, ledger: Ledger) -> tuple[bool, bool]:
    """Whether the token of things, and that of facts too, moves on when the ledger is flushed."""
    before = tokens(processes)
    ledger.token.flush()
    after = tokens(processes)
    return before[0] != after[0], before[1] != after[1]


def test_there_is_no_token_before_anything_changed(processes: Processes) -> None:
    assert tokens(processes) == ("", "")
    assert moved_by(processes, processes.ledger()) == (False, False)


def test_facts_alone_leave_the_token_of_things(processes: Processes) -> None:
    processes.ledger().outbox.append(made_up("1"))
    before = tokens(processes)
    processes.ledger().outbox.expect([upload("a")])
    after = tokens(processes)
    assert (before[0] == after[0], before[1] == after[1]) == (True, False)


def test_events_move_both(processes: Processes) -> None:
    processes.ledger().outbox.expect([upload("a")])
    before = tokens(processes)
    processes.ledger().outbox.append(made_up("1"))
    after = tokens(processes)
    assert (before[0] == after[0], before[1] == after[1]) == (False, False)


@pytest.mark.parametrize(
    ("changes", "moves"),
    [
        ([arrived("a")], True),
        ([Change(kind="file", id="f", values={"upload": "a"})], True),
        ([Change(kind="upload", id="unheard of", values={"rows": 1})], False),
        ([], False),
    ],
    ids=["record", "pointer", "nothing known", "nothing"],
)
def test_records_and_pointers_move_both_once_flushed(
    processes: Processes, changes: list[Change], moves: bool
) -> None:
    ledger = processes.ledger()
    ledger.records.apply(changes, cause="1")
    assert moved_by(processes, ledger) == (moves, moves)
    assert moved_by(processes, ledger) == (False, False)
    ledger.records.apply(changes, cause="1")  # changes nothing
    assert moved_by(processes, ledger) == (False, False)


def test_only_documents_that_are_shown_move_them(processes: Processes) -> None:
    ledger = processes.ledger()
    ledger.documents.write(HIDDEN, "a", Light(on=True), over=None)
    assert moved_by(processes, ledger) == (False, False)
    written = ledger.documents.write(SHOWN, "a", Light(on=True), over=None)
    assert moved_by(processes, ledger) == (True, True)
    ledger.documents.write(SHOWN, "a", Light(on=False), over=written)
    assert moved_by(processes, ledger) == (True, True)


def test_a_document_whose_answer_is_lost_may_have_changed(processes: Processes) -> None:
    ledger = processes.ledger(
        present=Interrupted(
            processes.present, after=lambda verb, given: verb == "insert" and unanswered(verb, given)
        )
    )
    with pytest.raises(Transient):
        ledger.documents.write(SHOWN, "a", Light(on=True), over=None)
    assert moved_by(processes, ledger) == (True, True)


@pytest.mark.parametrize("verb", ["insert", "commit"])
def test_what_changes_while_the_token_moves_is_told_by_the_next_move(processes: Processes, verb: str) -> None:
    """Another thread of the process moves the token just before the document, or record, is there to be seen."""
    others: list[Any] = []
    tables = Interrupted(processes.present, before=Once(verb, lambda: others[0].outbox.expect([upload("a")])))
    ledger = processes.ledger(present=tables)
    others.append(ledger)
    if verb == "insert":
        ledger.documents.write(SHOWN, "a", Light(on=True), over=None)
    else:
        ledger.records.apply([arrived("a")], cause="1")
    assert moved_by(processes, ledger)[0]


def test_what_is_noted_while_a_transaction_is_on_its_way_is_not_lost(processes: Processes) -> None:
    """Another thread writes a record after the transaction took effect, before its answer is here."""
    answers = Once("commit", lambda: ledgers[0].records.apply([arrived("a")], cause="1"))
    ledger = processes.ledger(present=Interrupted(processes.present, after=answers))
    ledgers = [ledger]
    ledger.outbox.append(made_up("1"))
    assert answers.done
    assert moved_by(processes, ledger) == (True, True)


def test_listeners_are_called_after_each_change_is_there(processes: Processes) -> None:
    ledger, heard = processes.ledger(), list[int]()
    ledger.token.on_change(lambda: heard.append(ledger.events.count()))
    ledger.outbox.append(made_up("1"))
    ledger.outbox.append(made_up("2", "3"))
    processes.ledger().outbox.append(made_up("4"))  # another process
    ledger.token.flush()
    assert heard == [1, 3]
