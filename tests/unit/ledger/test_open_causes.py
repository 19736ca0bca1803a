"""Causes of alerts: a fold of all events, each once, whatever is compacted when, and by which version of the app."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.adapters.memory import MemoryTable
from shared.domain.alerts import counted
from shared.ledger.event_log import CAUSES, EventLog
from shared.ledger.open_causes import MOST_CAUSES, Causes

WITHIN = "now"


def event(
    number: int, *causes: tuple[str, str], kind: str = "failure", state: str = "x", **data: Any
) -> dict[str, Any]:
    body = {"kind": kind, "id": f"{kind}-{number}", "state": state, "seq": 1, **data}
    return {
        "event": {"id": f"e{number}", "time": f"2026-11-30T08:00:00.{number:06d}+00:00", "data": body},
        "tally": {},
        "stays": {},
        "causes": [list(cause) for cause in causes],
        "record": {"kind": kind, "number": number},
    }


class Log:
    """A log of events over tables in memory."""

    def __init__(self) -> None:
        self.table = MemoryTable(now=lambda: datetime.now(UTC))
        self.log = EventLog(hot=self.table, cold=MemoryTable(now=lambda: datetime.now(UTC)), within=WITHIN)

    def append(self, *events: dict[str, Any]) -> None:
        appended = self.log.inserts(events)
        self.log.grown(appended, self.table.commit(WITHIN, appended))

    @property
    def causes(self) -> Causes:
        return self.log.causes(list(self.table.rows(WITHIN)))


def _events(count: int) -> list[dict[str, Any]]:
    """Each third opens the cause of its number modulo five, the next closes it; some clear it."""
    how = ("+", "+", "-", "+", "0", "-", "+")
    return [event(n, (how[n % 7], f"step-failed/{n % 5}")) for n in range(count)]


@pytest.mark.parametrize("count", [1, 24, 25, 50, 75, 131, 200])
@pytest.mark.parametrize("at_once", [1, 7])
def test_causes_are_a_fold_of_all_events_at_any_length(count: int, at_once: int) -> None:
    log, events, plain = Log(), _events(count), Causes()
    for start in range(0, count, at_once):
        log.append(*events[start : start + at_once])
    for number, one in enumerate(events):
        plain = plain.with_event(number, one)
    assert log.causes == plain


def test_what_a_version_that_knows_no_causes_compacted_is_folded_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, plain = Log(), Causes()
    events = [event(n, ("+", f"step-failed/{n}")) for n in range(260)]
    for one in events[:100]:
        log.append(one)
    assert log.table.get(WITHIN, CAUSES) is not None
    with monkeypatch.context() as older:
        older.setattr(EventLog, "_causes_folded", lambda *_: [])
        for one in events[100:200]:
            log.append(one)
    for one in events[200:]:
        log.append(one)
    for number, one in enumerate(events):
        plain = plain.with_event(number, one)
    assert log.causes == plain


def test_an_event_that_is_read_twice_counts_once() -> None:
    causes = Causes().with_event(0, event(0, ("+", "step-failed/a")))
    assert causes.with_event(0, event(0, ("+", "step-failed/a"))) == causes


def test_a_cause_is_open_since_what_opened_it_first() -> None:
    log = Log()
    log.append(
        event(0, ("+", "step-failed/a")), event(1, ("+", "step-failed/a")), event(2, ("-", "step-failed/a"))
    )
    found = log.causes.get("step-failed/a")
    assert found is not None
    assert (found.count, found.number, found.id) == (1, 0, "failure-0")
    log.append(event(3, ("-", "step-failed/a")), event(4, ("+", "step-failed/a")))
    again = log.causes.get("step-failed/a")
    assert again is not None
    assert again.number == 4


def test_more_causes_than_a_row_holds_share_one() -> None:
    causes = Causes()
    for n in range(2 * MOST_CAUSES):
        causes = causes.with_event(n, event(n, ("+", f"step-failed/{n}")))
    assert len(causes.open) == MOST_CAUSES + 1
    for n in range(2 * MOST_CAUSES):
        causes = causes.with_event(2 * MOST_CAUSES + n, event(n, ("-", f"step-failed/{n}")))
    assert causes.open == {}


def test_what_closes_an_alert_closes_what_was_counted_with_the_others() -> None:
    causes = Causes()
    for n in range(MOST_CAUSES):
        causes = causes.with_event(n, event(n, ("+", f"step-failed/{n}")))
    causes = causes.with_event(MOST_CAUSES, event(MOST_CAUSES, ("+", "batch-refused/bank")))
    assert causes.get("batch-refused/others") is not None
    causes = causes.with_event(MOST_CAUSES + 1, event(MOST_CAUSES + 1, ("0", "batch-refused/bank")))
    assert causes.get("batch-refused/others") is None


def test_arrivals_and_raised_alerts_are_noted() -> None:
    causes = Causes().with_event(0, event(0, kind="upload", state="admitted", dataset="bank"))
    assert causes.last("upload", "bank") == "2026-11-30T08:00:00.000000+00:00"
    causes = causes.with_event(1, event(1, kind="alert", state="raised"))
    assert causes.alerts == {"alert-1": 1}
    assert causes.with_event(2, event(1, kind="alert", state="over")).alerts == {}


def test_a_move_counts_what_the_table_says() -> None:
    held = counted("batch", "held", {"dataset": "bank", "held_columns": [{"column": "age"}]}, held=())
    ((how, cause),) = held.counts
    assert how == "+"
    assert cause.startswith("batch-held/bank/")
    assert counted("batch", "scoring", {"dataset": "bank"}, held=held.held).counts == [("-", cause)]
    assert counted("run", "completed", {"dataset": "bank"}, held=()).counts == [
        ("0", "run-failed/bank"),
        ("0", "run-failed/-"),
    ]
