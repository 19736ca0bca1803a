"""Evaluating: challenger and champion on the same rows, by the same money, and what the candidate carries on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from declared import faults
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipelines.training import champion, evaluate, prepared
from pipelines.training.drift import PROFILE
from pipelines.training.evaluate import LEAST_NEWEST, Held, Judged
from pipelines.training.metrics import auc, average_precision, calibration_error, log_loss, profit
from serving import compiled, model
from serving.features import Feature
from serving.model import LIST, SINGLE, Model
from shared.domain.lists.list_drift import HELD_OUT_TENTHS
from shared.domain.models import promotion
from tests.unit.pipelines.runs import BANK, evaluation, part, trained

PROBABILITIES = arrays.arrays(np.float64, st.integers(1, 80), elements=st.floats(0, 1))


class Said:
    """In a variant's place: the first column is the probability."""

    def predict(self, matrix: Any, **_: Any) -> Any:
        return matrix[:, 0]


def saying(version: str = "1") -> Model:
    described = {"name": "bank", "version": version, "threshold": 0.5}
    said: Any = {SINGLE: Said()}
    return Model(variants=said, features=(Feature(name="p", type="number"),), description=described)


def rows(probabilities: list[float], answers: list[float]) -> prepared.Rows:
    return prepared.Rows(columns={"p": probabilities}, answers=np.array(answers))


def held_with(answers: Any) -> Held:
    """Rows of one list, of one version."""
    same = np.zeros(len(answers), np.int64)
    return Held(rows=prepared.Rows(columns={}, answers=np.asarray(answers)), lists=same, versions=same + 1)


def judged(figures: dict[str, Any], *probabilities: float) -> Judged:
    return Judged(probabilities=np.array(probabilities), figures=figures)


def test_the_figures_are_those_of_the_metrics() -> None:
    held = rows([0.9, 0.2, 0.3, 0.1], [1.0, 0.0, 1.0, 0.0])
    found = evaluate.judge(saying(), held, call_cost=20, deposit_value=100)
    said, called = np.array(held.columns["p"]), np.array([True, True, True, False])
    assert found.figures == {
        "name": "bank",
        "version": "1",
        "auc": auc(held.answers, said),
        "log_loss": log_loss(held.answers, said),
        "average_precision": average_precision(held.answers, said),
        "calibration_error": calibration_error(held.answers, said),
        "profit": profit(held.answers, called, call_cost=20, deposit_value=100),
        "calls": 3,  # a call pays from one fifth on, and one fifth is enough
    }
    assert found.figures["profit"] == 2 * 100 - 3 * 20


def test_todays_money_counts_and_not_that_of_the_training() -> None:
    held = rows([0.4, 0.6], [0.0, 1.0])
    cheap, dear = (evaluate.judge(saying(), held, call_cost=cost, deposit_value=100) for cost in (10, 50))
    assert (cheap.figures["calls"], dear.figures["calls"]) == (2, 1)


def test_a_smaller_loss_is_a_negative_difference() -> None:
    answers = np.array([1.0, 0.0] * 50)
    ours = judged({"auc": 0.9, "profit": 30.0}, *[0.9, 0.1] * 50)
    theirs = judged({"auc": 0.7, "profit": 50.0}, *[0.6, 0.4] * 50)
    found = evaluate.compare(ours, theirs, held_with(answers))
    assert found["log_loss_difference"] == pytest.approx(np.log(0.6) - np.log(0.9))
    assert (found["probability_better"], found["auc_difference"]) == (1.0, pytest.approx(0.2))
    assert found["profit_difference"] == -20.0
    worse = evaluate.compare(theirs, ours, held_with(answers))
    assert worse["log_loss_difference"] == -found["log_loss_difference"]
    assert worse["probability_better"] == 0.0


@pytest.mark.parametrize(("rows", "compared"), [(1, False), (LEAST_NEWEST - 1, False), (LEAST_NEWEST, True)])
def test_the_newest_version_is_looked_at_alone_once_enough_of_its_rows_are_held_out(
    rows: int, compared: bool
) -> None:
    """Of one row the interval is a point, and whatever it says is sure."""
    held = held_with(np.zeros(200 + rows))
    held.versions[200:] = 2
    ours, theirs = (judged({}, *[said] * (200 + rows)) for said in (0.3, 0.1))
    found = evaluate.newest(ours, theirs, held)
    assert (found is not None) == compared
    if found:
        assert (found["version"], found["rows"], found["low"] > 0) == (2, rows, True)


