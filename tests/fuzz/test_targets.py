"""Each target reads its seeds, and whatever a fuzzer ever found, without one: the fuzzer itself runs by `./dev fuzz`."""

from __future__ import annotations

import importlib
from pathlib import Path
from unittest import mock

import pytest

from shared.domain.tables import columnar
from tests.fuzz.sentences import SENTENCES
from tests.fuzz.targets import TARGETS
from tests.unit.domain.clients import written

FOUND = Path(__file__).parent / "found"
INPUTS = [
    (name, seed)
    for name, target in TARGETS.items()
    for seed in (*target.seeds, b"", b"\xff\x00", b"[" * 4000)
]
INPUTS += [(file.parent.name, file.read_bytes()) for file in sorted(FOUND.glob("*/*"))]


@pytest.mark.parametrize(
    ("name", "data"), INPUTS, ids=[f"{name}-{at}" for at, (name, _) in enumerate(INPUTS)]
)
def test_what_was_ever_tried_is_read_or_refused(name: str, data: bytes) -> None:
    TARGETS[name].tried(data)


def test_each_target_is_told_by_the_command() -> None:
    assert [*SENTENCES] == [*TARGETS]


@pytest.mark.parametrize("name", TARGETS)
def test_what_leads_the_fuzzer_is_there(name: str) -> None:
    assert all(importlib.import_module(module) for module in TARGETS[name].modules)


def test_a_reader_that_raises_something_else_is_found() -> None:
    with mock.patch("tests.fuzz.targets.fact_in", side_effect=KeyError("fact")), pytest.raises(KeyError):
        TARGETS["fact"].tried(b"{}")


def test_readers_that_disagree_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    seed = TARGETS["admission"].seeds[0]
    lines = [*seed.splitlines()[1:], seed.splitlines()[1].replace(b";no;", b";?;", 1)]
    file = b"\xff" + b"\n".join([written([]).strip(), *lines, b""])
    TARGETS["admission"].tried(file)
    monkeypatch.setattr(columnar, "_strictly", lambda lines, header: [])
    with pytest.raises(AssertionError, match="disagree"):
        TARGETS["admission"].tried(file)


def test_a_line_of_another_width_that_is_no_text_prints_no_traceback() -> None:
    """Found by fuzzing: Arrow decoded it before it asked what to do with it."""
    good = TARGETS["admission"].seeds[0]
    TARGETS["admission"].tried(good + b"\xbe;\n" + good.splitlines()[1] + b"\n")
