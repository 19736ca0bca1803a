"""The runbook has a section for each alert, and each command that it names is one."""

from __future__ import annotations

import json
import re
import shlex
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from commands.catalog import COMMANDS
from shared.domain.alerts import ALERTS

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
OF_AZURE = [one["name"] for one in json.loads((ROOT / "infra" / "queries.json").read_text("utf-8"))["alerts"]]
SECTIONS = dict(re.findall(r"^## (\S+)\n\n(.*?)(?=^## |^# |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
PLACEHOLDERS = {
    "MODEL": "bank:2",
    "VERSION": "bank:2",
    "FILE": str(ROOT / "README.md"),
    "RUNS_PER_DAY=5": "RUNS_PER_DAY=5",
}
COMMAND = re.compile(r"`\./dev ([^`]+)`")


class Parsed(Exception):
    """The arguments were understood; nothing is done with them."""


def test_each_alert_has_its_section_and_no_section_is_of_none() -> None:
    assert list(SECTIONS) == [*(alert.name for alert in ALERTS), *OF_AZURE]


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_says_what_it_means_how_to_see_it_what_mends_it_and_when_it_is_over(name: str) -> None:
    meaning, *parts = re.split(r"^- \*\*(See|Mend|Over)\*\*: ", SECTIONS[name], flags=re.MULTILINE)
    assert len(meaning.strip()) > 40
    assert parts[::2] == ["See", "Mend", "Over"]
    assert all(len(part.strip()) > 10 for part in parts[1::2])


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_the_message_names_the_command_that_the_runbook_names(alert: Any) -> None:
    mend = SECTIONS[alert.name].partition("- **Mend**: ")[2]
    assert mend.startswith(f"`{alert.mend}`")


@pytest.mark.parametrize(
    "line", sorted({*COMMAND.findall(RUNBOOK), *(one.mend.removeprefix("./dev ") for one in ALERTS)})
)
def test_each_command_that_is_named_takes_these_arguments(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, *arguments = shlex.split(line)
    assert name in COMMANDS
    module = import_module(f"commands.{name.replace('-', '_')}")
    first = {"doctor": "_sign_in", "drop": "running"}.get(name, "find")
    monkeypatch.setattr(module, first, _parsed)
    with pytest.raises(Parsed):
        module.main([PLACEHOLDERS.get(word, word) for word in arguments])


def test_a_command_that_takes_no_such_argument_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit):
        test_each_command_that_is_named_takes_these_arguments("failures --retry-some", monkeypatch)


def _parsed(*_: object, **__: object) -> None:
    raise Parsed


def test_links_to_the_runbook_lead_to_a_section() -> None:
    for page in ("docs/alerts.md", "docs/runbook.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        named = re.findall(r"\((?:runbook\.md)?#([a-z-]+)\)", text)
        known = {*SECTIONS, "channels"}
        assert [one for one in named if one not in known] == [], page
