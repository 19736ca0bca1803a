"""The parts of the AutoML search by themselves: metrics against published values, tables, splits, candidates."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from localazure.workspace.automl.mltable import BadTable, Tables
from localazure.workspace.automl.search.__main__ import Search
from localazure.workspace.automl.search.automl_model import (
    Features,
    Model,
    _load_pyfunc,
    load,
    save,
    sharpened,
)
from localazure.workspace.automl.search.candidates import Candidate, Seen, next_candidate
from localazure.workspace.automl.search.ensemble import vote_weights
from localazure.workspace.automl.search.features import learn
from localazure.workspace.automl.search.fitting import (
    LINEAR,
    Training,
    best_sharpness,
    fit,
    logistic,
    out_of_fold,
)
from localazure.workspace.automl.search.job import load as load_job
from localazure.workspace.automl.search.metrics import area_under_roc, average_precision, metrics
from localazure.workspace.automl.search.table import BadData, read, rows_of, splits
from localazure.workspace.automl.task import ALGORITHMS, Task
from localazure.workspace.store.blobs import NothingThere, Place


def _certain(guess: list[int], classes: int) -> np.ndarray:
    return np.eye(classes)[guess]


def test_areas_and_precisions_are_those_of_scikit_learns_examples() -> None:
    truth, score = np.array([False, False, True, True]), np.array([0.1, 0.4, 0.35, 0.8])
    assert area_under_roc(truth, score) == 0.75
    assert average_precision(truth, score) == pytest.approx(0.8333, abs=1e-4)
    assert area_under_roc(truth, np.zeros(4)) == 0.5
    assert np.isnan(area_under_roc(np.array([True, True]), np.array([0.1, 0.2])))


def test_metrics_of_guesses_are_those_of_scikit_learns_examples() -> None:
    found = metrics(np.array([0, 1, 2, 0, 1, 2]), _certain([0, 2, 1, 0, 0, 1], 3))
    assert found["f1_score_macro"] == pytest.approx(0.2667, abs=1e-4)
    assert found["precision_score_macro"] == pytest.approx(0.2222, abs=1e-4)
    assert found["recall_score_weighted"] == pytest.approx(0.3333, abs=1e-4)
    balanced = metrics(np.array([0, 1, 0, 0, 1, 0]), _certain([0, 1, 0, 0, 0, 1], 2))
    assert balanced["balanced_accuracy"] == 0.625
    assert balanced["norm_macro_recall"] == pytest.approx(0.25)
    assert metrics(np.array([1, 1, 1, 0]), _certain([1, 0, 1, 1], 2))[
        "matthews_correlation"
    ] == pytest.approx(-0.3333, abs=1e-4)
    spam = np.array([[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.35, 0.65]])
    assert metrics(np.array([1, 0, 0, 1]), spam)["log_loss"] == pytest.approx(0.21616, abs=1e-5)


def test_splits_keep_each_class_on_both_sides_and_check_every_row_once() -> None:
    truth = np.array([0] * 90 + [1] * 12)
    folds = splits(truth, folds=5, holdout=None, seed=1)
    assert sorted(np.concatenate([valid for _, valid in folds])) == list(range(102))
    assert all(set(truth[valid]) == {0, 1} == set(truth[train]) for train, valid in folds)
    assert len(splits(truth, folds=None, holdout=None, seed=1)) == 10
    assert len(splits(np.arange(3000) % 2, folds=None, holdout=None, seed=1)) == 3
    ((train, valid),) = splits(np.arange(30_000) % 3, folds=None, holdout=None, seed=1)
    assert (len(train), len(valid)) == (27_000, 3000)
    with pytest.raises(BadData, match="one row only"):
        splits(np.array([0, 0, 0, 1]), folds=2, holdout=None, seed=1)


def _model(algorithm: str, classes: int) -> tuple[Model, dict[str, np.ndarray], np.ndarray]:
    chance = np.random.default_rng(3)
    columns = {
        "number": np.where(chance.random(300) < 0.1, np.nan, chance.normal(size=300)),
        "word": np.array([["a", "b", None][one] for one in chance.integers(3, size=300)], dtype=object),
        "same": np.full(300, 2.0),
        "names": np.array([f"n{one}" for one in range(300)], dtype=object),
    }
    truth = (
        np.where(np.nan_to_num(columns["number"]) > 0, 1, 0) if classes == 2 else chance.integers(3, size=300)
    )
    features = learn(columns, frozenset(), featurize=True)
    first = next_candidate(ALGORITHMS.index(algorithm), ALGORITHMS, [], 1)
    training = Training(
        matrix=features.matrix(columns, scaled=algorithm == LINEAR), truth=truth, weights=None, classes=classes,
        categories=features.categories, threads=1, seed=1,
    )  # fmt: skip
    folds = splits(truth, folds=3, holdout=None, seed=1)
    _, parameters = out_of_fold(algorithm, first.parameters, training, folds)
    member = fit(algorithm, parameters, training, np.arange(300))
    labels = ["no", "yes"] if classes == 2 else [1, 2, 3]
    made = Model(features=features, labels=labels, members=[member], weights=[1.0], sharpness=[0.8])
    return made, columns, truth


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("classes", [2, 3])
def test_a_model_that_is_read_again_answers_the_same(tmp_path: Path, algorithm: str, classes: int) -> None:
    model, columns, truth = _model(algorithm, classes)
    assert [one["name"] for one in model.features.spec] == ["number", "word"]
    save(model, tmp_path)
    again = load(tmp_path)
    assert np.allclose(again.predict_proba(columns), model.predict_proba(columns))
    assert np.allclose(again.predict_proba(columns).sum(axis=1), 1)
    if classes == 2:
        told = np.array(again.predict(columns)) == "yes"
        assert np.mean(told == truth) > 0.9


def test_mlflow_gives_probabilities_and_labels_when_asked(tmp_path: Path) -> None:
    model, columns, _ = _model("LightGBM", 2)
    save(model, tmp_path)
    loaded = _load_pyfunc(str(tmp_path))
    assert np.allclose(loaded.predict(columns), model.predict_proba(columns))
    labels = loaded.predict(columns, params={"method": "predict"})
    assert labels.tolist() == model.predict(columns)
    with pytest.raises(ValueError, match="one of predict_proba, predict"):
        loaded.predict(columns, params={"method": "decide"})


def _noise(rows: int, share: float) -> Training:
    """Rows about which nothing can be known but the share of those that are true."""
    chance = np.random.default_rng(4)
    truth = np.asarray(chance.random(rows) < share, dtype=int)
    return Training(
        matrix=chance.normal(size=(rows, 3)), truth=truth, weights=None, classes=2, categories=[], threads=1, seed=1,
    )  # fmt: skip


def test_boosting_stops_where_rows_that_it_has_not_seen_are_told_no_better() -> None:
    training = _noise(600, 0.5)
    first = next_candidate(0, ("LightGBM",), [], 1)
    folds = splits(training.truth, folds=3, holdout=None, seed=1)
    answers, parameters = out_of_fold("LightGBM", first.parameters, training, folds)
    assert parameters["rounds"] < 30
    assert metrics(training.truth, answers)["log_loss"] < 0.72


def test_a_forests_answers_are_shares_of_rows() -> None:
    training = _noise(3000, 0.1)
    first = next_candidate(0, ("RandomForest",), [], 1)
    member = fit("RandomForest", first.parameters, training, np.arange(1500))
    told = member.probabilities(training.matrix[1500:])
    assert told[:, 1].mean() == pytest.approx(0.1, abs=0.03)
    assert metrics(training.truth[1500:], told)["log_loss"] < 0.4


def test_answers_that_are_too_sure_are_made_less_so() -> None:
    chance = np.random.default_rng(2)
    true = chance.uniform(0.1, 0.9, 4000)
    truth = np.asarray(chance.random(4000) < true, dtype=int)
    sure = sharpened(np.column_stack([1 - true, true]), 3.0)
    found = best_sharpness(sure, truth)
    assert found == pytest.approx(1 / 3, abs=0.05)
    assert np.allclose(sharpened(sure, 1 / 3)[:, 1], true)


def test_a_votes_weights_have_the_least_log_loss() -> None:
    """Two that know different things share the vote; one that only guesses has no part."""
    chance = np.random.default_rng(6)
    first, second, guess = chance.normal(size=(3, 5000))
    truth = chance.random(5000) < 1 / (1 + np.exp(-(first + second)))
    members = [1 / (1 + np.exp(-one)) for one in (first, second, guess)]
    told = np.column_stack([np.where(truth, one, 1 - one) for one in members])
    weights = vote_weights(told)
    assert weights == pytest.approx([0.5, 0.5, 0], abs=0.1)
    tried = chance.dirichlet(np.ones(3), 500)
    assert -np.log(told @ weights).mean() <= -np.log(told @ tried.T).mean(axis=0).min() + 1e-3
    assert vote_weights(np.array([[0.9, 0.2], [0.8, 0.7]])).tolist() == [1.0, 0.0]


def test_features_learnt_from_training_rows_meet_what_is_new() -> None:
    features = learn({"word": np.array(["a", "b", "b"], dtype=object)}, frozenset(), featurize=True)
    assert features.matrix({"word": ["c", "b"]}, scaled=True).tolist() == [[0.0, 0.0], [0.0, 1.0]]
    assert features.categories == [0]
    codes = features.matrix({"word": ["c", "b", "a"]}, scaled=False)
    assert np.array_equal(codes, [[np.nan], [1.0], [0.0]], equal_nan=True)
    with pytest.raises(ValueError, match="columns are missing: word"):
        features.matrix({"words": ["a"]}, scaled=True)
    when = Features([{"name": "t", "kind": "time", "mean": 0.0, "deviation": 1.0, "missing": False}])
    assert when.matrix({"t": ["1970-01-02T00:00:00Z"]}, scaled=False).tolist() == [[86400.0]]
    with pytest.raises(BadData, match="with featurization off"):
        learn({"word": np.array(["a", "b"], dtype=object)}, frozenset(), featurize=False)


def test_candidates_repeat_for_the_same_history_and_stay_in_their_ranges() -> None:
    assert [next_candidate(number, ALGORITHMS, [], 1).algorithm for number in range(4)] == list(ALGORITHMS)
    good = Seen(candidate=Candidate(algorithm="LogisticRegression", parameters={"C": 100.0}), score=0.9)
    drawn = [next_candidate(number, ("LogisticRegression",), [good], 1) for number in range(1, 60)]
    assert drawn == [next_candidate(number, ("LogisticRegression",), [good], 1) for number in range(1, 60)]
    assert all(0.001 <= one.parameters["C"] <= 100 for one in drawn)
    assert len({one.parameters["C"] for one in drawn}) > 30


class _Storage:
    """Folders on this disk, as places in storage."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, uri: str) -> Place:
        return Place("c", uri.partition("://")[2])

    def download_folder(self, place: Place, into: Path) -> int:
        into.mkdir(parents=True)
        files = [file for file in (self.folder / place.path).rglob("*") if file.is_file()]
        for file in files:
            (into / file.name).write_bytes(file.read_bytes())
        return len(files)

    def names(self, place: Place) -> list[str]:
        found = [
            file.relative_to(self.folder).as_posix() for file in self.folder.rglob("*") if file.is_file()
        ]
        return [name for name in found if name.startswith(place.path)]

    def download_file(self, place: Place, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((self.folder / place.path).read_bytes())


def _plan(tmp_path: Path, mltable: str, **files: str) -> dict[str, Any]:
    storage: Any = _Storage(tmp_path / "storage")
    for name, text in {"table/MLTable": mltable, **files}.items():
        file = tmp_path / "storage" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Tables(resolver=storage, blobs=storage).fetch("azureml://table", tmp_path / "here")


def test_an_mltable_is_read_as_it_says(tmp_path: Path) -> None:
    mltable = """
paths: [{file: ./a.csv}, {pattern: 'azureml://other/*.csv'}]
transformations:
  - read_delimited: {delimiter: ';', encoding: latin1}
  - convert_column_types: [{columns: code, column_type: string}]
  - drop_columns: secret
  - skip: 1
  - take: 2
"""
    files = {
        "table/a.csv": "code;y;secret\n007;yes;1\n008;no;2\n",
        "other/b.csv": "code;y;secret\n009;yes;3\n010;no;4\n",
    }
    table = read(_plan(tmp_path, mltable, **files))
    assert table.to_pydict() == {"code": ["008", "009"], "y": ["no", "yes"]}


def test_parquet_and_a_file_without_header_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "storage/table").mkdir(parents=True)
    pyarrow.parquet.write_table(
        pa.table({"x": [1, 2], "y": [True, False]}), tmp_path / "storage/table/p.parquet"
    )
    plan = _plan(tmp_path, "paths: [{pattern: './*.parquet'}]\ntransformations: [read_parquet]\n")
    rows = rows_of(read(plan), "y", None)
    assert (rows.classes, rows.truth.tolist(), rows.columns["x"].tolist()) == (
        [False, True],
        [1, 0],
        [1.0, 2.0],
    )
    plan = {"files": [str(tmp_path / "n.csv")], "format": "delimited", "header": False}
    (tmp_path / "n.csv").write_text("1,a\n2,b\n")
    assert read(plan).to_pydict() == {"f0": [1, 2], "f1": ["a", "b"]}


