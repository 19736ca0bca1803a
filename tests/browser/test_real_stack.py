"""The dashboard over the real thing: the embedded Azure and the app, nothing made up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure.storage.blob import BlobClient
from browser import bank
from browser.conftest import looking_at
from playwright.sync_api import Browser, Page, expect

from commands.stack import supervisor
from commands.stack.errors import StackError
from commands.stack.state import Stack

pytestmark = pytest.mark.slow
PATIENCE = 60_000
SETTINGS = {"GATHER_QUIET_SECONDS": "1"}
HEADER = (
    "age;job;marital;education;default;balance;housing;loan;contact;day;month;duration;campaign;pdays;previous;"
    "poutcome;y"
)
ROW = "30;unemployed;married;primary;no;1787;no;no;cellular;19;oct;79;1;-1;0;unknown;no"
FAULTY = ROW.replace("30;", "thirty;")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that has trained nothing: the pipeline is not published."""
    made = Stack(tmp_path_factory.mktemp("stack"))
    try:
        supervisor.up(made, lambda *_: None, settings=SETTINGS)
        yield made
    finally:
        try:
            supervisor.down(made)
        except StackError as problem:
            pytest.fail(str(problem))


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    with looking_at(browser, stack) as opened:
        yield opened


def _drop(stack: Stack, name: str, *rows: str) -> None:
    blob = BlobClient.from_connection_string(stack.connection_string, "incoming", name)
    blob.upload_blob("\n".join([HEADER, *rows]) + "\n", overwrite=True)


def test_a_dropped_file_appears_by_itself(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.host_url}/dashboard/#/files")
    _drop(stack, "good.csv", *[ROW] * 3)
    row = page.get_by_role("row").filter(has_text="good.csv")
    expect(row).to_contain_text("registered", timeout=PATIENCE)
    row.get_by_role("link", name="good.csv").click()
    expect(page.locator(".chain")).to_contain_text("bank:1")


def test_why_a_file_was_refused_is_found(page: Page, stack: Stack) -> None:
    _drop(stack, bank.EVIL, FAULTY, FAULTY)
    expect(page.locator("main")).to_contain_text("in quarantine", timeout=PATIENCE)
    page.get_by_role("link", name="See every reason").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(bank.EVIL)
    expect(page.get_by_role("region", name="Faults")).to_contain_text("thirty")
    expect(page.get_by_role("region", name="Faults")).to_contain_text("write digits only")
    assert page.locator("img[src='x']").count() == 0


def test_an_action_is_done_and_told(page: Page, stack: Stack) -> None:
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("a test")
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(page.locator("#notices")).to_contain_text("Paused.", timeout=PATIENCE)
    page.locator("#notices").get_by_role("button", name="Resume").click()
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(page.locator("#notices")).to_be_empty(timeout=PATIENCE)


def test_both_apis_are_described(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.host_url}/dashboard/#/api")
    expect(page.get_by_role("list", name="Operations")).to_contain_text("/api/status")


def test_signing_out_ends_it(page: Page, stack: Stack) -> None:
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector("#signin")
    page.goto(f"{stack.host_url}/dashboard/")
    page.wait_for_selector("#signin")


def test_a_stranger_gets_the_sign_in_page_and_nothing_else(browser: Browser, stack: Stack) -> None:
    with browser.new_context() as context:
        opened = context.new_page()
        answer = opened.goto(f"{stack.host_url}/dashboard/")
        assert answer is not None
        assert (answer.status, answer.url) == (200, f"{stack.host_url}/dashboard/public/signin.html")
        opened.wait_for_selector("#signin")
        for name in ("", "index.html", "js/main.js"):
            assert opened.request.get(f"{stack.host_url}/dashboard/{name}").status == 401, name
