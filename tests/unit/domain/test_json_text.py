"""JSON that people read too, and dataclasses as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest

from shared.domain.json_text import in_lines
from shared.domain.json_types import as_json

BODY: dict[str, Any] = {
    "dataset": "bank",
    "rows": 3,
    "none": [],
    "parts": [{"file": "süd.csv", "rows": 1}, {"file": "b.csv", "rows": 2}],
}


@pytest.mark.parametrize("body", [BODY, {}])
def test_what_is_in_lines_says_the_same(body: dict[str, Any]) -> None:
    assert json.loads(in_lines(body)) == body


def test_a_member_and_an_item_have_a_line_each() -> None:
    lines = in_lines(BODY).decode().splitlines()
    assert len(lines) == 9
    assert lines[5] == '  {"file": "s\\u00fcd.csv", "rows": 1},'


def test_letters_stay_where_they_may() -> None:
    assert "süd" in in_lines(BODY, ensure_ascii=False).decode()


@dataclass
class Inner:
    seen: list[int] = field(default_factory=lambda: [1, 2])


@dataclass
class Outer:
    name: str = "a"
    inner: Inner = field(default_factory=Inner)
    by_name: dict[str, Inner] = field(default_factory=lambda: {"x": Inner()})
    both: tuple[Inner, ...] = (Inner(),)


def test_a_dataclass_is_as_the_standard_library_has_it() -> None:
    assert as_json(Outer()) == asdict(Outer())


def test_what_is_written_down_changes_no_more() -> None:
    value = Outer()
    written = as_json(value)
    value.inner.seen.append(3)
    assert written["inner"]["seen"] == [1, 2]