@pytest.mark.parametrize(
    ("mltable", "says"),
    [
        ("transformations: [read_parquet]\n", "names no files"),
        ("paths: [{file: ./a.csv}]\n", "neither read_delimited nor read_parquet"),
        ("paths: [{file: ./none.csv}]\ntransformations: [read_parquet]\n", "there is no file"),
        ("paths: [{file: ./a.csv}]\ntransformations: [read_json_lines]\n", "'read_json_lines' is not emulated"),
        ("paths: [{file: ./a.csv}]\ntransformations: [{filter: 'x > 1'}]\n", "'filter' is not emulated"),
        ("paths: [{file: ./a.csv}]\ntransformations: [{read_delimited: {header: from_first_file}}]\n", "from_first_file"),
        ("paths: [{file: ./a.csv}]\ntransformations: [{read_delimited: {include_path_column: true}}]\n", "include_path"),
        ("paths: [a.csv]\ntransformations: [read_parquet]\n", "not one of file, folder, pattern"),
        ("paths: [\n", "not YAML"),
        ("paths: [{pattern: '../../*'}]\ntransformations: [read_parquet]\n", "out of its folder"),
    ],
)  # fmt: skip
def test_what_an_mltable_says_and_is_not_done_is_refused(tmp_path: Path, mltable: str, says: str) -> None:
    with pytest.raises((BadTable, NothingThere), match=says):
        _plan(tmp_path, mltable, **{"table/a.csv": "x\n1\n"})


