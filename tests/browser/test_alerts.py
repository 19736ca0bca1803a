"""The page says what is the matter, since when and what mends it; and when nobody can be told of it."""

from __future__ import annotations

from typing import Any

from browser.conftest import Open
from browser.fake_app import FakeApp
from playwright.sync_api import Page, expect

from functions.http.views.schemas import NEEDS_PERSON
from shared.kinds import BY_NAME

LATE = "An expected file has not come"


def test_what_is_the_matter_stands_first_with_what_mends_it(open_page: Open) -> None:
    opened = open_page()
    page = opened.go("#/")
    matters = page.get_by_role("region", name="Active alerts")
    expect(matters.get_by_role("listitem")).to_have_count(2)
    expect(matters).to_contain_text("./dev failures --retry-all")
    expect(page.locator("#nav [data-count=alerts]")).to_have_text("2 raised")
    matters.get_by_role("link", name=LATE).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("file-late-")
    expect(page.locator("main")).to_contain_text("./dev drop FILE")
    for label, value in {"Severity": "page: now", "Runbook": "docs/runbook.md#file-late"}.items():
        expect(page.locator(".facts > div").filter(has_text=label)).to_have_text(f"{label}{value}")
    assert opened.errors == []


def test_an_alert_that_needs_somebody_now_is_in_the_headline_and_one_that_has_time_is_not(
    open_page: Open, app: FakeApp
) -> None:
    def settle(it: FakeApp) -> None:
        for kind, state in NEEDS_PERSON:
            records = it.collections[BY_NAME[kind].plural]
            records[:] = [record for record in records if record["state"] != state]

    def put_off(it: FakeApp) -> None:
        for alert in it.collections["alerts"]:
            alert["severity"] = "ticket"

    app.change(settle)
    headline = open_page().page.locator("h1")
    expect(headline).to_contain_text("2 alerts need somebody now.")
    expect(headline).not_to_contain_text("Nothing needs you")
    app.change(put_off)
    expect(headline).to_contain_text("Nothing needs you.")


def test_a_dataset_says_since_when_its_file_is_late_and_when_the_last_came(open_page: Open) -> None:
    opened = open_page()
    page = opened.go("#/")
    card = page.locator(".answer-card").first
    expect(card).to_contain_text("A file has been missing since")
    expect(card).to_contain_text("by 08:00 (Europe/Lisbon)")
    expect(card).to_contain_text("the last came yesterday")
    expect(card).to_contain_text("The next list to score is expected until")


def test_a_link_of_a_message_opens_the_very_thing(open_page: Open, app: FakeApp) -> None:
    opened = open_page()
    batch = app.collections["batches"][0]["id"]
    for address, place in (
        (f"#/open/batch/{batch}", f"#/batches/{batch}"),
        ("#/open/model/bank-additional%3A7", "#/models/bank-additional/7"),
        ("#/open/run/bank-additional-v8-a1", "#/runs/bank-additional-v8-a1"),
        (
            "#/open/quarantine/upload%2Fleads-from-crm.csv%2F0x1",
            "#/quarantine/leads-from-crm.csv?upload=upload%2Fleads-from-crm.csv%2F0x1",
        ),
    ):
        opened.page.evaluate("address => { location.hash = address; }", address)
        opened.until(f"location.hash === {place!r}")


def test_a_page_without_an_alert_of_the_state_says_so_and_leads_on(open_page: Open, app: FakeApp) -> None:
    app.change(lambda it: setattr(it, "scanned", 1))
    page = open_page().go("#/alerts?state=over")
    expect(page.locator("main")).to_contain_text("None on this page")
    page.get_by_role("link", name="Older").click()
    page.get_by_role("link", name="Older").click()
    expect(page.locator("main")).to_contain_text("Files or rows are in quarantine")


def test_the_page_says_when_nobody_can_be_told(open_page: Open, app: FakeApp) -> None:
    opened = open_page()
    notices = opened.page.locator("#notices")
    expect(notices).not_to_contain_text("told")
    _failing(app)
    opened.page.reload()
    opened.until("document.querySelector('#notices .notice') !== null")
    expect(notices).to_contain_text("Nobody can be told of alerts: on-call answered 404")
    expect(notices).to_contain_text("The reconciliation last ended well at")
    page = opened.go("#/alerts")
    channels = page.get_by_role("table", name="Alert channels")
    expect(channels.get_by_role("row").nth(1)).to_contain_text("fail")
    expect(channels).to_contain_text("on-call answered 404")


def test_without_a_channel_the_page_says_that_nobody_is_told(open_page: Open, app: FakeApp) -> None:
    opened = open_page()
    app.change(lambda it: it.notifier.update(status="none", channels=[]))
    page = opened.go("#/alerts")
    expect(page.locator("main")).to_contain_text("No alert channel is set up: nobody is told.")


def test_a_test_message_is_asked_for_by_an_operator(open_page: Open, app: FakeApp) -> None:
    opened = open_page()
    page: Page = opened.go("#/alerts")
    page.get_by_role("button", name="Send a test message").click()
    page.locator("#confirm").get_by_role("button", name="Send a test message").click()
    opened.until("document.body.textContent.includes('Every channel took the test message.')")
    assert [path for path, _, _ in app.posted] == ["alert-channels/test"]


def _failing(app: FakeApp) -> None:
    def fail(it: Any) -> None:
        it.notifier["status"] = "fail"
        for one in it.notifier["channels"]:
            one.update(status="fail", problem=f"{one['name']} answered 404")
        it.unwell = {
            "alerts:notifier": "nobody can be told of alerts: on-call answered 404",
            "alerts:sweep": "the reconciliation last ended well at 2026-11-30T08:00:00.000+00:00",
        }

    app.change(fail)
