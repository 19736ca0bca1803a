"""Preparing: parts checked against the manifest, and every row either learned from or held out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.training import prepare, prepared
from pipelines.training.holdout import rows_id
from shared.domain.datasets.row_digest import row_digests
from tests.unit.pipelines.runs import BANK, columns, joined, manifest, part, part_of, picked

SIZES = st.lists(st.integers(1, 60), min_size=1, max_size=4)
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def listed(folder: Path, *rows: int) -> dict[str, Any]:
    """A manifest of parts of so many rows."""
    parts = [part(folder / "parts", count, seed) for seed, count in enumerate(rows, start=1)]
    body: dict[str, Any] = json.loads(manifest(folder / "manifest.json", parts).read_text())
    return body


def tables(out: Path) -> tuple[Any, Any]:
    return pq.read_table(out / prepared.TRAIN), pq.read_table(out / prepared.HOLDOUT)


@QUICK
@given(sizes=SIZES)
def test_every_row_is_learned_from_or_held_out_and_none_twice(tmp_path: Path, sizes: list[int]) -> None:
    body = listed(tmp_path, *sizes, 200)  # the last is large enough for both
    counts = prepare.prepare(body, tmp_path / "parts", tmp_path / "out")
    train, held = tables(tmp_path / "out")
    assert counts == prepare.Counts(learned=train.num_rows, held_out=held.num_rows, repeated=0)
    together = pa.concat_tables([train, held]).to_pylist()
    whole = [
        row for each in body["parts"] for row in pq.read_table(tmp_path / "parts" / each["file"]).to_pylist()
    ]
    assert sorted(repr([row[name] for name in NAMES]) for row in together) == sorted(
        repr([row[name] for name in NAMES]) for row in whole
    )


NAMES = [*(column.name for column in BANK.columns), BANK.target]


def prepared_rows(out: Path, names: list[str] | None = None) -> list[Any]:
    return [table.select(names or table.column_names).to_pylist() for table in tables(out)]


def test_the_order_of_parts_and_of_their_rows_changes_nothing(tmp_path: Path) -> None:
    """How rows are cut into lists says something, but not where a row stands."""
    one, other = columns(300, 1), columns(200, 2)
    orders = {
        "as they came": [one, other],
        "parts the other way round": [other, one],
        "rows the other way round": [picked(one, range(299, -1, -1)), other],
    }
    cuts = {
        "in one file": [joined(other, one)],
        "cut elsewhere": [picked(joined(one, other), range(77)), picked(joined(one, other), range(77, 500))],
    }
    for name, drawn in {**orders, **cuts}.items():
        parts = [part_of(tmp_path / "parts", each) for each in drawn]
        for number, each in enumerate(parts):
            each["content_hash"] = str(sorted(drawn[number]["age"]))
        body = json.loads(manifest(tmp_path / "m.json", parts).read_text())
        prepare.prepare(body, tmp_path / "parts", tmp_path / name)
    first, *others = (prepared_rows(tmp_path / name) for name in orders)
    assert all(rows == first for rows in others)
    first, *others = (prepared_rows(tmp_path / name, NAMES) for name in cuts)
    assert all(rows == first for rows in others)


def test_the_answer_has_no_say_in_where_a_row_stands(tmp_path: Path) -> None:
    drawn = columns(400, 1)
    flipped = {**drawn, BANK.target: ["no" if each == "yes" else "yes" for each in drawn[BANK.target]]}
    called_longer = {**drawn, "duration": [each + 1 for each in drawn["duration"]]}
    held = []
    for number, each in enumerate((drawn, flipped, called_longer)):
        body = json.loads(manifest(tmp_path / "m.json", [part_of(tmp_path / "parts", each)]).read_text())
        prepare.prepare(body, tmp_path / "parts", tmp_path / str(number))
        names = [column.name for column in BANK.features]
        held.append(sorted(map(repr, tables(tmp_path / str(number))[1].select(names).to_pylist())))
    assert held[0] == held[1] == held[2]


def overlapping(folder: Path, **more: Any) -> dict[str, Any]:
    """A file that has three rows twice, and one that has eight rows of the first and twelve of its own."""
    drawn = columns(200, 1)
    first = joined(drawn, picked(drawn, [5, 6, 7]))
    second = joined(picked(columns(12, 2), range(12)), picked(drawn, [100, 3, 50, 51, 52, 53, 54, 55]))
    parts = [part_of(folder / "parts", first), part_of(folder / "parts", second)]
    body: dict[str, Any] = json.loads(manifest(folder / "m.json", parts, **more).read_text())
    return body


def test_exact_repeats_are_counted_by_upload_and_learned_from_once(tmp_path: Path) -> None:
    body = overlapping(tmp_path)
    counts = prepare.prepare(body, tmp_path / "parts", tmp_path / "out")
    train, held = tables(tmp_path / "out")
    assert train.num_rows + held.num_rows == 212
    assert len({repr(row) for row in pa.concat_tables([train, held]).to_pylist()}) == 212
    assert counts.repeated == 11
    said = json.loads((tmp_path / "out" / prepared.MEMBERSHIP).read_text())
    uploads = [each["source"]["upload"] for each in body["parts"]]
    assert said["repeated_rows"] == 11
    assert said["repeats"] == [{"upload": uploads[0], "rows": 3}, {"upload": uploads[1], "rows": 8}]


def test_where_repeats_are_clients_they_count_and_stay_on_one_side(tmp_path: Path) -> None:
    prepare.prepare(overlapping(tmp_path, repeats="each"), tmp_path / "parts", tmp_path / "out")
    train, held = (list(map(repr, rows)) for rows in prepared_rows(tmp_path / "out", NAMES))
    assert len(train) + len(held) == 223
    assert len(set(train)) + len(set(held)) == 212
    assert set(train) & set(held) == set()


def test_the_same_features_with_another_answer_are_no_repeat_and_stay_on_one_side(tmp_path: Path) -> None:
    drawn = columns(300, 1)
    other = {**drawn, BANK.target: ["no" if each == "yes" else "yes" for each in drawn[BANK.target]]}
    parts = [part_of(tmp_path / "parts", each) for each in (drawn, other)]
    body = json.loads(manifest(tmp_path / "m.json", parts).read_text())
    assert prepare.prepare(body, tmp_path / "parts", tmp_path / "out").repeated == 0
    names = [column.name for column in BANK.features]
    train, held = (set(map(repr, each.select(names).to_pylist())) for each in tables(tmp_path / "out"))
    assert train & held == set()


def test_each_row_says_which_list_it_is_of_and_when_it_came(tmp_path: Path) -> None:
    """Rows readmitted from a file stand on that file's list; the newest list has the greatest number."""
    old, new, late = (columns(100, seed) for seed in (1, 2, 3))
    parts = [
        part_of(tmp_path / "parts", drawn, version) for drawn, version in ((new, 2), (old, 1), (late, 2))
    ]
    parts[2]["source"]["readmitted_from"] = parts[1]["source"]["upload"]
    body = json.loads(manifest(tmp_path / "m.json", parts, 2).read_text())
    prepare.prepare(body, tmp_path / "parts", tmp_path / "out")
    rows = pa.concat_tables(tables(tmp_path / "out"))
    found = {pair: 0 for pair in ((1, 0), (2, 0), (2, 1))}
    for version, number in zip(
        rows[prepared.VERSION].to_pylist(), rows[prepared.LIST].to_pylist(), strict=True
    ):
        found[version, number] += 1
    assert found == {(1, 0): 100, (2, 0): 100, (2, 1): 100}
    of_list = rows.filter(pa.compute.equal(rows[prepared.LIST], 0))
    assert set(of_list["list_clients"].to_pylist()) == {float(np.log(200))}