def _search(folder: Path, **task: Any) -> tuple[int, str, list[dict[str, Any]]]:
    """Runs the program itself: its exit code, what it said, its events."""
    rows = [f"{number},{number % 7},{'yes' if number > 60 else 'no'}" for number in range(120)]
    (folder / "rows.csv").write_text("\n".join(["a,b,y", *rows]))
    asked = Task(target="y", metric="accuracy", **task)
    data = {"training_data": {"files": [str(folder / "rows.csv")], "format": "delimited"}}
    (folder / "job.json").write_text(json.dumps({"task": asked.to_json(), "data": data}))
    command = [sys.executable, "-P", "-m", "localazure.workspace.automl.search", str(folder), "parent"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    lines = (folder / "events.jsonl").read_text().splitlines()
    return done.returncode, done.stdout + done.stderr, [json.loads(line) for line in lines]


@pytest.mark.slow
def test_no_more_trials_run_at_once_than_allowed_and_no_more_in_all(tmp_path: Path) -> None:
    code, said, events = _search(tmp_path, most_trials=5, at_once=2, vote=False, stack=False)
    assert code == 0, said
    under_way, most = 0, 0
    for event in events:
        under_way += {"begun": 1, "ended": -1}.get(event["event"], 0)
        most = max(most, under_way)
    assert (most, under_way) == (2, 0)
    assert [event["status"] for event in events if event["event"] == "ended"] == ["Completed"] * 5


@pytest.mark.slow
def test_a_search_is_repeated_to_the_byte(tmp_path: Path) -> None:
    """With two trials at once, of which now the one and now the other ends first."""

    def models(name: str) -> dict[str, bytes]:
        (tmp_path / name).mkdir()
        code, said, _ = _search(tmp_path / name, most_trials=9, at_once=2)
        assert code == 0, said
        folder = tmp_path / name / "trials"
        files = sorted(folder.glob("*/outputs/mlflow-model/data/*"))
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}

    first = models("first")
    assert len(first) > 9
    assert models("second") == first


