"""What a contract expects, and when it is late: by calendar and clock of its place, whatever the clocks do."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.contracts import load_contracts
from shared.domain.expectations import expectations
from shared.errors import ConfigurationError

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CONTRACTS = Path(__file__).parents[3] / "contracts"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def due(body: dict[str, Any], last: str | None, *, watched: datetime = LONG_AGO) -> str | None:
    """When the next is late, in UTC."""
    found = expectations(body).next_due("files", at(last) if last else None, watched=watched)
    return found.since.strftime("%Y-%m-%dT%H:%M") if found else None


LISBON: dict[str, Any] = {"time_zone": "Europe/Lisbon", "files": {"by": "08:00"}}


@pytest.mark.parametrize(
    ("last", "late"),
    [
        ("2026-11-27T07:00", "2026-11-30T08:00"),  # Friday's came: Saturday and Sunday are no working days
        ("2026-11-29T21:00", "2026-12-01T08:00"),  # Sunday night's is Monday's
        ("2026-11-29T19:59", "2026-11-30T08:00"),  # not what came more than 12 hours before
        ("2026-11-30T09:00", "2026-12-01T08:00"),  # Monday's came late, and is not Tuesday's
        ("2026-06-12T05:00", "2026-06-15T07:00"),  # in summer Lisbon is an hour ahead
    ],
)
def test_by_an_hour_on_working_days(last: str, late: str) -> None:
    assert due(LISBON, last) == late


def test_a_holiday_expects_nothing() -> None:
    body = {**LISBON, "holidays": ["2026-11-30", "2026-12-01"]}
    assert due(body, "2026-11-27T07:00") == "2026-12-02T08:00"


def test_chosen_days() -> None:
    assert due({"files": {"by": "08:00", "days": ["sun"]}}, "2026-11-27T07:00") == "2026-11-29T08:00"


def test_at_midnight_the_day_is_that_of_the_place() -> None:
    body = {"time_zone": "Asia/Tokyo", "files": {"by": "00:00"}}
    assert due(body, "2026-11-27T07:00") == "2026-11-29T15:00", (
        "Monday's midnight in Tokyo is Sunday in Lisbon"
    )


@pytest.mark.parametrize(
    ("zone", "hour", "last", "late"),
    [
        (
            "Europe/Berlin",
            "02:30",
            "2026-03-28T02:00",
            "2026-03-29T01:30",
        ),  # skipped: 02:30 is 03:30 in summer time
        ("Europe/Berlin", "08:00", "2026-03-28T07:30", "2026-03-29T06:00"),
        ("Europe/Berlin", "02:30", "2026-10-24T01:00", "2026-10-25T00:30"),  # twice: the first
        ("America/New_York", "08:00", "2026-10-31T12:30", "2026-11-01T13:00"),
    ],
)
def test_when_the_clocks_change(zone: str, hour: str, last: str, late: str) -> None:
    body = {"time_zone": zone, "files": {"by": hour, "days": ["sat", "sun"]}}
    assert due(body, last) == late


def test_at_most_so_old_at_any_hour_of_any_day() -> None:
    assert due({"files": {"at_most_hours_old": 36}}, "2026-11-27T07:00") == "2026-11-28T19:00"
    both = {"files": {"at_most_hours_old": 36, "by": "08:00"}}
    assert due(both, "2026-11-26T07:00") == "2026-11-27T08:00", "whichever comes first"


def test_no_hour_is_missed_before_it_was_expected_at_all() -> None:
    watched = at("2026-11-30T10:00")
    assert due(LISBON, None, watched=watched) == "2026-12-01T08:00"
    assert due({"files": {"at_most_hours_old": 36}}, None, watched=watched) == "2026-12-01T22:00"
    assert (
        due({"files": {"at_most_hours_old": 36}}, "2020-01-01T00:00", watched=watched) == "2026-12-01T22:00"
    )


def test_what_is_not_expected_is_never_late() -> None:
    assert due({"batches": {"by": "08:00"}}, "2026-11-27T07:00") is None
    days = [str((at("2026-11-27T00:00") + timedelta(days=n)).date()) for n in range(500)]
    assert due({"holidays": days, "files": {"by": "08:00"}}, "2026-11-27T07:00") is None


@given(
    last=st.integers(0, 3_000_000).map(lambda minutes: at("2024-01-01T00:00") + timedelta(minutes=minutes)),
    zone=st.sampled_from(
        ["UTC", "Europe/Lisbon", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Kiritimati"]
    ),
    hour=st.times(),
    opens=st.floats(0.5, 24),
)
def test_what_comes_when_it_is_late_ends_it_and_what_came_just_in_time_meets_it(
    last: datetime, zone: str, hour: Any, opens: float
) -> None:
    body = {"time_zone": zone, "files": {"by": f"{hour:%H:%M}", "opens_hours": opens}}
    made = expectations(body)
    found = made.next_due("files", last, watched=LONG_AGO)
    assert found is not None
    assert found.since - timedelta(hours=opens) > last
    for came in (found.since, found.since - timedelta(minutes=1)):
        later = made.next_due("files", came, watched=LONG_AGO)
        assert later is not None
        assert later.since > found.since


# --- what is wrong with it ----------------------------------------------------------------------------------

WRONG: list[tuple[Any, str]] = [
    ("daily", "expects: 'daily' is no mapping of batches, files, holidays, time_zone"),
    ({}, "expects: say of what, `files` or `batches`"),
    (
        {"file": {"by": "08:00"}},
        "expects: file means nothing there; there is batches, files, holidays, time_zone",
    ),
    ({"files": {"days": ["mon"]}}, "expects.files: say by when"),
    (
        {"files": {"at_most_hours_old": 3, "days": ["mon"]}},
        "`days` and `opens_hours` are of an hour: say `by` too",
    ),
    ({"files": {"by": 480}}, "expects.files.by: 480 is no hour; write it in quotes"),
    ({"files": {"by": "8:00"}}, "expects.files.by: '8:00' is no hour"),
    ({"files": {"by": "25:00"}}, "expects.files.by: '25:00' is no hour"),
    ({"files": {"by": "08:00", "days": ["monday"]}}, "expects.files.days: ['monday'] is none of mon, tue"),
    ({"files": {"by": "08:00", "days": []}}, "expects.files.days"),
    ({"files": {"by": "08:00", "days": "mon"}}, "expects.files.days: 'mon' is no list"),
    (
        {"files": {"by": "08:00", "opens_hours": 25}},
        "expects.files.opens_hours: 25 is no number of hours above 0",
    ),
    ({"files": {"at_most_hours_old": 0}}, "expects.files.at_most_hours_old: 0 is no number of hours"),
    ({"files": {"at_most_hours_old": True}}, "expects.files.at_most_hours_old: True is no number"),
    ({"files": {"at_most_hours_old": float("nan")}}, "expects.files.at_most_hours_old: nan is no number"),
    ({"time_zone": "Lisbon", "files": {"by": "08:00"}}, "expects.time_zone: 'Lisbon' is no time zone"),
    ({"time_zone": "../etc/passwd", "files": {"by": "08:00"}}, "is no time zone"),
    ({"time_zone": 1, "files": {"by": "08:00"}}, "expects.time_zone: 1 is no time zone"),
    ({"holidays": ["25 December"], "files": {"by": "08:00"}}, "expects.holidays: '25 December' is no day"),
    ({"holidays": "none", "files": {"by": "08:00"}}, "expects.holidays: 'none' is no list"),
]


@pytest.mark.parametrize(("body", "said"), WRONG, ids=[str(body)[:60] for body, _ in WRONG])
def test_what_is_wrong_is_named_with_what_to_do(body: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        expectations(body)


def test_the_fault_of_a_file_names_file_line_and_key(tmp_path: Path) -> None:
    text = (CONTRACTS / "bank.yaml").read_text(encoding="utf-8")
    lines = len(text.splitlines())
    (tmp_path / "bank.yaml").write_text(
        text + "expects:\n  time_zone: UTC\n  files:\n    by: 10:30\n", encoding="utf-8"
    )
    with pytest.raises(ConfigurationError) as fault:
        load_contracts(tmp_path)
    assert f"bank.yaml, line {lines + 4}: " in str(fault.value)
    assert "expects.files.by: " in str(fault.value)


def test_a_key_that_means_nothing_is_no_contract(tmp_path: Path) -> None:
    text = (CONTRACTS / "bank.yaml").read_text(encoding="utf-8")
    (tmp_path / "bank.yaml").write_text(text + "expect: {files: {by: '08:00'}}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="'expect'"):
        load_contracts(tmp_path)


def test_holidays_may_be_bare_days_of_yaml() -> None:
    body = {"holidays": [at("2026-11-30T00:00").date()], "files": {"by": "08:00"}}
    assert due(body, "2026-11-27T07:00") == "2026-12-01T08:00"
