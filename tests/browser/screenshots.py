"""Takes the pictures of docs/screenshots: `python tests/browser/screenshots.py`, over the tests' made-up data.

That of the playground is taken where `./dev playground` has built it.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
FOLDER = ROOT / "docs" / "screenshots"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A view, and how it is looked at."""

    name: str
    address: str
    scheme: str
    width: int
    height: int


PICTURES = (
    Picture(name="now", address="#/", scheme="light", width=1440, height=1010),
    Picture(name="models", address="#/models", scheme="dark", width=1440, height=1010),
    Picture(name="phone", address="#/quarantine/leads-from-crm.csv", scheme="light", width=390, height=844),
)


def main() -> int:
    from browser.conftest import FLAGS, chromium
    from browser.fake_app import FakeApp, serving

    program = chromium()
    if program is None:
        print(
            "no Chromium: `apt-get install chromium-headless-shell`, or set CAMPANHA_CHROMIUM to its path",
            file=sys.stderr,
        )
        return 1
    FOLDER.mkdir(exist_ok=True)
    with serving(FakeApp()) as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        for picture in PICTURES:
            file = _take(browser, app.url, picture)
            print(f"{file.relative_to(ROOT)}  {file.stat().st_size:,} bytes")
        if (ROOT / ".playground").exists():
            _take_playground(browser)
        browser.close()
    return 0


def _take_playground(browser: Browser) -> None:
    """Right after an instance was killed."""
    from commands.docs_site.static_server import server_of
    from commands.playground import FOLDER as SITE
    from commands.playground import HEADERS

    with server_of(SITE, headers=HEADERS) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page(viewport={"width": 1440, "height": 1100}, reduced_motion="reduce")
        page.goto(f"http://127.0.0.1:{server.server_port}/#start:0:13=2")
        while not page.evaluate(
            "document.body.dataset.ran && document.querySelector('#python.ready') !== null"
        ):
            page.wait_for_timeout(500)
        page.click("#on")
        page.mouse.move(0, 0)
        page.screenshot(path=FOLDER / "playground.png")
        page.close()
        server.shutdown()


def _take(browser: Browser, url: str, picture: Picture) -> Path:
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height}, color_scheme=picture.scheme,  # type: ignore[arg-type]
        locale="en-GB", timezone_id="Europe/Lisbon", reduced_motion="reduce",
    )  # fmt: skip
    page = context.new_page()
    page.goto(f"{url}/dashboard/#key=an-operator")
    page.wait_for_selector("h1.headline")
    page.goto(f"{url}/dashboard/{picture.address}")
    page.wait_for_timeout(1000)  # the last bars and lines are drawn
    file = FOLDER / f"{picture.name}.png"
    page.screenshot(path=file)
    context.close()
    return file


if __name__ == "__main__":
    sys.exit(main())
