"""Names from storage stay text, keys stay out of sight, readers cannot act, and the policy is never broken."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser import bank
from browser.conftest import Open
from playwright.sync_api import Browser, expect

from functions.http.auth.scopes import Scope

WEB = Path(__file__).resolve().parents[2] / "web"


@pytest.mark.parametrize(
    "address", ["#/", "#/files", "#/quarantine", "#/events", "#/trace/incoming/{}", "#/quarantine/{}"]
)
def test_a_name_made_of_html_is_only_text(open_page: Open, address: str) -> None:
    opened = open_page()
    page = opened.page
    page.evaluate("name => { location.hash = name; }", address.format(bank.EVIL))
    expect(page.locator("main")).to_contain_text(bank.EVIL)
    assert page.locator("img[src='x']").count() == 0
    assert (
        page.evaluate("[...document.querySelectorAll('main *')].some((each) => each.hasAttribute('onerror'))")
        is False
    )
    assert "broken" not in page.title().replace(bank.EVIL, "")
    assert opened.violations() == []


def test_the_tripwire_would_be_heard(open_page: Open) -> None:
    """Were a name put in as markup, the policy would be broken, and the page would know."""
    opened = open_page()
    opened.page.evaluate("name => { document.querySelector('main').innerHTML = name; }", bank.EVIL)
    opened.until("window.violations.length > 0")
    opened.page.evaluate("window.violations = []")


def test_no_script_makes_markup_of_text() -> None:
    risky = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|DOMParser"
    )
    found = [
        f"{file.relative_to(WEB)}: {hit.group()}" for file in WEB.rglob("*.js")
        if "vendor" not in file.parts for hit in risky.finditer(file.read_text(encoding="utf-8"))
    ]  # fmt: skip
    assert found == []


def test_pages_hold_no_inline_script_or_style_and_reach_nowhere_else() -> None:
    for file in [*WEB.glob("*.html"), *WEB.glob("public/*.html")]:
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), file
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text), file
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text), file
    for file in [*WEB.rglob("*.css"), *WEB.rglob("*.js")]:
        if "vendor" not in file.parts:
            assert not re.search(
                r"[\"'(](?:https?:)?//(?!www\.w3\.org/)", file.read_text(encoding="utf-8")
            ), file


def test_the_key_leaves_the_address_bar_at_once(open_page: Open) -> None:
    page = open_page().page
    assert "an-operator" not in page.url
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)") == "{}{}"


@pytest.mark.parametrize(
    "address",
    [
        "#/",
        "#/files",
        "#/models",
        "#/models/bank-additional/7",
        "#/batches",
        "#/endpoint",
        "#/quarantine/leads-from-crm.csv",
    ],
)
def test_a_reader_sees_no_way_to_act(open_page: Open, address: str) -> None:
    page = open_page(key="a-reader").go(address)
    assert page.locator("main button").all_inner_texts() == []


def test_an_address_with_a_key_signs_in_wherever_it_is_opened(browser: Browser, app: Any) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{app.url}/dashboard/")
        page.wait_for_selector("#signin")
        page.goto(f"{app.url}/dashboard/#key=a-reader")
        expect(page.locator("#side-foot")).to_contain_text("You may read")
        page.goto(f"{app.url}/dashboard/#key=an-operator")
        expect(page.locator("#side-foot")).to_contain_text("You may act")
        assert "key" not in page.url


def test_the_sign_in_page_needs_nothing_that_needs_a_session(browser: Browser, app: Any) -> None:
    """All it loads, styles, scripts, pictures and fonts, lies in the public folder, and is there."""
    with browser.new_context() as context:
        page = context.new_page()
        loaded: dict[str, int] = {}
        page.on("response", lambda answer: loaded.update({urlsplit(answer.url).path: answer.status}))
        page.goto(f"{app.url}/dashboard/#/models")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.fonts.check('16px \"IBM Plex Sans\"')")
    assert loaded.pop("/dashboard/") == 303
    assert {path for path in loaded if not path.startswith("/dashboard/public/")} == set()
    assert set(loaded.values()) == {200}
    kinds = {path.rpartition(".")[2] for path in loaded}
    assert {"html", "css", "js", "svg", "woff2"} <= kinds


def test_where_the_key_is_said_to_be_are_the_settings_that_hold_one(browser: Browser, app: Any) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{app.url}/dashboard/")
        page.get_by_text("Where is the key?").click()
        where = page.locator("details")
        for scope in Scope:
            expect(where).to_contain_text(f"{scope.name}_KEY")
        expect(where).to_contain_text("App keys open nothing here")


def test_signing_in_leads_where_one_was_going(browser: Browser, app: Any) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        for start in ("/dashboard/#/models", "/dashboard/public/signin.html#/models"):
            page.goto(app.url + start)
            page.get_by_label("Key").fill("a-reader")
            page.keyboard.press("Enter")
            expect(page.locator("h1")).to_have_text("Models")
            page.goto(
                "about:blank"
            )  # first: a page that is told it has no session any more goes to sign in by itself
            context.clear_cookies()


def test_without_a_key_there_is_the_sign_in_page(browser: Browser, app: Any) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{app.url}/dashboard/")
        page.get_by_label("Key").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("This key is not known")
        page.get_by_label("Key").fill("a-reader")
        page.keyboard.press("Enter")
        page.wait_for_selector("h1.headline")
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_selector("#signin")