@pytest.mark.slow
def test_a_trial_computes_with_one_thread(tmp_path: Path) -> None:
    """Until there are so many rows that another one helps."""
    _search(tmp_path, most_trials=1)
    assert load_job(tmp_path).threads == 1


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["trial_seconds", "seconds"])
def test_what_takes_longer_than_its_limit_is_ended(tmp_path: Path, limit: str) -> None:
    code, said, events = _search(tmp_path, most_trials=1, **{limit: 0.01})
    assert (code, "no trial came to a good end" in said) == (3, True), said
    ends = [event for event in events if event["event"] == "ended"]
    assert [event["status"] for event in ends] == ["Canceled"] * len(ends)
    assert len(ends) == len([event for event in events if event["event"] == "begun"]) <= 1


def _under_way(scores: list[float], **task: Any) -> Search:
    """A search whose first trials had these scores."""
    candidate = Candidate(algorithm="LightGBM", parameters=next_candidate(0, ALGORITHMS, [], 1).parameters)
    job: Any = SimpleNamespace(task=Task(target="y", metric="accuracy", **task))
    context: Any = None
    search = Search(job=job, deadline=time.monotonic() + 60, prefix="p", context=context)
    search.seen = {number: Seen(candidate=candidate, score=score) for number, score in enumerate(scores)}
    search.begun = len(scores)
    return search


