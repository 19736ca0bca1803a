"""Pointers: a name leads to the newest that bears it, a model version to the newest several it scored."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from unit.ledger.interrupted import Interrupted, Once
from unit.ledger.processes import Processes, arrived

from shared.domain.kinds.kind import Change
from shared.ledger import Ledger
from shared.ledger.pointers import MOST_SCORED, SEVERAL


@pytest.fixture
def processes() -> Processes:
    return Processes()


def to(id_: str, *, kind: str = "upload", index: str = "file", name: str = "may.csv") -> Change:
    return Change(kind=index, id=name, values={kind: id_})


def uploads(processes: Processes, *ids: str) -> Ledger:
    processes.ledger().records.apply([arrived(id_) for id_ in ids], cause="1")
    return processes.ledger()


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_the_newest_wins_in_whatever_order_news_comes(processes: Processes, order: tuple[str, ...]) -> None:
    uploads(processes, "a", "b", "c")
    for id_ in order:
        processes.ledger().records.apply([to(id_)], cause="2")
    assert processes.ledger().records.led_to("file", "may.csv") == {"upload": "c"}
    assert processes.ledger().records.led_to("file", "june.csv") == {}
    assert processes.ledger().records.led_to("hash", "may.csv") == {}


def test_a_pointer_says_whether_it_moved(processes: Processes) -> None:
    pointers = uploads(processes, "a", "b").records._pointers
    assert [pointers.point(to(id_)) for id_ in ("a", "a", "b", "a")] == [True, False, True, False]


def test_who_has_no_record_leads_nobody_away_from_who_has(processes: Processes) -> None:
    ledger = uploads(processes, "a")
    ledger.records.apply([to("unheard of")], cause="2")
    assert ledger.records.led_to("file", "may.csv") == {"upload": "unheard of"}
    ledger.records.apply([to("a")], cause="2")
    ledger.records.apply([to("unheard of")], cause="2")
    assert ledger.records.led_to("file", "may.csv") == {"upload": "a"}


def test_the_same_news_again_writes_nothing(processes: Processes) -> None:
    uploads(processes, "a", "b").records.apply([to("b")], cause="2")
    for again in ("b", "a"):
        counted: Any = Interrupted(processes.past)
        before = processes.past.get(*_row(processes))
        processes.ledger(past=counted).records.apply([to(again)], cause="3")
        assert processes.past.get(*_row(processes)) == before
        assert "replace" not in counted.calls


def _row(processes: Processes) -> tuple[str, str]:
    ((partition, row),) = [key for key in processes.past._rows if key[0].startswith("file-")]
    return partition, row


def test_a_newer_one_that_comes_between_reading_and_writing_stays(processes: Processes) -> None:
    uploads(processes, "a", "b", "c").records.apply([to("a")], cause="2")
    quicker = Once("replace", lambda: processes.ledger().records.apply([to("c")], cause="3"))
    processes.ledger(past=Interrupted(processes.past, before=quicker)).records.apply([to("b")], cause="4")
    assert quicker.done
    assert processes.ledger().records.led_to("file", "may.csv") == {"upload": "c"}


def test_a_model_version_leads_to_the_newest_it_scored(processes: Processes) -> None:
    ids = [f"{number:02}" for number in range(MOST_SCORED + 3)]
    ledger = processes.ledger()
    batches = [Change(kind="batch", id=id_, state="due", values={"name": id_}) for id_ in ids]
    states = ledger.records.apply(batches, cause="1")
    assert len(states) == len(ids)
    for id_ in [*reversed(ids), ids[3]]:
        processes.ledger().records.apply([to(id_, kind="batch", index=SEVERAL, name="bank:1")], cause="2")
    found = processes.ledger().records.scored_by("bank:1")
    assert [record.id for record in found] == ids[::-1][:MOST_SCORED]
    assert processes.ledger().records.scored_by("bank:2") == []


def test_two_batches_at_once_are_both_in(processes: Processes) -> None:
    batches = [Change(kind="batch", id=id_, state="due", values={"name": id_}) for id_ in "abc"]
    processes.ledger().records.apply(batches, cause="1")
    processes.ledger().records.apply([to("a", kind="batch", index=SEVERAL, name="m")], cause="2")
    change = to("b", kind="batch", index=SEVERAL, name="m")
    quicker = Once("replace", lambda: processes.ledger().records.apply([change], cause="2"))
    slow = processes.ledger(past=Interrupted(processes.past, before=quicker))
    slow.records.apply([to("c", kind="batch", index=SEVERAL, name="m")], cause="2")
    assert [record.id for record in processes.ledger().records.scored_by("m")] == ["c", "b", "a"]
