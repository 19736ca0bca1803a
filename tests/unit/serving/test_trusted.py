"""Compiled trees serve when they are right; otherwise LightGBM goes on serving, and the log says why."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving import compiled, trees
from serving.model import describe, encode, load
from serving.trusted import Untrusted, compiled_for, quickened

ROWS = {
    "age": [70, 20, None, 55],
    "job": ["student", "admin.", None, "student"],
    "rate": [0.1, None, 3.0, -2.0],
}


def both(folder: Path) -> tuple[Any, Any]:
    """As a deployment does it; the plain model and the one it serves with."""
    plain = load(folder)
    return plain, quickened(plain, encode(plain.features, ROWS))


def test_compiled_trees_serve_and_say_the_same(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    plain, quick = both(folder)
    assert quick.compiled is not None
    assert not caplog.records
    assert quick.probabilities(ROWS).tolist() == plain.probabilities(ROWS).tolist()


@pytest.mark.parametrize(
    "why", ["no llvmlite", "not supported", "wrong", "wrong on held-out rows", "not a number"]
)
def test_otherwise_lightgbm_serves_and_the_log_says_why(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    def refuse(_: str) -> Any:
        raise trees.NotSupported("linear leaves")

    if why == "no llvmlite":
        monkeypatch.setitem(sys.modules, "serving.compiled", None)
    elif why == "not supported":
        monkeypatch.setattr(compiled, "read_trees", refuse)
    elif why == "wrong on held-out rows":
        describe(folder, compiled=False)
    else:
        value = 0.3 if why == "wrong" else np.nan
        monkeypatch.setattr(compiled.Compiled, "predict", lambda self, matrix: np.full(len(matrix), value))
    with caplog.at_level(logging.WARNING):
        plain, quick = both(folder)
    assert quick.compiled is None
    assert quick.probabilities(ROWS).tolist() == plain.probabilities(ROWS).tolist()
    told = {
        "no llvmlite": "ModuleNotFoundError",
        "not supported": "linear leaves",
        "wrong": "differ",
        "not a number": "nan",
    }
    assert told.get(why, why) in caplog.text


def test_without_rows_to_compare_on_nothing_is_trusted(folder: Path) -> None:
    model = load(folder)
    with pytest.raises(Untrusted, match="no rows"):
        compiled_for(model, encode(model.features, {name: [] for name in model.columns}))
