"""A batch's page says what its reason is the reason of, and what can be done about it."""

from __future__ import annotations

import pytest
from browser.conftest import Open
from browser.fake_app import FakeApp
from playwright.sync_api import expect

WHY = "nr.employed: 100 % of the rows are far from all that the model learned"


def test_a_held_batch_says_why_and_is_scored_as_it_is(open_page: Open, app: FakeApp) -> None:
    app.change(lambda it: it.record("batches", "to-call-islands.csv").update(state="held", reason=WHY))
    page = open_page().go("#/batches/to-call-islands-csv-0a51b3c2")
    why = page.get_by_role("region", name="Why it is held")
    expect(why).to_contain_text(WHY)
    expect(why).to_contain_text("drop a mended file of the same name")
    why.get_by_role("button", name="Score it as it is").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("the index was rebased")
    dialog.get_by_role("button", name="Score it as it is").click()
    expect(page.locator(".toast")).to_contain_text("to-call-islands.csv is scored as it is.")
    ((path, body, _),) = app.posted
    assert path == "batches/to-call-islands-csv-0a51b3c2/approve"
    assert body == {"reason": "the index was rebased"}


@pytest.mark.parametrize(
    ("state", "title"),
    [
        ("due", "Why it waits"),
        ("scoring", "Why it waits"),
        ("duplicate", "Why it is not scored again"),
        ("replaced", "Why it was held"),
        ("refused", "Why it cannot be scored"),
    ],
)
def test_a_batchs_reason_says_what_it_is_the_reason_of(
    open_page: Open, app: FakeApp, state: str, title: str
) -> None:
    app.change(lambda it: it.record("batches", "to-call-islands.csv").update(state=state, reason=WHY))
    page = open_page().go("#/batches/to-call-islands-csv-0a51b3c2")
    why = page.get_by_role("region", name=title)
    expect(why).to_contain_text(WHY)
    expect(why.get_by_role("button")).to_have_count(0)
    assert ("dropped again is a new batch" in why.inner_text()) is (state == "refused")
    assert "Mend the file" not in why.inner_text()
