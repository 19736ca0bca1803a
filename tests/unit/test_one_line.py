"""A state, or a field, added to a kind in one line shows everywhere: description, API, command line, dashboard, docs.

Tried literally: one line each is written into a copy of the table, the generated files are made anew, and each place is
asked in a process of its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.web.test_javascript import FLAGS

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("shared", "functions", "commands", "docs", "infra", "tests/security", "web/js", "web/public")
STATE = 'State(name="set-aside", tone=Tone.WARN, word="laid by", sentence="was laid by", needs_person=True),'
FIELD = 'shelf: int | None = public("Where it is laid by.", unit="shelves", least=1, example=7)'
GENERATED = ("docs/openapi.json", "docs/events.md", "docs/kinds.md", "web/js/core/kinds.js")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product, with one state and one field more for a batch."""
    made = tmp_path_factory.mktemp("one-line")
    for folder in COPIED:
        shutil.copytree(ROOT / folder, made / folder, ignore=shutil.ignore_patterns("__pycache__"))
    table = made / "shared" / "domain" / "kinds" / "batch.py"
    text = _with_line(table.read_text(encoding="utf-8"), 'State(name="scored"', STATE)
    table.write_text(_with_line(text, "manifest: str | None", FIELD), encoding="utf-8")
    return made


def _with_line(text: str, before: str, line: str) -> str:
    at = text.index(before)
    return f"{text[:at]}{line}\n{' ' * (at - text.rindex(chr(10), 0, at) - 1)}{text[at:]}"


def _python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def stale(copy: Path) -> str:
    """What the check says before the files are made anew; they are, after it."""
    found = _python(copy, "docs/generated.py", "--check")
    assert found.returncode == 1, found.stderr
    made = _python(copy, "docs/generated.py")
    assert made.returncode == 0, made.stderr
    return found.stdout


def test_each_generated_file_is_told_to_be_old(stale: str) -> None:
    assert [line for line in stale.splitlines() if line.endswith("is not current")] == [
        f"{name} is not current" for name in GENERATED
    ]


@pytest.fixture
def described(copy: Path, stale: str) -> Any:
    assert stale
    return json.loads((copy / "docs" / "openapi.json").read_text(encoding="utf-8"))


def test_the_description_has_both_with_what_they_mean(described: Any) -> None:
    batch = described["components"]["schemas"]["Batch"]
    assert batch["properties"]["state"]["x-extensible-enum"] == [
        "due",
        "held",
        "scoring",
        "set-aside",
        "scored",
        "duplicate",
        "replaced",
        "refused",
    ]
    assert "`set-aside`: was laid by" in batch["properties"]["state"]["description"]
    shelf = batch["properties"]["shelf"]
    assert (shelf["type"], shelf["minimum"], shelf["examples"]) == ("integer", 1, [7])
    assert shelf["description"] == "Where it is laid by (shelves)."
    assert "shelf" not in batch["required"]
    asked = described["paths"]["/api/batches"]["get"]["parameters"]
    assert "set-aside" in next(one for one in asked if one["name"] == "state")["schema"]["enum"]


def test_events_bring_both_and_have_a_webhook(copy: Path, described: Any) -> None:
    webhook = described["webhooks"]["Campanha.BatchSetAside.v1"]["post"]
    assert "It was laid by." in webhook["description"]
    assert described["components"]["schemas"]["BatchEventData"]["properties"]["shelf"]["minimum"] == 1
    page = (copy / "docs" / "events.md").read_text(encoding="utf-8")
    assert "| `Campanha.BatchSetAside.v1` | was laid by |" in page
    assert "`shelf`" in page


def test_the_api_shows_both_and_counts_what_needs_a_person(copy: Path) -> None:
    program = """
from functions.http.views.records import shown
from functions.http.views.retry_after import is_finished
from functions.http.views.status import NEEDS_PERSON
from shared.ledger import Record
at = "2026-11-24T08:00:00.000+00:00"
values = {"name": "a.csv", "shelf": 7, "not_declared": 1, "history": [["set-aside", at]]}
record = Record(kind="batch", id="a", state="set-aside", seq=1, round=0, created=at, updated=at, values=values)
made = shown(record)
print(made["state"], made["shelf"], "not_declared" in made, is_finished(record), ("batch", "set-aside") in NEEDS_PERSON)
"""
    told = _python(copy, "-c", program)
    assert told.stdout.split() == ["set-aside", "7", "False", "False", "True"], told.stderr


def test_the_command_line_colours_and_offers_it(copy: Path) -> None:
    program = """
from commands.client import states
record = {"kind": "batch", "state": "set-aside"}
print(states.colour("batch", "set-aside"), states.is_bad(record), states.is_going(record))
print(states.choices("batch"))
"""
    told = _python(copy, "-c", program)
    assert told.stdout.splitlines() == [
        "yellow True False",
        "due, held, scoring, set-aside, scored, duplicate, replaced or refused",
    ], told.stderr


def test_the_dashboard_has_its_tone_its_words_and_its_choice(copy: Path, stale: str, node: str) -> None:
    assert stale
    program = """
import { choices, needsPerson, said, stateWords, tone } from "./web/js/core/states.js";
console.log(JSON.stringify([
  tone("set-aside", "batch"), stateWords("set-aside", "batch"), said("set-aside", "batch"),
  needsPerson({ kind: "batch", state: "set-aside" }), choices("batch").at(4),
]));
"""
    told = subprocess.run(
        [node, *FLAGS[:2], "--input-type=module", "--eval", program],
        cwd=copy, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(told.stdout) == ["warn", "laid by", "was laid by", True, ["Laid by", "set-aside"]]


def test_the_page_of_kinds_has_both(copy: Path, stale: str) -> None:
    assert stale
    page = (copy / "docs" / "kinds.md").read_text(encoding="utf-8")
    assert "| `set-aside` | was laid by | laid by | a person has to decide |" in page
    assert "| `shelf` | whole number, shelves | Where it is laid by. | `7` |" in page


@pytest.mark.slow
def test_a_field_more_is_harmless_to_clients_and_one_less_is_refused(
    copy: Path, stale: str, tmp_path: Path
) -> None:
    assert stale
    more = _python(copy, "-m", "commands.compatibility")
    assert more.returncode == 0, more.stdout
    assert "harmless  Batch.shelf: property added" in more.stdout
    released = shutil.copytree(copy, tmp_path / "released")
    assert _python(released, "docs/generated.py", "--release").returncode == 0
    table = released / "shared" / "domain" / "kinds" / "batch.py"
    table.write_text(table.read_text(encoding="utf-8").replace(FIELD, ""), encoding="utf-8")
    assert _python(released, "docs/generated.py").returncode == 0
    less = _python(released, "-m", "commands.compatibility")
    assert less.returncode == 1, less.stdout
    assert "BREAKS    Batch.shelf: property removed" in less.stdout
    again = _python(released, "docs/generated.py", "--release")
    assert again.returncode == 1, again.stdout
    assert again.stdout == less.stdout