def test_a_search_ends_early_when_nothing_gets_better() -> None:
    assert _under_way([0.5] * 19)._goes_on()
    assert not _under_way([0.5] * 20)._goes_on()
    assert _under_way([0.5] * 19 + [0.6])._goes_on()
    assert _under_way([0.5] * 20, early_end=False)._goes_on()


def test_what_is_tried_next_does_not_depend_on_which_of_two_trials_ends_first() -> None:
    """The trials that run at once with the one before are not looked at, and those before them are waited for."""
    search = _under_way([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], at_once=2)
    known = search._known()
    del search.seen[5]
    assert search._known() == known
    late: Any = SimpleNamespace(number=4)
    search.running = [late]
    assert search._has_turn()
    late.number = 3
    assert not search._has_turn()


def test_rows_weigh_as_much_as_their_weight_says() -> None:
    matrix, truth = np.zeros((4, 1)), np.array([0, 0, 0, 1])
    even = logistic(matrix, truth, classes=2, weights=None, strength=1.0)
    heavy = logistic(matrix, truth, classes=2, weights=np.array([1.0, 1.0, 1.0, 9.0]), strength=1.0)
    assert even.probabilities(matrix)[0, 1] == pytest.approx(0.25, abs=1e-3)
    assert heavy.probabilities(matrix)[0, 1] == pytest.approx(0.75, abs=1e-3)
