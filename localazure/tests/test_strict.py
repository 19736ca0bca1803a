"""The table of unkindnesses: names that are read from a command line, and a source for each."""

from __future__ import annotations

import argparse
import re

import pytest

from localazure.strict import LATE_SECONDS, NAMES, UNKINDNESSES, Strict, add_option


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ([], set()),
        (["--strict"], NAMES),
        (["--strict", "all"], NAMES),
        (["--strict", "put-replaces, events-twice"], {"put-replaces", "events-twice"}),
        (["--strict="], set()),
    ],
)
def test_all_or_some_by_name(line: list[str], names: set[str]) -> None:
    parser = argparse.ArgumentParser()
    add_option(parser)
    assert parser.parse_args(line).strict == names


def test_another_name_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_option(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--strict", "events-thrice"])
    assert "'events-thrice'; there are all, put-replaces" in capsys.readouterr().err


def test_each_has_a_name_of_its_own_and_says_where_azure_says_so() -> None:
    assert len(NAMES) == len(UNKINDNESSES)
    for one in UNKINDNESSES:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", one.name)
        assert one.does
        assert one.source


def test_a_role_is_late_by_some_seconds_for_each_resource() -> None:
    now = [0.0]
    strict = Strict(NAMES, now=lambda: now[0])
    assert strict.is_too_new("a")
    now[0] = LATE_SECONDS
    assert (strict.is_too_new("a"), strict.is_too_new("b")) == (False, True)
    strict.set([])
    assert not strict.is_too_new("c")
