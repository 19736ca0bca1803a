"""AutoML's model beside the live recipe's: what each may know, who is better, and how the model is loaded."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipelines.automl import judge, score, split
from pipelines.automl.pipeline import TARGET
from pipelines.automl.split import Cut, cut, later, table_of
from pipelines.training import trial
from shared.domain.models.leaderboard import LEADERBOARD, Leaderboard
from shared.domain.models.recipe import Recipe, RecipeMember
from tests.unit.pipelines.experimentation.test_search import SIZES, book, past

ROWS = past(*SIZES)
BOOK = book(2, 3, 4, 5)
GOOD = Recipe(name="good", members=(RecipeMember(name="ridge", learner="ridge"),))
POOR = replace(GOOD, name="poor", members=(replace(GOOD.members[0], parameters={"strength": 0.0001}),))


def said_by(recipe: Recipe, at: Cut) -> Any:
    """As if AutoML had made this one."""
    learned = at.learned(ROWS)
    return np.concatenate([trial.scored([recipe], learned, later(ROWS, each))[0] for each in at.judged])


def test_the_newest_drops_judge_and_what_came_before_is_learned_from() -> None:
    at = cut(ROWS, BOOK)
    assert at.judged == (3, 4, 5)
    assert len(at.learned(ROWS).answers) == int((~ROWS.held_out & (ROWS.versions < 3)).sum())


def test_rows_in_doubt_are_not_learned_from() -> None:
    at = cut(past(500, 200, 250, 200, 300, 200), book(2, 4, 5, 6, doubted=(3,)))
    assert (at.judged, at.doubted) == ((4, 5, 6), (3,))
    rows = past(500, 200, 250, 200, 300, 200)
    assert len(at.learned(rows).answers) == int((~rows.held_out & (rows.versions < 3)).sum())


@pytest.mark.parametrize("known", [None, book(4, 5)])
def test_without_enough_drops_it_says_how_many_are_needed(known: Any) -> None:
    with pytest.raises(SystemExit, match=r"the last 3 at least.*gather more"):
        cut(ROWS, known)


def test_the_table_that_automl_learns_from_knows_nothing_of_the_drops_that_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(split, "read_evidence", {tmp_path: BOOK}.__getitem__)
    monkeypatch.setattr(split.Past, "read", lambda _: ROWS)
    given = ["--prepared", str(tmp_path), "--earlier", str(tmp_path)]
    split.main([*given, "--table", str(tmp_path / "table")])
    learned, judged = (pq.read_table(tmp_path / "table" / name) for name in (split.EARLIER, score.LATER))
    assert learned.num_rows == int((~ROWS.held_out & (ROWS.versions < 3)).sum())
    assert set(learned.column(TARGET).to_pylist()) == {0, 1}
    assert judged.num_rows == 250 + 200 + 300
    assert TARGET not in judged.column_names
    assert judged.column_names == [feature.name for feature in ROWS.matrix.inputs]
    assert set(learned.column("job").to_pylist()) <= {"admin.", "retired", "student"}
    named = (tmp_path / "table" / "MLTable").read_text()
    assert "earlier.parquet" in named
    assert "later" not in named


@pytest.mark.parametrize(("theirs", "ours", "verdict"), [(GOOD, POOR, "better"), (POOR, GOOD, "worse")])
def test_who_is_surely_better_is_said_to_be(
    theirs: Recipe, ours: Recipe, verdict: str, tmp_path: Path
) -> None:
    at = cut(ROWS, BOOK)
    found = judge.judge(ROWS, at, ours, said_by(theirs, at), false_change=0.2)
    assert found.verdict == verdict
    assert f"AutoML's model is {verdict}" in found.reason
    judge.write(tmp_path, found, ours, about={"dataset": "bank"}, seconds=1.0)
    board = Leaderboard.from_json((tmp_path / LEADERBOARD).read_bytes())
    assert (board.found, board.verdict) == (None, verdict)
    assert [one["name"] for one in board.best] == ["automl", ours.name]


def test_a_model_that_says_the_same_is_neither() -> None:
    at = cut(ROWS, BOOK)
    found = judge.judge(ROWS, at, GOOD, said_by(GOOD, at), false_change=0.05)
    assert (found.verdict, found.standing.e_value) == ("undecided", 1.0)
    assert [each.difference for each in found.automl] == [0.0, 0.0, 0.0]
    assert any(each.difference != 0 for each in found.refitted)  # the live recipe learns on


def test_two_drops_are_no_verdict_however_clear_they_are() -> None:
    at = Cut(judged=(4, 5), doubted=())
    found = judge.judge(ROWS, at, POOR, said_by(GOOD, at), false_change=0.2)
    assert found.verdict == "undecided"


def test_a_model_that_skipped_rows_is_none() -> None:
    at = cut(ROWS, BOOK)
    with pytest.raises(SystemExit, match="scored 751 rows, and the later drops have 750"):
        judge.judge(ROWS, at, GOOD, np.append(said_by(GOOD, at), 0.5), false_change=0.05)


# --- the model ---------------------------------------------------------------------------------------------------


def mlflow_folder(folder: Path, flavors: str) -> Path:
    (folder / "code").mkdir(parents=True)
    (folder / "MLmodel").write_text(f"flavors:\n{flavors}")
    return folder


def test_a_model_is_loaded_as_its_own_module_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    flavor = "  python_function:\n    loader_module: one_of_a_kind\n    code: code\n    data: data\n"
    home = mlflow_folder(tmp_path / "model" / "nested", flavor)
    (home / "code" / "one_of_a_kind.py").write_text(
        "import pathlib\n"
        "class Model:\n"
        "    classes_ = [1, 0]\n"
        "    def __init__(self, path): self.rate = float((pathlib.Path(path) / 'rate').read_text())\n"
        "    def predict_proba(self, frame): return [[self.rate, 1 - self.rate] for _ in list(frame['job'])]\n"
        "def _load_pyfunc(path): return Model(path)\n"
    )
    (home / "data").mkdir()
    (home / "data" / "rate").write_text("0.25")
    rows = table_of(ROWS.matrix)
    assert set(score.probabilities(score.load(tmp_path / "model"), rows)) == {0.25}


def test_a_model_of_scikit_learns_is_loaded_by_mlflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a pickle, and has a python_function flavour too, which would say labels."""
    model = SimpleNamespace(classes_=["0", "1"], predict_proba=lambda frame: [[0.9, 0.1]])
    loader = SimpleNamespace(load_model=lambda path: model if path.endswith("model") else None)
    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace(sklearn=loader))
    monkeypatch.setitem(sys.modules, "mlflow.sklearn", loader)
    flavors = "  python_function: {loader_module: mlflow.sklearn}\n  sklearn: {pickled_model: model.pkl}\n"
    found = score.load(mlflow_folder(tmp_path / "model", flavors))
    assert found is model
    assert score.probabilities(found, table_of(later(ROWS, 5))).tolist() == [0.1]


