"""Compiled trees serve when they are right; otherwise LightGBM goes on serving, and the log says why."""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving import compiled, trees
from serving.boosted import Boosted
from serving.features import BadValue
from serving.members import Variant
from serving.model import SINGLE, ModelBroken, describe, load
from serving.trusted import Untrusted, compiled_for, quickened, ready

ROWS = {
    "age": [70, 20, None, 55],
    "job": ["student", "admin.", None, "student"],
    "rate": [0.1, None, 3.0, -2.0],
}


def both(folder: Path) -> tuple[Any, Any]:
    """As a deployment does it; the plain model and the one it serves with."""
    plain = load(folder)
    return plain, quickened(plain, {SINGLE: plain.encode(ROWS)})


def test_compiled_trees_serve_and_say_the_same(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    plain, quick = both(folder)
    assert quick.variants[SINGLE].compiled
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
        describe(folder, compiled={SINGLE: False})
    else:
        value = 0.3 if why == "wrong" else np.nan
        monkeypatch.setattr(compiled.Compiled, "predict", lambda self, matrix: np.full(len(matrix), value))
    with caplog.at_level(logging.WARNING):
        plain, quick = both(folder)
    assert not quick.variants[SINGLE].compiled
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
        compiled_for(model.variants[SINGLE], model.encode({name: [] for name in model.columns}))


# --- a deployment's start -----------------------------------------------------------------------------------------


def golden(folder: Path, rows: list[list[Any]]) -> None:
    (folder / "golden.json").write_text(json.dumps({"columns": ["age", "job", "rate"], "rows": rows}))


def test_a_model_is_compared_on_its_golden_rows_and_answers_compiled(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden(folder, [[70, "student", 0.1], [20, None, None]])
    compared: list[int] = []
    kept = compiled.Compiled.predict
    monkeypatch.setattr(
        compiled.Compiled,
        "predict",
        lambda self, matrix: (compared.append(len(matrix)), kept(self, matrix))[1],
    )
    assert ready(folder).variants[SINGLE].compiled
    assert compared == [2, 2]  # once to compare, once to have answered before anybody asks


def test_a_model_without_golden_rows_answers_by_lightgbm(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        model = ready(folder)
    assert not model.variants[SINGLE].compiled
    assert "bank 3 predicts with LightGBM, not with compiled trees (single): there are no rows" in caplog.text


def test_a_model_that_cannot_score_does_not_start(folder: Path) -> None:
    """At the start, where the deployment fails and the one before goes on, and not at the first caller's request."""
    described = json.loads((folder / "model.json").read_text())
    del described["deciles"]
    (folder / "model.json").write_text(json.dumps(described))
    with pytest.raises(ModelBroken, match="deciles"):
        ready(folder)


def test_golden_rows_that_are_no_rows_of_this_model_do_not_start_it(folder: Path) -> None:
    golden(folder, [["old", "student", 0.1]])
    with pytest.raises(BadValue, match="'age'"):
        ready(folder)


TREES = "\n".join(
    [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "max_feature_idx=2",
        "objective=binary sigmoid:1",
    ]
)


class Nothing:
    """In a booster's place: a probability of nothing."""

    def predict(self, matrix: Any, **_: Any) -> Any:
        return np.zeros(len(matrix))


@pytest.mark.parametrize(("apart", "trusted"), [(0.0, True), (1e-12, True), (2e-12, False), (-2e-12, False)])
def test_another_exp_may_differ_in_the_last_bit_and_no_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch, apart: float, trusted: bool
) -> None:
    model = load(folder)
    matrix = model.encode(ROWS)
    monkeypatch.setattr(compiled.Compiled, "predict", lambda self, given: np.zeros(len(given)) + apart)
    (known,) = model.variants[SINGLE].members
    only = dataclasses.replace(known, learner=Boosted(booster=Nothing(), text=TREES))
    plain = Variant(members=(only,))
    if trusted:
        assert compiled_for(plain, matrix).predict(matrix).tolist() == [apart] * len(matrix)
        return
    with pytest.raises(Untrusted, match=r"differ from it by 2e-12 on 4 rows"):
        compiled_for(plain, matrix)
