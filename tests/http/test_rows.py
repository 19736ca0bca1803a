"""Rows for people: what a spreadsheet would run is only text, and a long quarantine is cut."""

from __future__ import annotations

import csv
import io

import pytest
from fastapi import FastAPI
from flow.world import World, bank_rows
from hypothesis import given
from hypothesis import strategies as st

from functions.http.auth.scopes import Scope
from functions.http.views.quarantine_report import MOST_FAULTS
from functions.http.views.scored_rows import FORMULA, defused
from shared.domain import names
from tests.http.asking import VERSION, Client, client_of


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "-",
        "+",
        "-cmd|' /C calc'!A0",
        "-1e",
        "--1",
        "=-1",
    ],
)
def test_a_formula_becomes_text(cell: str) -> None:
    assert defused(cell) == f"'{cell}"


@pytest.mark.parametrize(
    "cell", ["-1", "+1", "-0.5", "-.5", "-1e-7", "-1E+10", "", "0", "call", "a=b", "1-1"]
)
def test_numbers_and_words_stay_as_they_are(cell: str) -> None:
    assert defused(cell) == cell


@given(st.text(max_size=20))
def test_no_cell_begins_as_a_formula_unless_it_is_a_number(cell: str) -> None:
    shown = defused(cell)
    assert shown.removeprefix("'") == cell.removeprefix("'")
    if shown.startswith(FORMULA):
        assert float(shown) == float(cell)


@pytest.fixture
def scored(world: World, api: FastAPI) -> str:
    """A batch whose output holds what somebody wrote to be run by a spreadsheet."""
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    clients = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(5).splitlines()) + "\n"
    world.files.write("scoring", "clients.csv", clients.encode())
    operator = client_of(api, scope=Scope.OPERATOR)
    assert operator.post("/api/batches", body={"name": "clients.csv"}).status_code == 202
    world.tell(*world.bus.take())
    (record,) = world.ledger.newest("batch")
    assert record.state == "scored"
    return record.id


def test_the_first_rows_of_a_batch_are_shown_defused(world: World, scored: str, reader: Client) -> None:
    text = io.StringIO()
    out = csv.writer(text, delimiter=";", lineterminator="\n")
    out.writerows(
        [
            ["job", "balance", "note"],
            ['=HYPERLINK("http://x")', "-12.5", "two\nlines; quoted"],
            ["b", "1", ""],
        ]
    )
    world.files.write("scored", names.scored_blob(scored), text.getvalue().encode())
    told = reader.get(f"/api/batches/{scored}/rows").json()
    assert told["columns"] == ["job", "balance", "note"]
    assert [row["cells"] for row in told["rows"]] == [
        ['\'=HYPERLINK("http://x")', "-12.5", "two\nlines; quoted"],
        ["b", "1", ""],
    ]


def test_only_whole_rows_of_a_large_output_are_shown(
    world: World, scored: str, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.http.views.scored_rows.HEAD_BYTES", 30)
    world.files.write("scored", names.scored_blob(scored), b"job;balance\n" + b"student;100\n" * 100)
    told = reader.get(f"/api/batches/{scored}/rows", params={**VERSION, "maxpagesize": 200}).json()
    assert told["rows"] == [{"cells": ["student", "100"]}]


def test_a_line_that_could_not_be_taken_apart_is_shown_however_long(
    world: World, scored: str, reader: Client
) -> None:
    """40,000 bytes that are no UTF-8 are written as four characters each: more than the csv module takes."""
    text = io.StringIO()
    out = csv.writer(text, delimiter=";", lineterminator="\n")
    out.writerows([["job", "note"], ["a", ""], [r"\xff" * 40_000, ""], ["b", ""]])
    world.files.write("scored", names.scored_blob(scored), text.getvalue().encode())
    first, long, last = reader.get(f"/api/batches/{scored}/rows").json()["rows"]
    assert (first, last) == ({"cells": ["a", ""]}, {"cells": ["b", ""]})
    assert long["cells"][0].startswith(r"\xff" * 100)
    assert long["cells"][0].endswith(" ...")


def test_of_a_batch_that_is_not_scored_there_are_no_rows(reader: Client) -> None:
    assert reader.get("/api/batches/nothing/rows").status_code == 404


def test_a_long_quarantine_is_cut_and_says_so(world: World, reader: Client) -> None:
    header, *rows = bank_rows(300).splitlines()
    bad = [f"x{row}" if number < MOST_FAULTS + 20 else row for number, row in enumerate(rows)]
    world.tell(world.drop("may.csv", "\n".join([header, *bad]) + "\n"))
    told = reader.get("/api/quarantine/may.csv").json()
    assert (len(told["violations"]), told["hasMore"]) == (MOST_FAULTS, True)
    assert told["violationsByRule"] == {"age: not an integer": MOST_FAULTS + 20}
