"""The playground in a real browser: the flow runs there, faults are a click away, and the lights are real."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.conftest import PATIENCE, WATCH
from playwright.sync_api import Browser, Page

from commands.docs_site.static_server import server_of
from commands.playground import HEADERS
from commands.playground_site.build import build
from playground.bake import LIBRARIES

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
AXE = ROOT / "tests" / "browser" / "vendor" / "axe-core" / "axe.min.js"
STARTING = 300.0
"""Seconds. Python starts in some; where others have the machine it may take minutes."""
READY = "document.getElementById('python').classList.contains('ready')"
NO_FENCE = "the-fence-is-0"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("playground") / "site"
    build(folder)
    with server_of(folder, headers=HEADERS) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """Opens the page: visit("#start:0:13=2", width=360, scheme="dark"). Whatever error it had fails the test."""
    opened, errors = [], list[str]()

    def visit_(fragment: str = "", *, width: int = 1360, scheme: str = "light", before: str = "") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"  # type: ignore[arg-type]
        )  # fmt: skip
        context.set_default_timeout(1000 * PATIENCE)
        context.add_init_script(WATCH + before)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: _of_its_own(request.url, address, errors))
        opened.append(context)
        page.goto(address + fragment)
        until(page, "document.body.dataset.drawn !== undefined")
        return page

    yield visit_
    for context in opened:
        assert context.pages[0].evaluate("window.violations") == []
        context.close()
    assert errors == []


def _of_its_own(url: str, address: str, errors: list[str]) -> None:
    if not url.startswith(address):
        errors.append(f"it asks {url}")


def until(page: Page, script: str, seconds: float = STARTING) -> None:
    deadline = time.monotonic() + seconds
    while not page.evaluate(script):
        told = page.evaluate(
            "document.getElementById('python').textContent + document.getElementById('notice').textContent"
        )
        assert time.monotonic() < deadline, f"{script} is not so after {seconds:.0f} s: {told}"
        page.wait_for_timeout(50)


def lights(page: Page) -> dict[str, bool]:
    """By promise, whether it holds."""
    found: dict[str, bool] = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('#lights li')]"
        ".map((light) => [light.textContent.split(/[ :]/)[0], !light.classList.contains('bad')]))"
    )
    return found


def go(page: Page, number: int) -> None:
    """To the step of that number, as by the slider."""
    page.evaluate(
        "number => { const at = document.getElementById('at'); at.value = number - 1;"
        " at.dispatchEvent(new Event('input')); }",
        number,
    )


def ran(replay: str) -> str:
    return f"document.body.dataset.ran === {json.dumps(replay)} && {READY}"


def test_a_process_is_killed_by_a_click_and_everything_heals(visit: Visit) -> None:
    began = time.monotonic()
    page = visit()
    drawn = time.monotonic() - began
    page.click("#on")
    assert page.text_content("#count") == "Choice point 2 of 26"  # a recorded run, while Python starts
    until(page, READY)
    print(
        f"\nfirst step looked at after {drawn:.1f} s, first run of one's own after {time.monotonic() - began:.1f} s"
    )
    go(page, 13)
    assert page.text_content("#says") == "Instance B submits a run to the training pipeline"
    page.click("#options button:has-text('died after it')")
    until(page, ran("start:0:13=2"))
    page.click("#on")
    assert "Instance Bdead" in page.text_content("#instances")
    page.click("#last")
    assert "bank-v1-a1" in page.text_content("#parts")
    assert {f"I{number}" for number in range(1, 10)} <= set(lights(page))
    assert all(lights(page).values())
    assert page.input_value("#link").endswith("#start:0:13=2")
    page.click("#changed button:has-text('Undo')")
    until(page, ran("start:0:"))


TRACED = """
replay => new Promise((resolve, reject) => {
  const worker = new Worker("worker.js", { type: "module" });
  worker.onmessage = ({ data }) => {
    if (data.id === 1) worker.postMessage({ id: 2, do: "trace", replay });
    if (data.id === 2) resolve(data.told);
    if (data.problem) reject(new Error(data.problem));
  };
  worker.postMessage({ id: 1, do: "begin" });
})
"""


@pytest.mark.parametrize("replay", ["start:5:4=2,13=4,40=1", "admit:3:1=1,9=3,20=2", "score:0:30=2,41=5"])
def test_a_trace_of_the_browser_is_a_trace_of_any_python(visit: Visit, replay: str) -> None:
    found = visit().evaluate(TRACED, replay)
    done = subprocess.run(
        [sys.executable, "commands/__main__.py", "simulate", "--replay", replay, "--trace"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(LIBRARIES)}, capture_output=True, check=True,
    )  # fmt: skip
    assert found == json.loads(done.stdout)


def test_each_step_of_a_run_can_be_looked_at(visit: Visit) -> None:
    replay = "start:5:4=2,13=4,40=1"
    page = visit(f"#{replay}")
    until(page, ran(replay))
    page.click("#last")
    shown = [page.text_content(part) for part in ("#count", "#says")]
    program = [sys.executable, "commands/__main__.py", "simulate", "--replay", replay, "--trace"]
    trace: dict[str, Any] = json.loads(
        subprocess.run(program, cwd=ROOT, capture_output=True, check=True).stdout
    )
    assert shown == [f"{len(trace['steps'])} choice points", "Nothing is due any more: the run is over."]
    for number in range(1, len(trace["steps"]) + 1):
        go(page, number)
        assert page.text_content("#says") == trace["steps"][number - 1]["says"]


def test_a_planted_bug_turns_a_light_red_and_its_link_shows_it_again(visit: Visit) -> None:
    page = visit()
    until(page, READY)
    page.select_option("#bug", NO_FENCE)
    until(page, f"{READY} && !document.getElementById('search').disabled")
    page.click("#search")
    until(page, "document.querySelector('#lights li.bad')")
    assert {name for name, holds in lights(page).items() if not holds} >= {"I3"}
    assert "I3 one submission: " in page.text_content("#broken")
    link = page.input_value("#link")
    assert link.endswith(f"&bug={NO_FENCE}")
    again = visit(link[link.index("#") :])
    until(again, "document.querySelector('#lights li.bad')")
    assert again.text_content("#broken") == page.text_content("#broken")
    sound = visit(link[link.index("#") : link.index("&")])
    until(sound, READY)
    until(sound, "document.body.dataset.ran !== undefined")
    assert all(lights(sound).values())


def test_a_browser_that_cannot_is_told_so_and_shows_what_was_recorded(visit: Visit) -> None:
    page = visit(before="delete WebAssembly.Suspending;")
    until(page, "!document.getElementById('notice').hidden")
    assert "Chromium 137" in page.text_content("#notice")
    assert page.is_disabled("#search")
    page.click("#on")
    assert page.text_content("#count") == "Choice point 2 of 26"
    page.select_option("#scenario", "admit")
    until(page, "document.getElementById('count').textContent.endsWith('of 35')")


def test_an_address_that_names_nothing_is_said(visit: Visit) -> None:
    page = visit("#nowhere:0:1=2")
    until(page, "!document.getElementById('notice').hidden")
    assert "names no schedule" in page.text_content("#notice")


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1360), ("dark", 1360), ("light", 360), ("dark", 1900)]
)
def test_axe_finds_nothing_and_nothing_is_cut_off(visit: Visit, scheme: str, width: int) -> None:
    page = visit("#start:0:13=2", width=width, scheme=scheme)
    until(page, ran("start:0:13=2"))
    page.click("summary")
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((it) => it.violations)")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
