"""What the endpoint answers: both request shapes, odd values, and refusals that say what to mend."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from serving.answer import answer
from serving.model import load

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
    assert (said["model"], said["version"]) == ("bank", "3")
    assert said["decision"] == ["call", "skip", "skip"]
    assert said["probability"][0] > 0.5
    assert max(said["probability"][1:]) < 0.1
    assert said["decile"] == [int(p * 10) + 1 for p in said["probability"]]  # the fixture's cuts are even


@pytest.mark.parametrize("body", [{"data": records()}, {"input_data": records()}])
def test_records_say_the_same_as_the_table(folder: Path, body: dict[str, Any]) -> None:
    assert ask(folder, body) == ask(folder, table())


def test_order_of_columns_and_columns_too_many_change_nothing(folder: Path) -> None:
    turned = [[rate, "x", job, age] for age, job, rate in ROWS]
    assert ask(folder, table(turned, ["rate", "duration", "job", "age"])) == ask(folder, table())


def test_no_rows_get_no_answers(folder: Path) -> None:
    status, said = ask(folder, table([]))
    assert (status, said["probability"], said["decile"], said["decision"]) == (200, [], [], [])


def test_null_and_a_category_never_seen_are_scored_alike(folder: Path) -> None:
    status, said = ask(folder, table([[70, None, 0.1], [70, "astronaut", 0.1], [None, None, None]]))
    assert status == 200
    assert said["probability"][0] == said["probability"][1]


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
        (table([["old", "student", 1]]), "BadValue", "'age'"),
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
