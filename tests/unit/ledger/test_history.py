"""How a record moves: forward only, each move once, and again only in a new round."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.kinds.kind import Change
from shared.kinds import STATES, rank
from shared.ledger import history

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
Value = dict[str, Any]


def _told(*changes: Change) -> Value:
    record: Value | None = None
    for minute, change in enumerate(changes):
        record = history.advanced(record, change, NOW + timedelta(minutes=minute), cause=f"fact {minute}")
    assert record is not None
    return record


def _logged(*changes: Change) -> list[Value]:
    """What the changes, each of a cause of its own, put into the event log."""
    record: Value | None = None
    logged: list[Value] = []
    for minute, change in enumerate(changes):
        cause = f"fact {minute}"
        record = history.advanced(record, change, NOW + timedelta(minutes=minute), cause=cause)
        logged += history.events(change, record, cause=cause)
    return logged


def _data(*changes: Change) -> list[Value]:
    """What the events tell, beside which thing it is."""
    told = [logged["event"]["data"] for logged in _logged(*changes)]
    return [{name: value for name, value in data.items() if name not in ("kind", "id")} for data in told]


def _upload(state: str | None, **values: Any) -> Change:
    return Change(kind="upload", id="u", state=state, values=values)


def test_a_record_begins_with_its_first_state_and_a_move() -> None:
    record = _told(_upload("arrived", name="a.csv"))
    assert (record["state"], record["seq"], record["round"]) == ("arrived", 1, 0)
    assert record["values"] == {
        "history": [["arrived", NOW.isoformat(timespec="milliseconds")]],
        "name": "a.csv",
    }
    (logged,) = _logged(_upload("arrived", name="a.csv"))
    assert (logged["tally"], logged["stays"]) == ({"upload/arrived/": 1}, {})


def test_a_move_says_what_it_left_and_how_long_it_was_there() -> None:
    logged = _logged(_upload("arrived"), _upload("admitted", dataset="bank"))[-1]
    assert logged["tally"] == {"upload/arrived/": -1, "upload/admitted/bank": 1}
    assert logged["stays"] == {"upload/arrived": 60.0}


def test_every_event_names_its_thing() -> None:
    told = _data(_upload("arrived", name="a.csv"), _upload("admitted", dataset="bank", rows=3))
    assert [of.get("name") for of in told] == ["a.csv", "a.csv"]
    assert told[1]["dataset"] == "bank"


def test_an_event_too_large_to_tell_still_names_its_thing() -> None:
    changes = _upload("arrived", name="a.csv"), _upload("admitted", reason="x" * history.MOST_PUBLIC)
    assert _data(*changes)[-1] == {"state": "admitted", "seq": 2, "name": "a.csv"}


def test_the_same_news_twice_changes_nothing() -> None:
    once = _told(_upload("arrived", name="a"))
    assert history.advanced(once, _upload("arrived", name="a"), NOW + timedelta(hours=1), cause="x") == once


def test_a_cause_finds_its_moves_again_however_often_it_is_applied() -> None:
    arrived, admitted = _upload("arrived", name="a"), _upload("admitted", rows=3)
    record = _told(arrived, admitted, _upload("registered"))
    assert history.events(admitted, record, cause="fact 1")[0]["event"]["data"]["seq"] == 2
    again = history.advanced(record, admitted, NOW + timedelta(hours=1), cause="fact 1")
    assert history.events(admitted, again, cause="fact 1") == history.events(admitted, record, cause="fact 1")
    assert history.events(admitted, record, cause="fact 2") == []
    assert history.events(arrived, record, cause="fact 1") == []


def test_late_news_adds_what_it_knows_and_leaves_the_state() -> None:
    record = _told(_upload("registered", rows=5), _upload("arrived", name="a", rows=4))
    assert (record["state"], record["values"]["name"], record["values"]["rows"]) == ("registered", "a", 5)
    assert len(record["moves"]) == 1


def test_values_alone_cannot_begin_a_record() -> None:
    with pytest.raises(ValueError, match="not known yet"):
        _told(_upload(None, name="a"))


def test_a_new_round_begins_again_and_the_old_rounds_news_is_late() -> None:
    released = Change(kind="model", id="m", state="released")
    replaced = Change(kind="model", id="m", state="previous")
    again = Change(kind="model", id="m", state="releasing", round=7)
    record = _told(released, replaced, again, released)
    assert (record["state"], record["round"]) == ("released", 7)
    stale = history.advanced(record, Change(kind="model", id="m", state="previous", round=0), NOW, cause="x")
    assert stale["state"] == "released"


def test_an_event_names_what_happened_and_has_the_same_id_whenever_it_is_made() -> None:
    change = Change(kind="model", id="bank:1", state="rolled-back", values={"reason": "slow"})
    (event,) = [logged["event"] for logged in _logged(change)]
    assert event["type"] == "Campanha.ModelRolledBack.v1"
    about = {"kind": "model", "id": "bank:1"}
    assert event["data"] == {**about, "state": "rolled-back", "seq": 1, "reason": "slow"}
    assert event["id"] == _logged(change)[0]["event"]["id"]


def test_an_event_tells_only_what_is_public() -> None:
    changes = _upload("arrived", name="a.csv", attempt=2, unheard_of=1)
    assert _data(changes) == [{"state": "arrived", "seq": 1, "name": "a.csv"}]


def test_an_event_stays_small() -> None:
    assert _data(_upload("arrived", reason="x" * 10_000)) == [{"state": "arrived", "seq": 1}]


def test_a_long_history_keeps_its_newest() -> None:
    rounds = [
        Change(kind="model", id="m", state=state, round=n)
        for n in range(60)
        for state in ("releasing", "released")
    ]
    record = _told(*rounds)
    assert len(record["values"]["history"]) == history.LONGEST_HISTORY
    assert record["values"]["history"][-1][0] == "released"


@pytest.mark.parametrize("kind", STATES)
def test_in_whatever_order_news_comes_the_record_ends_in_the_same_state(kind: str) -> None:
    states = STATES[kind][:4]
    ends = {
        _told(*[Change(kind=kind, id="x", state=state) for state in order])["state"]
        for order in permutations(states)
    }
    assert ends == {states[-1]}


@given(st.lists(st.tuples(st.sampled_from(STATES["run"]), st.integers(0, 2)), min_size=1, max_size=12))
def test_sums_of_the_moves_are_the_states_there_are(news: list[tuple[str, int]]) -> None:
    """However the moves come, adding up their tallies gives one record, in the state it is in; and it never goes back."""
    record: Value | None = None
    seen = []
    sums: dict[str, int] = {}
    for number, (state, round_) in enumerate(news):
        change = Change(kind="run", id="r", state=state, round=round_)
        record = history.advanced(record, change, NOW, cause=f"fact {number}")
        seen.append((record["round"], rank("run", record["state"]), record["seq"]))
        for logged in history.events(change, record, cause=f"fact {number}"):
            for name, count in logged["tally"].items():
                sums[name] = sums.get(name, 0) + count
    assert record is not None
    assert seen == sorted(seen)
    assert {name: total for name, total in sums.items() if total} == {f"run/{record['state']}/": 1}
