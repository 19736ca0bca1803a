"""What an operator does is asked back, sent once with a key of its own, and followed to its end."""

from __future__ import annotations

from typing import Any

import pytest
from browser.conftest import Open
from browser.fake_app import Problem
from playwright.sync_api import Page, expect

ACTIONS = [
    ("#/", "Score now", "batches", None),
    ("#/", "Pause", "pause", "a drill"),
    ("#/", "Try again", "failures/", None),
    ("#/files", "Retrain bank-additional", "datasets/bank-additional/retrain", None),
    ("#/models/bank-additional/6", "Promote", "models/bank-additional/6/promote", "we know better"),
    ("#/models/bank-additional/7", "Roll back", "endpoints/bank-additional/rollback", "complaints"),
    ("#/", "Trust the rows", "datasets/bank-additional/6/trust", "checked by hand"),
    (
        "#/",
        "Withdraw calls-2026-w44.csv",
        "uploads/calls-2026-w44.csv/withdraw",
        "labels of another campaign",
    ),
    ("#/datasets/bank-additional/6", "Trust the rows", "datasets/bank-additional/6/trust", "checked by hand"),
    ("#/quarantine/leads-from-crm.csv", "Check again", "quarantine/leads-from-crm.csv/retry", None),
    (
        "#/quarantine/leads-from-crm.csv",
        "Readmit the rejected rows",
        "quarantine/leads-from-crm.csv/readmit",
        "agreed",
    ),
    ("#/quarantine/leads-from-crm.csv", "Discard", "quarantine/leads-from-crm.csv/discard", "a test file"),
]


@pytest.mark.parametrize(("address", "label", "path", "reason"), ACTIONS)
def test_an_action_is_confirmed_sent_and_followed(  # noqa: PLR0917
    open_page: Open, app: Any, address: str, label: str, path: str, reason: str | None
) -> None:
    page = open_page().go(address)
    page.get_by_role("button", name=label, exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    if reason:
        dialog.get_by_role("textbox").fill(reason)
    dialog.get_by_role("button", name=label, exact=True).click()
    expect(page.locator(".toast")).to_be_visible()
    ((sent, body, key),) = app.posted
    assert sent.startswith(path)
    assert body.get("reason") == reason
    assert len(key) == 32
    assert [operation["status"] for operation in app.operations.values()] == ["Succeeded"]


def test_readmission_says_which_rows_it_lets_in(open_page: Open, app: Any) -> None:
    page = open_page().go("#/quarantine/leads-from-crm.csv")
    page.get_by_role("button", name="Readmit the rejected rows").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The contract's rules on values are waived for them")
    expect(dialog).to_contain_text("What cannot be read so stays in quarantine")


def test_a_pause_says_that_files_are_taken_in_all_the_same(open_page: Open, app: Any) -> None:
    page = open_page().page
    page.get_by_role("button", name="Pause").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(
        "No run, batch or release is begun until somebody resumes. Files that arrive are still taken in"
    )
    dialog.get_by_role("textbox").fill("a drill")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text(
        "Files that arrive are taken in; what they would begin waits."
    )
    expect(page.locator("#notices")).to_contain_text(
        "no run, batch or release is begun; files that arrive are taken in", ignore_case=True
    )


def test_cancel_sends_nothing(open_page: Open, app: Any) -> None:
    page = open_page().page
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert app.posted == []


def test_a_reason_is_asked_for(open_page: Open, app: Any) -> None:
    page = open_page().go("#/models/bank-additional/7")
    page.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert app.posted == []


def _retrained(open_page: Open) -> Page:
    """A page on which an operator has asked for a retrain, and confirmed it."""
    page = open_page().go("#/files")
    page.get_by_role("button", name="Retrain bank-additional").click()
    page.get_by_role("dialog").get_by_role("button").last.click()
    return page


def test_a_refusal_is_told_in_the_apps_words(
    open_page: Open, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Problem(409, "Conflict", "A run of this dataset is going already.")

    monkeypatch.setattr(app, "post", refuse)
    page = _retrained(open_page)
    expect(page.locator(".toast")).to_contain_text("A run of this dataset is going already.")


class Gone(ConnectionError):
    """The connection breaks before the answer is out."""


@pytest.mark.parametrize("lost", [Gone(), Problem(503, "Unavailable", "The ledger does not answer.")])
def test_an_action_whose_answer_is_lost_is_sent_again_as_the_same_one(
    open_page: Open, app: Any, monkeypatch: pytest.MonkeyPatch, lost: Exception
) -> None:
    post = app.post

    def lost_once(*given: Any) -> Any:
        answer = post(*given)
        if len(app.posted) == 1:
            raise lost
        return answer

    monkeypatch.setattr(app, "post", lost_once)
    page = _retrained(open_page)
    expect(page.locator(".toast")).to_be_visible()
    expect(page.locator(".toast[data-tone=bad]")).to_have_count(0)
    assert len(app.posted) == 2
    assert len({key for *_, key in app.posted}) == 1


def test_an_action_is_followed_past_answers_that_do_not_come(
    open_page: Open, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow, asked = app.operation, []

    def at_first_not(id_: str) -> Any:
        asked.append(id_)
        if len(asked) == 1:
            raise Problem(503, "Unavailable", "The ledger does not answer.")
        return follow(id_)

    monkeypatch.setattr(app, "operation", at_first_not)
    page = _retrained(open_page)
    expect(page.locator(".toast")).to_be_visible()
    expect(page.locator(".toast[data-tone=bad]")).to_have_count(0)
    assert len(asked) > 2


def test_paused_is_shown_and_undone(open_page: Open, app: Any) -> None:
    app.change(lambda it: setattr(it, "paused", True))
    page = open_page().page
    expect(page.locator("#notices")).to_contain_text("Paused.")
    page.locator("#notices").get_by_role("button", name="Resume").click()
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(page.locator("#notices")).to_be_empty()
    assert app.paused is False


def test_a_setting_that_was_changed_live_is_shown_with_who_and_why(open_page: Open, app: Any) -> None:
    changed = {"name": "RUNS_PER_DAY", "value": 5, "default": 50, "changedBy": "key:admin", "changedBecause": "month end",
               "changedAt": "2026-11-24T08:05:00.000+00:00"}  # fmt: skip
    app.change(lambda it: setattr(it, "changed_settings", [changed]))
    page = open_page().page
    expect(page.locator("#notices")).to_contain_text("RUNS_PER_DAY is 5 instead of 50 (key:admin: month end)")


@pytest.mark.parametrize(
    ("address", "label", "path"),
    [("#/files", "Upload a file", "uploads"), ("#/batches", "Upload clients", "batches")],
)
def test_a_file_is_uploaded_as_it_is(open_page: Open, app: Any, address: str, label: str, path: str) -> None:
    page = open_page().go(address)
    page.get_by_role("button", name=label).click()
    file = {"name": "novo #1.csv", "mimeType": "text/csv", "buffer": "idade;não\n41;sim\n".encode()}
    page.get_by_role("dialog").get_by_label("File").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("dialog").get_by_role("button", name=label).click()
    expect(page.locator(".toast")).to_contain_text("The file is here")
    assert [(sent, body) for sent, body, _ in app.posted] == [
        (f"{path}/novo #1.csv", {"file": "idade;não\n41;sim\n"})
    ]


def test_enter_in_the_reason_goes_on(open_page: Open, app: Any) -> None:
    page = open_page().page
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("a drill")
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text("Paused.")
