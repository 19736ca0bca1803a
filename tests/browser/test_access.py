"""For everybody: keyboard, screen reader, contrast, less motion, phone to wall."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browser.conftest import Open
from playwright.sync_api import Page, expect

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
ADDRESSES = (
    "#/", "#/flow", "#/trace", "#/trace/incoming/calls-2026-w45.csv", "#/files", "#/datasets",
    "#/datasets/bank-additional/8",
    "#/quarantine", "#/quarantine/leads-from-crm.csv", "#/runs", "#/runs/bank-additional-v8-a1", "#/models",
    "#/models/bank-additional/7", "#/models/bank-additional/7/card",
    "#/batches", "#/batches/to-call-november-csv-6f2c0a51", "#/endpoint", "#/api", "#/events",
)  # fmt: skip
WIDTHS = (360, 768, 1024, 2560)


def _faults(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA, and its best practices."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then((it) => it.violations)"
    )
    return [
        f"{each['id']}: {node['target']} {node.get('failureSummary', '')}"
        for each in found
        for node in each["nodes"]
    ]


def test_axe_finds_nothing_in_what_only_an_admin_sees(open_page: Open) -> None:
    assert _faults(open_page(key="an-admin").go("#/audit")) == []


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", 1360), ("dark", 1360), ("light", 360)])
def test_axe_finds_nothing(open_page: Open, scheme: str, width: int) -> None:
    opened = open_page(scheme=scheme, width=width)
    faults = {address: found for address in ADDRESSES if (found := _faults(opened.go(address)))}
    assert faults == {}


def test_axe_finds_nothing_in_dialogs_and_at_sign_in(open_page: Open, app: Any) -> None:
    opened = open_page()
    opened.page.get_by_role("button", name="Pause").click()
    assert _faults(opened.page) == []
    opened.page.keyboard.press("Escape")
    opened.context.clear_cookies()
    opened.page.goto(f"{app.url}/dashboard/public/signin.html")
    assert _faults(opened.page) == []


def test_axe_would_find_something(open_page: Open) -> None:
    page = open_page().page
    page.evaluate("document.body.append(document.createElement('img'))")
    assert any(fault.startswith("image-alt") for fault in _faults(page))


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out(open_page: Open, width: int) -> None:
    opened = open_page(width=width)
    for address in ADDRESSES:
        page = opened.go(address)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{address} is {wide} wide in {width}"


def test_the_keyboard_alone_is_enough(open_page: Open) -> None:
    page = open_page().page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page.locator("h1")).to_have_text("Models")
    expect(page.locator("h1")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("calls-2026-w45.csv")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("calls-2026-w45.csv")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_where_the_focus_is_can_be_seen(open_page: Open) -> None:
    page = open_page().page
    for _ in range(12):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            "(() => { const style = getComputedStyle(document.activeElement.closest('.search') ?? document.activeElement);"
            " return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2; })()"
        )
        assert seen, page.evaluate("document.activeElement.outerHTML")


def test_on_a_phone_the_menu_opens_and_closes(open_page: Open) -> None:
    page = open_page(width=360, height=760).page
    expect(page.locator("#nav")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Models", exact=True).click()
    expect(page.locator("h1")).to_have_text("Models")
    expect(page.locator("#nav")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Menu")).to_be_focused()


def test_colours_follow_the_system_or_the_choice(open_page: Open) -> None:
    opened = open_page(scheme="dark")
    page = opened.page

    def paper() -> int:
        return int(
            page.evaluate("parseInt(getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0])")
        )

    assert paper() < 64
    page.get_by_role("button", name="Colours").click()
    expect(page.get_by_role("button", name="Colours: light")).to_be_visible()
    assert paper() > 192
    page.reload()
    page.wait_for_selector("h1.headline")
    assert paper() > 192


def test_less_motion_when_asked_for(open_page: Open) -> None:
    def seconds(motion: str) -> float:
        """How long the mark that all is live takes to breathe."""
        taken: float = open_page(motion=motion).page.evaluate(
            "parseFloat(getComputedStyle(document.querySelector('.connection .dot')).animationDuration)"
        )
        return taken

    assert seconds("no-preference") > 1
    assert seconds("reduce") < 0.001


def test_changes_are_said_aloud(open_page: Open) -> None:
    page = open_page().page
    page.locator("#nav").get_by_text("Runs").click()
    expect(page.locator("#said")).to_have_text("Runs · Campanha")
