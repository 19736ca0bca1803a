"""The support matrices claim nothing that no test shows."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from localazure.events.support import SUPPORT as EVENTS
from localazure.host.support import SUPPORT as HOST
from localazure.storage.support import SUPPORT as STORAGE

ROOT = Path(__file__).resolve().parents[1]
TABLES = {"events": EVENTS, "host": HOST, "storage": STORAGE}


def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds) and node.name.startswith("test_")}


@pytest.mark.parametrize("part", TABLES)
def test_every_row_names_a_test_there_is(part: str) -> None:
    for feature, state, test, difference in TABLES[part]:
        assert state in {"yes", "partial", "no-refused", "no"}, feature
        assert test or (state == "no" and difference), f"{feature}: nothing shows it"
        if test:
            file, _, name = test.partition("::")
            assert (ROOT / file).is_file(), test
            assert name in names_in(ROOT / file), test
        assert state == "yes" or difference, f"{feature}: what is the difference?"


@pytest.mark.parametrize("part", TABLES)
def test_no_feature_is_listed_twice(part: str) -> None:
    features = [feature for feature, *_ in TABLES[part]]
    assert len(features) == len(set(features))
