"""What waits for a person is shown with what to do about it, however long ago it came."""

from __future__ import annotations

from typing import Any

import pytest
from browser.conftest import Open, Opened
from browser.fake_app import FakeApp
from playwright.sync_api import Locator, expect

from functions.http.views.schemas import NEEDS_PERSON
from shared.kinds import BY_NAME

WHY = "nr.employed: 100 % of the rows are far from all that the model learned"
WAITING: dict[str, tuple[str, dict[str, Any], str]] = {
    "failure": ("failures", {"about": "seal_batch the-oldest"}, "Try again"),
    "model": (
        "models",
        {"heldBecause": "no comparison could be made", "version": 99},
        "Approve or reject it",
    ),
    "dataset": (
        "datasets",
        {"doubtedBecause": "its labels are turned around", "version": 99},
        "Trust the rows",
    ),
    "batch": ("batches", {"name": "the-oldest.csv", "reason": WHY}, "Score it as it is"),
    "quarantine": ("quarantine", {"name": "the-oldest.csv"}, "See every reason"),
}
"""By kind: its list, what such a record tells, and what can be done about it."""


def _bury(app: FakeApp, kind: str, state: str, newer: int = 30) -> dict[str, Any]:
    """One record that waits, older than all others of its kind, and as many newer ones that do not; alone in waiting."""
    list_, tells, _ = WAITING[kind]
    rests = next(one.name for one in BY_NAME[kind].states if not one.needs_person)
    for of, name in NEEDS_PERSON:
        records = app.collections[WAITING[of][0]]
        records[:] = [record for record in records if record["state"] != name]
    of_kind = app.collections[list_]
    shape = of_kind[0] if of_kind else {"kind": kind, "seq": 1, "createdAt": "2026-11-24T08:05:00.000+00:00",
                                        "lastModifiedAt": "2026-11-24T08:05:00.000+00:00", "history": [], "links": {},
                                        "reason": WHY, "rows": 1, "upload": "upload/x.csv/0x1"}  # fmt: skip
    of_kind += [{**shape, "id": f"newer-{number}", "state": rests} for number in range(newer)]
    waits = {**shape, **tells, "id": "bank-additional:99", "state": state}
    of_kind.append(waits)
    return waits


def _attention(opened: Opened) -> Locator:
    return opened.page.get_by_role("region", name="Needs a person")


def test_every_kind_that_can_wait_is_tried_here() -> None:
    assert {kind for kind, _ in NEEDS_PERSON} == set(WAITING)


@pytest.mark.parametrize(("kind", "state"), NEEDS_PERSON)
def test_what_waits_is_shown_though_much_came_after_it(
    open_page: Open, app: FakeApp, kind: str, state: str
) -> None:
    app.change(lambda it: _bury(it, kind, state))
    opened = open_page()
    expect(opened.page.locator("h1")).to_contain_text("1 thing needs a person.")
    lines = _attention(opened).get_by_role("listitem")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text(WAITING[kind][2])


@pytest.mark.parametrize(("kind", "state"), NEEDS_PERSON)
def test_how_many_more_wait_is_said(open_page: Open, app: FakeApp, kind: str, state: str) -> None:
    def bury_eight(it: FakeApp) -> None:
        one = _bury(it, kind, state, newer=0)
        it.collections[WAITING[kind][0]] += [{**one, "id": f"bank-additional:{n}"} for n in range(100, 107)]

    app.change(bury_eight)
    opened = open_page()
    lines = _attention(opened).get_by_role("listitem")
    expect(lines).to_have_count(6)
    expect(lines.last).to_contain_text("3 more")


def test_more_doubts_lead_to_a_list_of_them_alone(open_page: Open, app: FakeApp) -> None:
    def bury_eight(it: FakeApp) -> None:
        one = _bury(it, "dataset", "doubted")
        it.collections["datasets"] += [
            {**one, "id": f"bank-additional:{n}", "version": n} for n in range(100, 107)
        ]

    app.change(bury_eight)
    page = open_page().page
    page.get_by_role("link", name="3 more dataset versions").click()
    expect(page.get_by_role("navigation", name="Which versions").locator("[aria-current]")).to_have_text(
        "In doubt"
    )
    states = page.get_by_role("table", name="Dataset versions").locator(".badge")
    expect(states).to_have_text(["in doubt"] * 8)


def test_what_is_done_goes_without_being_asked_for_again(open_page: Open, app: FakeApp) -> None:
    app.change(lambda it: _bury(it, "batch", "held"))
    app.change(lambda it: it.collections["alerts"].clear())
    opened = open_page()
    expect(_attention(opened)).to_contain_text("the-oldest.csv")
    app.change(lambda it: it.record("batches", "the-oldest.csv").update(state="scoring"))
    expect(_attention(opened)).to_contain_text("Nothing waits for a person")
    expect(opened.page.locator("h1")).to_contain_text("Nothing needs you.")


def test_where_nothing_waits_nothing_is_looked_for(open_page: Open, app: FakeApp) -> None:
    def settle(it: FakeApp) -> None:
        for kind, state in NEEDS_PERSON:
            records = it.collections[WAITING[kind][0]]
            records[:] = [record for record in records if record["state"] != state]

    app.change(settle)
    opened = open_page()
    expect(_attention(opened)).to_contain_text("Nothing waits for a person")
    assert [path for _, path in app.asked if "state=" in path] == []
