"""`infra/` as it stands breaks no rule, and is what `./dev check` reads."""

from __future__ import annotations

from commands.infrastructure.check import FOLDER, findings, found_in, rules
from commands.infrastructure.syntax import Source


def test_nothing_is_found() -> None:
    assert list(map(str, found_in(Source(FOLDER), queries=False))) == []


def test_queries_are_read_too() -> None:
    found = findings()
    assert found.lines == ()
    assert found.read == f"{len(Source(FOLDER).names())} Bicep files by {len(rules())} rules"


def test_every_rule_says_what_must_hold() -> None:
    assert len({rule.name for rule in rules()}) == len(rules())
    assert [rule.name for rule in rules() if not rule.says] == []
