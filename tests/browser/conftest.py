"""A headless Chromium, the app with made-up data, and a page that tells of every error it had.

Without a Chromium these tests are skipped, unless CAMPANHA_REQUIRE_BROWSER says that there must be one.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from browser.fake_app import FakeApp, serving
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from commands.client.status_api import Client
from commands.client.target import Target
from commands.docs import addresses
from commands.stack.state import Stack

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE = 60.0
"""Seconds. Only a failure takes so long; on a busy machine much takes longer than one would think."""
PROGRAMS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


def chromium() -> str | None:
    """The system's Chromium, or what CAMPANHA_CHROMIUM names."""
    return os.environ.get("CAMPANHA_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed with its module: while it is open Playwright has an event loop running, and nobody else can have one."""
    program = chromium()
    if program is None:
        why = "no Chromium: `apt-get install chromium-headless-shell`, or set CAMPANHA_CHROMIUM to its path"
        if os.environ.get("CAMPANHA_REQUIRE_BROWSER"):
            pytest.fail(why)
        pytest.skip(why)
    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def app() -> Iterator[FakeApp]:
    with serving(FakeApp()) as served:
        yield served


@dataclass
class Opened:
    """A signed-in page, and what went wrong in it."""

    page: Page
    context: BrowserContext
    app: FakeApp
    errors: list[str] = field(default_factory=list)

    def go(self, address: str) -> Page:
        """Show a view and wait until it is drawn, data and all."""
        self.page.evaluate("address => { location.hash = address; }", address)
        self.until("document.querySelector('main').dataset.shows === location.hash")
        self.until("!document.querySelector('main .loading')")
        return self.page

    def until(self, script: str) -> None:
        """Wait until `script` gives true. (Playwright's own waiting calls eval, which the page's policy forbids.)"""
        deadline = time.monotonic() + PATIENCE
        while not self.page.evaluate(script):
            assert time.monotonic() < deadline, f"{script} is not so after {PATIENCE:.0f} s"
            self.page.wait_for_timeout(50)

    def violations(self) -> list[str]:
        found: list[str] = self.page.evaluate("window.violations")
        return found


@contextmanager
def looking_at(browser: Browser, stack: Stack) -> Iterator[Page]:
    """The dashboard of a real app, signed in by the address that `./dev docs` prints; every error it had fails."""
    client = Client.of(stack)
    address = addresses(Target(client=client, stack=stack), client.get("status"))["dashboard"]
    with browser.new_context(locale="en-GB") as context:
        context.set_default_timeout(1000 * PATIENCE)
        context.add_init_script(WATCH)
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        page.wait_for_selector("h1.headline")
        yield page
        assert errors == []
        assert page.evaluate("window.violations") == []


Open = Callable[..., Opened]


@pytest.fixture
def open_page(browser: Browser, app: FakeApp) -> Iterator[Open]:
    """Call it for a page: open_page(key=..., width=..., scheme="dark", motion="no-preference")."""
    opened: list[Opened] = []

    def open_(
        key: str = "an-operator",
        width: int = 1360,
        height: int = 900,
        scheme: str = "light",
        motion: str = "reduce",  # painting what moves takes a core of a machine without a graphics card
    ) -> Opened:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion=motion,  # type: ignore[arg-type]
            locale="en-GB", timezone_id="Europe/Lisbon",
        )  # fmt: skip
        context.set_default_timeout(1000 * PATIENCE)
        context.add_init_script(WATCH)
        page = context.new_page()
        made = Opened(page=page, context=context, app=app)
        page.on("pageerror", lambda error: made.errors.append(str(error)))
        page.goto(f"{app.url}/dashboard/#key={key}")
        page.wait_for_selector("h1.headline")
        made.until("!document.querySelector('main .loading')")
        opened.append(made)
        return made

    yield open_
    for each in opened:
        violations = each.violations()
        each.context.close()
        assert each.errors == []
        assert violations == []