def test_without_both_answers_there_is_no_auc_to_compare() -> None:
    one = judged({"auc": None, "profit": 1.0}, 0.5, 0.5)
    assert evaluate.compare(one, one, held_with(np.zeros(2)))["auc_difference"] is None


@given(probabilities=PROBABILITIES)
def test_deciles_are_nine_and_rise(probabilities: Any) -> None:
    cuts = np.array(evaluate.deciles(probabilities))
    assert cuts.shape == (9,)
    assert (np.diff(cuts) >= 0).all()
    assert probabilities.min() <= cuts[0]
    assert cuts[-1] <= probabilities.max()


@given(probabilities=PROBABILITIES)
def test_each_held_out_row_is_counted_in_the_tenth_that_the_model_says(probabilities: Any) -> None:
    cuts = evaluate.deciles(probabilities)
    counts = evaluate.tenths(probabilities, cuts)
    assert (len(counts), sum(counts)) == (10, len(probabilities))
    assert counts[-1] == (probabilities >= cuts[-1]).sum()


@settings(deadline=None)
@given(probabilities=PROBABILITIES, count=st.integers(1, 25))
def test_golden_rows_are_different_ones_and_hold_both_ends(probabilities: Any, count: int) -> None:
    places = evaluate._spread(probabilities, count)
    assert len(set(places)) == len(places) == min(count, len(probabilities))
    assert probabilities[places[0]] == probabilities.min()
    if len(places) > 1:
        assert probabilities.max() in probabilities[places]


def test_golden_answers_are_the_models_own_to_the_rows_as_they_are_sent() -> None:
    held = rows([0.1, 0.5, 0.9], [0.0, 1.0, 1.0])
    found = evaluate.golden(saying(), SINGLE, held, np.array([0.1, 0.5, 0.9]))
    assert found == {"columns": ["p"], "rows": [[0.1], [0.5], [0.9]], "probability": [0.1, 0.5, 0.9]}
    assert json.loads(json.dumps(found)) == found


def bounded(*lists: str) -> Model:
    """A model of a contract that allows probabilities up to one half."""
    feature = Feature(name="p", type="number", maximum=0.5)
    described = {"name": "bank", "version": "1", "threshold": 0.5}
    said: Any = dict.fromkeys((SINGLE, LIST) if lists else (SINGLE,), Said())
    columns = tuple(Feature(name=name, type="number", maximum=9) for name in lists)
    return Model(variants=said, features=(feature,), description=described, lists=columns)


@pytest.mark.parametrize("lists", [(), ("clients",)])
def test_a_row_that_an_endpoint_would_give_no_score_is_no_golden_row(lists: tuple[str, ...]) -> None:
    """Readmitted with its rules waived, or admitted before the contract was narrowed."""
    held = rows([0.1, 0.9, 0.4, 0.6], [0.0, 1.0, 1.0, 0.0])
    found = evaluate.golden(bounded(*lists), SINGLE, held, np.array(held.columns["p"]))
    assert (found["rows"], found["probability"]) == ([[0.1], [0.4]], [0.1, 0.4])


def test_a_golden_row_of_a_list_breaks_no_rule_of_the_lists_columns() -> None:
    held = rows([0.1, 0.3, 0.4], [0.0, 1.0, 1.0])
    held.columns["clients"] = [5.0, 10.0, 9.0]
    found = evaluate.golden(bounded("clients"), LIST, held, np.array(held.columns["p"]))
    assert found["rows"] == [[0.1, 5.0], [0.4, 9.0]]


def test_where_every_row_breaks_a_rule_there_are_golden_rows_all_the_same() -> None:
    held = rows([0.9, 0.6], [0.0, 1.0])
    assert len(evaluate.golden(bounded(), SINGLE, held, np.array([0.9, 0.6]))["rows"]) == 2


