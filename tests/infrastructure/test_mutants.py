"""Each mistake in `infra/` is found, and named: what is left out or weakened, in turn, and kinds that compilers let pass.

`./dev test --slow tests/infrastructure/test_mutants.py -v` tries them all, some nineteen hundred.
"""

from __future__ import annotations

import pytest

from commands.infrastructure.check import found_in
from tests.infrastructure.mutants import SURVIVORS, Mutant, mutants

ALL = mutants()
FILES = sorted({each.file for each in ALL})
WITH_QUERIES = ("queries.json", "workbook.json")


def named(mutant: Mutant) -> str | None:
    """The finding that names the mistake; else the last that there is, and None when there is none."""
    last = None
    for finding in found_in(mutant.source, queries=mutant.file in WITH_QUERIES):
        last = str(finding)
        if any(word in last for word in mutant.words):
            return last
    return f"not by its name: {last}" if last else None


def test_there_are_many_and_each_is_one() -> None:
    assert len(ALL) > 150
    assert len({(each.file, each.text) for each in ALL}) > 0.99 * len(ALL)
    for each in ALL:
        assert each.source.read(each.file) == each.text


def test_what_survives_is_among_them() -> None:
    assert SURVIVORS.keys() <= {each.name for each in ALL}
    assert len(SURVIVORS) < 0.05 * len(ALL)


@pytest.mark.parametrize("mutant", ALL[:: len(ALL) // 12], ids=lambda each: each.name)
def test_some_are_found_by_name(mutant: Mutant) -> None:
    found = named(mutant)
    assert mutant.name in SURVIVORS or (found and not found.startswith("not by its name")), found


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_each_is_found_by_name(file: str) -> None:
    found = {each.name: named(each) for each in ALL if each.file == file}
    survived = {name for name, says in found.items() if says is None}
    assert survived == {name for name in SURVIVORS if name in found}
    unnamed = {name: says for name, says in found.items() if says and says.startswith("not by its name")}
    assert unnamed == {}
