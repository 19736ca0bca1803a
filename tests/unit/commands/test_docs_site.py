"""The documentation as a site: where pages and what they link to lie in it. `./dev check` builds the whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import ROOT, site
from commands.docs_site import build, pages
from commands.linters.finding import Findings


@pytest.mark.parametrize(
    ("path", "is_folder", "there"),
    [
        ("README.md", False, "index.md"),
        ("docs/api.md", False, "api.md"),
        ("docs/screenshots/now.png", False, "screenshots/now.png"),
        ("docs/decisions", True, "source/docs/decisions/index.md"),
        ("shared/flow.py", False, "source/shared/flow.py.md"),
        ("bench/results/flow.svg", False, "source/bench/results/flow.svg"),
        ("shared/steps", True, "source/shared/steps/index.md"),
    ],
)
def test_each_file_has_one_place(path: str, is_folder: bool, there: str) -> None:
    assert pages.place(path, is_folder=is_folder) == there


@pytest.mark.parametrize(
    ("of", "text", "there"),
    [
        ("docs/api.md", "[it](../shared/flow.py)", "[it](source/shared/flow.py.md)"),
        ("docs/api.md", "[it](kinds.md#upload)", "[it](kinds.md#upload)"),
        ("README.md", "[it](docs/api.md)", "[it](api.md)"),
        ("README.md", "![it](bench/results/flow.svg)", "![it](source/bench/results/flow.svg)"),
        ("docs/decisions/0001-the-flow-is-a-table-over-a-ledger.md", "[it](../api.md)", "[it](../api.md)"),
        ("docs/api.md", "[it](https://bank.example)", "[it](https://bank.example)"),
        ("docs/api.md", "[it](nowhere.md)", "[it](nowhere.md)"),
        ("docs/api.md", "```\n[it](../shared/flow.py)\n```", "```\n[it](../shared/flow.py)\n```"),
    ],
)
def test_a_link_leads_to_the_same_in_the_site(of: str, text: str, there: str) -> None:
    assert pages.rewritten(text, of=of, root=ROOT) == there


def test_what_pages_link_to_beyond_docs_is_shown_too() -> None:
    texts = [("docs/api.md", "[a](../shared/flow.py) [b](events.md) [c](../README.md) [d](../nowhere.py)")]
    assert pages.linked(texts, root=ROOT) == {"shared/flow.py"}
    assert "FLOW" in pages.shown("shared/flow.py", root=ROOT)
    assert "- `admit_upload.py`" in pages.shown("shared/steps", root=ROOT)


@pytest.mark.parametrize(("lines", "code"), [((), 0), (("a link leads nowhere",), 1)])
def test_programs_are_told_what_was_found(
    lines: tuple[str, ...], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(site, "build", lambda: Findings(lines=lines, read="2 pages"))
    assert site.main(["--json"]) == code
    assert json.loads(capsys.readouterr().out) == {"folder": str(build.FOLDER), "findings": list(lines)}


def test_every_page_is_in_the_sites_menu() -> None:
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    docs = Path(ROOT / "docs")
    missing = [one.name for one in docs.glob("*.md") if f": {one.name}\n" not in menu]
    assert missing == []