@pytest.mark.parametrize("below", ["", "model"])
def test_a_champion_is_read_with_its_profile_from_wherever_in_its_folder_it_is(
    tmp_path: Path, below: str
) -> None:
    """Azure ML gives a model's folder, or one with that folder in it."""
    home = trained(tmp_path, [part(tmp_path / "parts", 400, 1)])
    given = tmp_path / "given"
    shutil.copytree(home, given / below)
    found = champion.read_champion(given)
    assert (found.model.name, found.model.version) == (BANK.dataset, "1")
    assert found.learned is not None
    assert found.profile == json.loads((home / PROFILE).read_text())


def test_drift_is_of_the_rows_to_learn_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held-out rows are a tenth of the same: they would say less, and are for judging."""
    read: list[str] = []
    kept = prepared.read_rows
    monkeypatch.setattr(
        prepared, "read_rows", lambda folder, file, names: (read.append(file), kept(folder, file, names))[1]
    )
    candidate = trained(tmp_path, [part(tmp_path / "parts", 400, 1)])
    serving = champion.read_champion(candidate)
    read.clear()
    serving.drift(candidate.parent / "prepared")
    assert read == [prepared.TRAIN]


def test_the_evaluation_names_the_holdout_and_counts_it(tmp_path: Path) -> None:
    candidate = trained(tmp_path, [part(tmp_path / "parts", 500, 1)])
    home = candidate.parent / "prepared"
    found = evaluation(candidate)
    held = prepared.read_rows(home, prepared.HOLDOUT, [])
    assert found["rows"] == len(held.answers)
    assert found["holdout_id"] == json.loads((home / prepared.MEMBERSHIP).read_text())["holdout_id"]
    learned = prepared.read_rows(home, prepared.TRAIN, [])
    base = np.full(found["rows"], learned.answers.mean())
    assert found["baseline"]["log_loss"] == pytest.approx(log_loss(held.answers, base))


def test_what_it_finds_is_what_the_models_record_declares(tmp_path: Path) -> None:
    candidate = trained(tmp_path, [part(tmp_path / "parts", 500, 1)])
    found = evaluation(candidate)
    held = rows([0.9, 0.2], [1.0, 0.0])
    one = evaluate.judge(saying(), held, call_cost=20, deposit_value=100)
    compared = {"comparison": evaluate.compare(one, one, held_with(held.answers)), "champion": one.figures}
    moved = {"drift": [{"column": "p", "psi": 0.1}]}
    verdict = promotion.judge({**found, **compared, **moved}, serving=1)
    assert {"metrics", "champion_metrics", "comparison", "baseline", "calibration", "recipe", "drift"} <= set(
        verdict.figures
    )
    assert faults("model", {"dataset": "bank", "version": 1, **verdict.figures}) == []


def test_a_model_that_compiled_trees_disagree_with_is_told_apart_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiled.Compiled, "predict", lambda self, matrix: np.zeros(len(matrix)))
    candidate = trained(tmp_path, [part(tmp_path / "parts", 400, 1)])
    assert model.load(candidate).description["compiled"] == {SINGLE: False, LIST: False}
    assert "1 will predict without compiled trees (single): they differ" in capsys.readouterr().err


def test_a_candidate_has_all_that_the_model_had(tmp_path: Path) -> None:
    candidate = trained(tmp_path, [part(tmp_path / "parts", 400, 1)])
    before, after = model.load(candidate.parent / "model"), model.load(candidate)
    assert (candidate / "single-boosted.txt").read_bytes() == (
        candidate.parent / "model" / "single-boosted.txt"
    ).read_bytes()
    added = {"deciles", HELD_OUT_TENTHS, "compiled", "importance"}
    assert after.description.keys() - before.description.keys() == added
    held_out = prepared.read_rows(candidate.parent / "prepared", prepared.HOLDOUT, [])
    assert sum(after.description[HELD_OUT_TENTHS]) == len(held_out.answers)
    assert all(after.description[name] == value for name, value in before.description.items())


def test_an_evaluation_with_a_figure_that_is_no_number_is_not_written(tmp_path: Path) -> None:
    """JSON has no NaN, and a gate that read one would compare with it."""
    with pytest.raises(ValueError, match="JSON compliant"):
        evaluate._write(tmp_path / "evaluation.json", {"log_loss": float("nan")})
