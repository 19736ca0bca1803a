"""What an operator does in the dashboard, done to the real thing: real files, real models, a step that really fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser.conftest import looking_at
from playwright.sync_api import Browser, Locator, Page, expect
from story.running import Running, bank, running

pytestmark = pytest.mark.slow
PATIENCE = 90_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("operated")) as made:
        yield made


@pytest.fixture
def page(browser: Browser, site: Running) -> Iterator[Page]:
    with looking_at(browser, site.stack) as opened:
        yield opened


def _go(page: Page, site: Running, view: str) -> Locator:
    page.goto(f"{site.stack.host_url}/dashboard/#/{view}")
    return page.locator("main")


def _do(
    page: Page,
    label: str,
    *,
    reason: str = "",
    file: tuple[str, bytes] | None = None,
    within: Locator | None = None,
) -> None:
    """Press a button and answer what is asked back."""
    (within or page.locator("main")).get_by_role("button", name=label, exact=True).first.click()
    dialog = page.get_by_role("dialog")
    if reason:
        dialog.get_by_role("textbox").fill(reason)
    if file:
        given = {"name": file[0], "mimeType": "text/csv", "buffer": file[1]}
        dialog.get_by_label("File").set_input_files(given)  # type: ignore[arg-type]
    dialog.get_by_role("button", name=label, exact=True).click()


def _said(page: Page, text: str) -> None:
    expect(page.locator(".toast").filter(has_text=text).first).to_be_visible(timeout=PATIENCE)


def _csv(rows: list[bytes]) -> bytes:
    return b"\n".join([bank()[0], *rows]) + b"\n"


def _aged(header: bytes, row: bytes, age: bytes) -> bytes:
    """The row with another age."""
    delimiter = b";" if b";" in header else b","
    cells = row.split(delimiter)
    cells[header.replace(b'"', b"").split(delimiter).index(b"age")] = age
    return delimiter.join(cells)


def test_files_are_uploaded_trained_on_scored_and_models_chosen(page: Page, site: Running) -> None:
    _, rows = bank()
    for name, part in (("first.csv", rows[::2]), ("second.csv", rows[1::2])):
        _go(page, site, "files")
        _do(page, "Upload a file", file=(name, _csv(part)))
        _said(page, "The file is here")
        site.model_of(name)
    served = site.get("status")["datasets"][0]["serving"]["version"]
    other = 3 - served
    model = _go(page, site, f"models/bank/{other}")
    _do(page, "Promote", reason="a drill")
    _said(page, f"Model {other} is on its way.")
    expect(model).to_contain_text("in service", timeout=PATIENCE)
    _go(page, site, "endpoint")
    expect(page.locator("main")).to_contain_text(f"model-{other} 100 %", timeout=PATIENCE)
    _do(page, "Roll back", reason="the drill is over")
    _said(page, "The model before answers again.")
    expect(page.locator("main")).to_contain_text(f"model-{served} 100 %", timeout=PATIENCE)
    _go(page, site, "batches")
    clients = b"\n".join(
        line.rsplit(b";" if b";" in line else b",", 1)[0] for line in [bank()[0], *rows[:20]]
    )
    _do(page, "Upload clients", file=("clients.csv", clients + b"\n"))
    _said(page, "The file is here")
    row = page.get_by_role("row").filter(has_text="clients.csv")
    expect(row).to_contain_text("scored", timeout=PATIENCE)
    row.get_by_role("link", name="clients.csv").first.click()
    expect(page.locator("main")).to_contain_text(f"model {served}")


def test_what_is_in_quarantine_is_checked_again_admitted_and_discarded(page: Page, site: Running) -> None:
    header, rows = bank()
    odd = [_aged(header, row, b"130") for row in rows[:3]]
    unreadable = [_aged(header, row, b"thirty") for row in rows[:3]]
    for name, put_aside in (("odd.csv", odd), ("unreadable.csv", unreadable)):
        site.drop("incoming", name, [header, *put_aside])
        site.until(
            lambda name=name: site.get(f"uploads/{name}").get("state") == "rejected", f"{name} refused"
        )
    _go(page, site, "quarantine/unreadable.csv")
    expect(page.get_by_role("region", name="Faults")).to_contain_text("thirty")
    _do(page, "Check again")
    _said(page, "Check again: none of the 3 rows fits the contract")
    _do(page, "Readmit the rejected rows", reason="they are ours")
    _said(page, "Readmit the rejected rows: ")
    _do(page, "Discard", reason="a test file")
    _said(page, "unreadable.csv is discarded.")
    expect(page.locator("main")).to_contain_text("discarded")
    _go(page, site, "quarantine/odd.csv")
    _do(page, "Readmit the rejected rows", reason="people grow old")
    _said(page, "odd.csv is readmitted.")
    _go(page, site, "quarantine")
    expect(page.get_by_role("row").filter(has_text="odd.csv").first).to_contain_text(
        "readmitted", timeout=PATIENCE
    )


def test_a_step_that_was_given_up_is_tried_again(page: Page, site: Running) -> None:
    """The container that refused rows go to is gone; then somebody makes it again."""
    from azure.storage.blob import BlobServiceClient

    header, _ = bank()
    blobs = BlobServiceClient.from_connection_string(site.stack.connection_string)
    blobs.delete_container("quarantine")
    site.drop("incoming", "lost.csv", [header, b"not a row"])
    main = _go(page, site, "")
    attention = main.get_by_role("region", name="Needs a person")
    failure = attention.get_by_role("listitem").filter(has_text="dead-lettered")
    expect(failure).to_contain_text("lost.csv", timeout=2 * PATIENCE)
    blobs.create_container("quarantine")
    _do(page, "Try again", within=failure)
    _said(page, "The step is tried again.")
    site.until(lambda: site.get("uploads/lost.csv").get("state") == "rejected", "the file refused after all")
    expect(failure).to_have_count(0, timeout=PATIENCE)
