"""The page stays current by itself, says when it cannot, and never floods the app."""

from __future__ import annotations

from typing import Any

from browser.conftest import Open
from playwright.sync_api import expect


def _status_asks(app: Any) -> int:
    return sum(path.startswith("/api/status") for _, path in app.asked)


def test_a_change_arrives_without_reload(open_page: Open, app: Any) -> None:
    page = open_page().go("#/batches")
    page.evaluate("window.untouched = true")

    def finish(it: Any) -> None:
        it.record("batches", "to-call-november.csv").update(
            state="scored", shards_scored=40, bytes_done=29_360_128
        )

    app.change(finish)
    row = page.get_by_role("row").filter(has_text="to-call-november.csv")
    expect(row).to_contain_text("scored")
    expect(row).to_contain_text("100 %")
    assert page.evaluate("window.untouched") is True


def test_waiting_costs_one_open_request(open_page: Open, app: Any) -> None:
    page = open_page().page
    asked = _status_asks(app)
    for number in range(3):
        app.change(lambda it, number=number: setattr(it, "paused", number % 2 == 0))
        expect(page.locator("#notices")).to_contain_text("Paused") if number % 2 == 0 else expect(
            page.locator("#notices")
        ).to_be_empty()
    # One answer for each change, and the one request that waits now.
    assert _status_asks(app) - asked <= 4


def test_focus_and_open_details_survive_a_change(open_page: Open, app: Any) -> None:
    page = open_page().go("#/models")
    page.get_by_text("The numbers as a table").click()
    link = page.get_by_role("table", name="Models").get_by_role("link", name="bank-additional:3")
    link.focus()
    app.change(lambda it: it.record("models", "bank-additional:7").update(reason="a new reason"))
    expect(page.locator("main")).to_contain_text("a new reason")
    expect(link).to_be_focused()
    assert page.locator("details.as-table").first.get_attribute("open") is not None


def test_a_lost_connection_is_said_and_comes_back(open_page: Open, app: Any) -> None:
    page = open_page().page
    app.change(lambda it: setattr(it, "down", True))
    expect(page.locator("#connection")).to_have_attribute("data-state", "lost")
    expect(page.locator("#notices")).to_contain_text("Connection lost. What you see may be old.")
    expect(page.locator("#said")).to_contain_text("The connection is lost")
    expect(page.locator("h1")).to_contain_text("Model 7 answers")
    app.change(lambda it: setattr(it, "down", False))
    page.get_by_role("button", name="Try now").click()
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("#notices")).to_be_empty()


def test_tries_get_rarer_while_nobody_answers(open_page: Open, app: Any) -> None:
    opened = open_page()
    page = opened.page
    app.change(lambda it: setattr(it, "down", True))
    expect(page.locator("#connection")).to_have_attribute("data-state", "lost")
    page.clock.install()
    page.reload()
    before = _status_asks(app)
    for _ in range(120):
        page.clock.run_for(1000)
    # Two minutes with pauses of 1, 2, 4 ... 60 seconds, each spread by a quarter: some, and nowhere near 120.
    assert 3 <= _status_asks(app) - before <= 12
    opened.errors.clear()


def test_who_may_act_may_act_though_the_app_did_not_say_so_at_first(open_page: Open, app: Any) -> None:
    opened = open_page()
    app.away += ["/api/session", "/api/session"]
    opened.page.reload()
    expect(opened.page.locator("#side-foot")).to_contain_text("You may act as operator")
    expect(opened.page.get_by_role("button", name="Score now")).to_be_enabled()
    assert app.away == []


def test_without_a_network_the_page_says_so(open_page: Open) -> None:
    opened = open_page()
    opened.context.set_offline(True)
    expect(opened.page.locator("#connection")).to_have_attribute("data-state", "lost")
    opened.context.set_offline(False)
    expect(opened.page.locator("#connection")).to_have_attribute("data-state", "live")


def test_a_failing_panel_leaves_the_others(open_page: Open, app: Any) -> None:
    opened = open_page()
    app.change(lambda it: it.collections.pop("events"))
    page = opened.go("#/runs")
    page = opened.go("#/")
    expect(page.locator("main")).to_contain_text("Not found")
    expect(page.locator("main")).to_contain_text("Scoring: to-call-november.csv")


def test_rows_are_not_asked_for_before_there_are_any(open_page: Open, app: Any) -> None:
    page = open_page().go("#/batches/to-call-november-csv-6f2c0a51")
    rows = "/api/batches/to-call-november-csv-6f2c0a51/rows"
    assert not any(path.startswith(rows) for _, path in app.asked)
    app.change(lambda it: it.record("batches", "to-call-november.csv").update(state="scored"))
    expect(page.get_by_role("region", name="First rows of the output")).to_be_visible()
