"""What the endpoint answers: both request shapes, odd values, and refusals that say what to mend."""

from __future__ import annotations

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.answer import answer
from serving.arrow import CONTENT_TYPE
from serving.model import SINGLE, load

ROWS: list[list[Any]] = [[70, "student", 0.1], [20, "student", 0.2], [70, "admin.", -1.5]]
NAMES = ["age", "job", "rate"]


def ask(folder: Path, body: Any) -> tuple[int, dict[str, Any]]:
    said = answer(load(folder), body if isinstance(body, bytes) else json.dumps(body).encode())
    assert said.content_type == "application/json"
    return said.status, json.loads(said.body)


def table(rows: list[list[Any]] = ROWS, names: list[str] = NAMES) -> dict[str, Any]:
    return {"input_data": {"columns": names, "index": list(range(len(rows))), "data": rows}}


def records(rows: list[list[Any]] = ROWS) -> list[dict[str, Any]]:
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


def test_a_table_gets_its_scores_row_by_row(folder: Path) -> None:
    status, said = ask(folder, table())
    assert status == 200
    assert (said["model"], said["version"], said["variant"]) == ("bank", "3", "single")
    assert said["decision"] == ["call", "skip", "skip"]
    assert said["probability"][0] > 0.5
    assert max(said["probability"][1:]) < 0.1
    assert said["decile"] == [int(p * 10) + 1 for p in said["probability"]]  # the fixture's cuts are even


@pytest.mark.parametrize("body", [{"data": records()}, {"input_data": records()}])
def test_records_say_the_same_as_the_table(folder: Path, body: dict[str, Any]) -> None:
    assert ask(folder, body) == ask(folder, table())


def test_a_byte_order_mark_is_no_part_of_the_json(folder: Path) -> None:
    assert ask(folder, b"\xef\xbb\xbf" + json.dumps(table()).encode()) == ask(folder, table())
    assert ask(folder, b"\xef\xbb\xbf" * 2 + b"{}")[1]["error"]["code"] == "BadJson"


def test_order_of_columns_and_columns_too_many_change_nothing(folder: Path) -> None:
    turned = [[rate, "x", job, age] for age, job, rate in ROWS]
    assert ask(folder, table(turned, ["rate", "duration", "job", "age"])) == ask(folder, table())


def test_no_rows_get_no_answers(folder: Path) -> None:
    status, said = ask(folder, table([]))
    assert (status, said["probability"], said["decile"], said["decision"]) == (200, [], [], [])


def test_null_is_a_value_that_is_not_known_and_is_scored(folder: Path) -> None:
    status, said = ask(folder, table([[70, None, 0.1], [None, None, None]]))
    assert status == 200
    assert None not in said["probability"]
    assert "problem" not in said


def test_a_row_scores_the_same_alone_and_among_others(folder: Path) -> None:
    together = ask(folder, table())[1]["probability"]
    assert [ask(folder, table([row]))[1]["probability"][0] for row in ROWS] == together


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        (b"{", "BadJson", "JSON"),
        (b"\xff", "BadJson", "JSON"),
        ([], "UnknownShape", "input_data"),
        ({"rows": []}, "UnknownShape", "input_data"),
        ({"data": 3}, "UnknownShape", "records"),
        ({"data": [3]}, "UnknownShape", "record 0"),
        ({"input_data": {"data": []}}, "UnknownShape", "columns"),
        (table([[1, "student"]], ["age", "job"]), "MissingColumn", "'rate'"),
        ({"data": [*records(), {"age": 3, "rate": 1}]}, "MissingColumn", "record 3 lacks 'job'"),
        (table([[1, "student"]]), "RowWidth", "row 0"),
        (table([[1, ["student"], 1]]), "BadValue", "'job'"),
        (table([[[1], "student", 1]]), "BadValue", "'age'"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_what_to_mend(
    folder: Path, body: Any, code: str, named: str
) -> None:
    status, said = ask(folder, body)
    assert (status, said["error"]["code"]) == (400, code)
    assert named in said["error"]["message"]


def test_threads_do_not_mix_each_others_rows(folder: Path) -> None:
    model = load(folder)
    columns: list[dict[str, list[Any]]] = [
        {"age": [18 + n % 70], "job": ["student"], "rate": [n / 50]} for n in range(100)
    ]
    alone = [model.probabilities(one).tolist() for one in columns]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda one: model.probabilities(one).tolist(), columns * 5))
    assert together == alone * 5


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json; charset=utf-8", "nonsense/;;"])
def test_whatever_is_not_called_arrow_is_read_as_json(folder: Path, content_type: str) -> None:
    model = load(folder)
    said = answer(model, json.dumps(table()).encode(), content_type)
    assert (said.status, said.content_type) == (200, "application/json")
    assert said.body == answer(model, json.dumps(table()).encode()).body


def test_json_called_arrow_and_arrow_called_json_are_refused_as_what_they_are_called(folder: Path) -> None:
    model = load(folder)
    body = json.dumps(table()).encode()
    assert json.loads(answer(model, body, CONTENT_TYPE).body)["error"]["code"] == "BadArrow"
    assert (
        json.loads(answer(model, b"\xff\xff\xff\xff", "application/json").body)["error"]["code"] == "BadJson"
    )


@pytest.mark.parametrize("body", [b"", b"null", b"3", b'"text"', b"[[]]", b"{}", b'{"data": null}'])
def test_any_body_gets_an_answer_with_a_code(folder: Path, body: bytes) -> None:
    said = answer(load(folder), body)
    error = json.loads(said.body)["error"]
    assert (said.status, said.content_type) == (400, "application/json")
    assert error["code"] in ("BadJson", "UnknownShape")
    assert error["message"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "-Infinity"])
def test_numbers_that_json_does_not_have_are_no_json(folder: Path, number: str) -> None:
    """And what is far too large for a double is none of them by accident."""
    body = json.dumps(table()).replace("70", number, 1).encode()
    said = answer(load(folder), body)
    assert (said.status, json.loads(said.body)["error"]["code"]) == (400, "BadJson")


def test_probabilities_are_written_to_the_last_bit(folder: Path) -> None:
    model = load(folder)
    said = model.probabilities(
        {"age": [row[0] for row in ROWS], "job": [row[1] for row in ROWS], "rate": [row[2] for row in ROWS]}
    )
    assert ask(folder, table())[1]["probability"] == said.tolist()


def test_a_probability_that_is_no_number_never_leaves_as_one(folder: Path) -> None:
    """orjson writes NaN as null: a client sees that there is no answer, and never a wrong one."""

    class Nothing:
        """In a variant's place."""

        def predict(self, matrix: Any) -> Any:
            return np.full(len(matrix), np.nan)

    said: Any = {SINGLE: Nothing()}
    model = dataclasses.replace(load(folder), variants=said)
    found = json.loads(answer(model, json.dumps(table()).encode()).body)
    assert found["probability"] == [None] * 3
