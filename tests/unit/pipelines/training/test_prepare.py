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
from pipelines.training.holdout import HOLDOUT, VALIDATION, holdout_id, membership
from tests.unit.pipelines.runs import BANK, manifest, part

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
    assert counts == (train.num_rows, held.num_rows)
    together = pa.concat_tables([train, held]).to_pylist()
    whole = [
        row for each in body["parts"] for row in pq.read_table(tmp_path / "parts" / each["file"]).to_pylist()
    ]
    assert sorted(map(repr, together)) == sorted(map(repr, whole))


def test_parts_keep_the_manifests_order_and_rows_theirs(tmp_path: Path) -> None:
    body = listed(tmp_path, 80, 120)
    prepare.prepare(body, tmp_path / "parts", tmp_path / "out")
    train, _ = tables(tmp_path / "out")
    expected = []
    for each in body["parts"]:
        mask = ~membership(each["content_hash"], each["rows"], HOLDOUT)
        expected += pq.read_table(tmp_path / "parts" / each["file"]).filter(pa.array(mask)).to_pylist()
    assert train.to_pylist() == expected


def test_there_is_a_validation_flag_for_each_training_row(tmp_path: Path) -> None:
    body = listed(tmp_path, 500, 300)
    prepare.prepare(body, tmp_path / "parts", tmp_path / "out")
    flags = np.load(tmp_path / "out" / prepared.VALIDATION, allow_pickle=False)
    train, _ = tables(tmp_path / "out")
    assert (flags.dtype, len(flags)) == (np.bool_, train.num_rows)
    first = body["parts"][0]
    held = membership(first["content_hash"], first["rows"], HOLDOUT)
    drawn = membership(first["content_hash"], first["rows"], VALIDATION)
    assert flags[: (~held).sum()].tolist() == drawn[~held].tolist()
    assert 0.1 < flags.mean() < 0.2


def test_the_holdout_is_named_by_its_rows(tmp_path: Path) -> None:
    body = listed(tmp_path, 90)
    prepare.prepare(body, tmp_path / "parts", tmp_path / "out")
    (only,) = body["parts"]
    said = json.loads((tmp_path / "out" / prepared.MEMBERSHIP).read_text())
    assert said == {
        "holdout_id": holdout_id([(only["content_hash"], membership(only["content_hash"], 90, HOLDOUT))])
    }
    assert prepared.read_contract(tmp_path / "out") == body["contract"]


@pytest.mark.parametrize("rows", [1, 2])
def test_too_few_rows_end_the_run_and_say_so(tmp_path: Path, rows: int) -> None:
    body = listed(tmp_path, rows)
    held = int(membership(body["parts"][0]["content_hash"], rows, HOLDOUT).sum())
    assert held in (0, rows)  # or these rows would do
    with pytest.raises(SystemExit, match=f"{rows} rows are too few"):
        prepare.prepare(body, tmp_path / "parts", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


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
    assert capsys.readouterr().out.strip() == said