def test_of_rows_that_repeat_the_first_to_come_stays(tmp_path: Path) -> None:
    """Else a row would count as news each time it comes."""
    drawn = columns(200, 1)
    again = joined(picked(drawn, range(50)), columns(30, 2))
    parts = [part_of(tmp_path / "parts", again, 2), part_of(tmp_path / "parts", drawn, 1)]
    body = json.loads(manifest(tmp_path / "m.json", parts, 2).read_text())
    prepare.prepare(body, tmp_path / "parts", tmp_path / "out")
    versions = pa.concat_tables(tables(tmp_path / "out"))[prepared.VERSION].to_pylist()
    assert (versions.count(1), versions.count(2)) == (200, 30)


def test_the_version_and_its_holdout_are_named_by_their_rows(tmp_path: Path) -> None:
    body = listed(tmp_path, 90)
    prepare.prepare(body, tmp_path / "parts", tmp_path / "out")
    train, held = tables(tmp_path / "out")
    said = json.loads((tmp_path / "out" / prepared.MEMBERSHIP).read_text())
    assert said == {
        "dataset_id": rows_id(row_digests(pa.concat_tables([train, held]), NAMES)),
        "holdout_id": rows_id(row_digests(held, NAMES)),
        "repeated_rows": 0,
        "repeats": [],
    }
    assert prepared.read_contract(tmp_path / "out") == body["contract"]


def test_too_few_rows_end_the_run_and_say_so(tmp_path: Path) -> None:
    drawn = columns(1, 1)
    body = json.loads(
        manifest(tmp_path / "m.json", [part_of(tmp_path / "parts", joined(drawn, drawn))]).read_text()
    )
    with pytest.raises(
        SystemExit, match=r"1 rows are too few .*\(1 of 2 repeat others exactly\); gather more"
    ):
        prepare.prepare(body, tmp_path / "parts", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_part_of_other_rows_than_the_manifest_says_ends_the_run(tmp_path: Path) -> None:
    body = listed(tmp_path, 100)
    body["parts"][0]["rows"] = 99
    with pytest.raises(SystemExit, match=r"has 100 rows, the manifest says 99; restore the blob"):
        prepare.prepare(body, tmp_path / "parts", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_part_that_is_gone_ends_the_run(tmp_path: Path) -> None:
    body = listed(tmp_path, 100)
    (tmp_path / "parts" / body["parts"][0]["file"]).unlink()
    with pytest.raises(FileNotFoundError):
        prepare.prepare(body, tmp_path / "parts", tmp_path / "out")


def test_the_command_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed(tmp_path, 400)
    given = {
        "manifest": tmp_path / "manifest.json",
        "parts": tmp_path / "parts",
        "prepared": tmp_path / "out",
    }
    assert prepare.main([text for name, value in given.items() for text in (f"--{name}", str(value))]) == 0
    train, held = tables(tmp_path / "out")
    said = f"{BANK.dataset} 1: {train.num_rows} rows to learn from, {held.num_rows} held out"
    said += "; 0 of 400 repeat others exactly"
    assert capsys.readouterr().out.strip() == said
