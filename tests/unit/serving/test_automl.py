"""A client of an AutoML endpoint gets what it got there: `Results`, by the method it asks for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from serving.answer import answer
from serving.model import DESCRIPTION, load

RECORDS: list[dict[str, Any]] = [
    {"age": 70, "job": "student", "rate": 0.1},
    {"age": 20, "job": "student", "rate": 0.2},
    {"age": 70, "job": "admin.", "rate": -1.5},
]
ROWS = {"data": RECORDS}


def ask(folder: Path, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    said = answer(load(folder), json.dumps(body).encode())
    return said.status, json.loads(said.body)


def says(folder: Path, **facts: str | None) -> None:
    """Puts these into the model's description."""
    file = folder / DESCRIPTION
    file.write_text(json.dumps({**json.loads(file.read_text()), **facts}))


@pytest.mark.parametrize(
    "more",
    [{}, *({"GlobalParameters": given} for given in ({"method": "predict"}, {}, None, 1.0))],
    ids=str,
)
def test_predict_is_the_likelier_answer_in_the_contracts_words(folder: Path, more: dict[str, Any]) -> None:
    assert ask(folder, {"Inputs": ROWS, **more}) == (200, {"Results": ["yes", "no", "no"]})


@pytest.mark.parametrize(
    "rows", [RECORDS, {"columns": list(RECORDS[0]), "data": [list(row.values()) for row in RECORDS]}]
)
def test_predict_proba_is_the_probability_of_both(folder: Path, rows: Any) -> None:
    own = ask(folder, {"input_data": RECORDS})[1]["probability"]
    body = {"Inputs": {"data": rows}, "GlobalParameters": {"method": "predict_proba"}}
    status, said = ask(folder, body)
    assert (status, list(said)) == (200, ["Results"])
    assert [pair[1] for pair in said["Results"]] == own
    assert [sum(pair) for pair in said["Results"]] == pytest.approx([1, 1, 1])


def test_both_stand_in_the_order_of_their_words(folder: Path) -> None:
    body = {"Inputs": ROWS, "GlobalParameters": {"method": "predict_proba"}}
    usual = ask(folder, body)[1]["Results"]
    says(folder, positive="bought", negative="not bought")
    assert ask(folder, body)[1]["Results"] == [pair[::-1] for pair in usual]
    assert ask(folder, {"Inputs": ROWS})[1]["Results"] == ["bought", "not bought", "not bought"]


def test_a_word_that_is_not_known_is_not_made_up(folder: Path) -> None:
    says(folder, positive="yes", negative=None)
    status, said = ask(folder, {"Inputs": ROWS})
    assert (status, said["error"]["code"]) == (400, "NoWord")
    assert "ask with the method predict_proba" in said["error"]["message"]
    assert ask(folder, {"Inputs": ROWS, "GlobalParameters": {"method": "predict_proba"}})[0] == 200


@pytest.mark.parametrize("method", ["forecast", None, 3, ["predict"], {}])
def test_another_method_is_refused_with_those_there_are(folder: Path, method: Any) -> None:
    status, said = ask(folder, {"Inputs": ROWS, "GlobalParameters": {"method": method}})
    assert (status, said["error"]["code"]) == (400, "BadMethod")
    assert said["error"]["message"] == "GlobalParameters.method is predict or predict_proba"


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_a_row_that_breaks_the_contract_has_none_and_says_why(folder: Path, method: str) -> None:
    broken = [RECORDS[0], {**RECORDS[1], "age": -5}]
    status, said = ask(folder, {"Inputs": {"data": broken}, "GlobalParameters": {"method": method}})
    assert status == 200
    assert said["Results"][0]
    assert said["Results"][1] is None
    assert said["problem"][0] is None
    assert "age" in said["problem"][1]


def test_no_rows_have_no_results(folder: Path) -> None:
    assert ask(folder, {"Inputs": {"data": []}})[1] == {"Results": []}


def test_rows_elsewhere_are_answered_in_our_own_shape(folder: Path) -> None:
    said = ask(folder, {"dataframe_records": RECORDS, "GlobalParameters": {"method": "predict"}})[1]
    assert said["decision"] == ["call", "skip", "skip"]
    assert "Results" not in said