@pytest.mark.parametrize(
    ("flavors", "says"), [(None, "holds no MLmodel"), ("  pytorch: {}\n", "is of pytorch; sklearn or")]
)
def test_what_is_no_such_model_is_said(tmp_path: Path, flavors: str | None, says: str) -> None:
    if flavors:
        mlflow_folder(tmp_path / "model", flavors)
    with pytest.raises(SystemExit, match=says):
        score.load(tmp_path)


def test_the_step_leaves_a_probability_for_each_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = SimpleNamespace(
        classes_=[0, 1], predict_proba=lambda frame: [[0.5, 0.5]] * len(list(frame["job"]))
    )
    monkeypatch.setattr(score, "load", lambda _: model)
    (tmp_path / "table").mkdir()
    pq.write_table(table_of(later(ROWS, 5)), tmp_path / "table" / score.LATER)
    score.main(["--table", str(tmp_path / "table"), "--model", "m", "--predicted", str(tmp_path / "out")])
    assert (
        pq.read_table(tmp_path / "out" / score.PREDICTED).column(score.PROBABILITY).to_pylist() == [0.5] * 300
    )


def test_drops_that_were_cut_otherwise_meanwhile_are_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "read_evidence", {tmp_path: BOOK}.__getitem__)
    monkeypatch.setattr(judge.Past, "read", lambda _: ROWS)
    (tmp_path / split.SPLIT).write_text(json.dumps({"judged": [4, 5]}))
    given = ["--prepared", ".", "--table", str(tmp_path), "--predicted", ".", "--earlier", str(tmp_path)]
    given += ["--model-name", "bank", "--model-version", "5"]
    with pytest.raises(SystemExit, match="start the run again"):
        judge.main([*given, "--false-change", "0.05", "--found", str(tmp_path / "out")])
