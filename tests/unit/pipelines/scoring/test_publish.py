"""Putting out: a Parquet file a shard, the lines appended in order, and the summary only when all of it is there."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.scoring import minibatches, publish
from pipelines.scoring.minibatches import WrongSource, stream
from shared.domain import names
from shared.domain.batches.run_output import check_sizes, read_shards
from tests.unit.pipelines.scoring.test_minibatches import FILE, planned

PLAN = planned()
SHARDS = range(len(PLAN.cut.shards))


def answered(rows: int, *, version: str = "3", **columns: Any) -> bytes:
    """As `predict` leaves it."""
    said = {
        "probability": pa.array(np.linspace(0, 1, rows)),
        "decile": pa.array(np.full(rows, 4, np.int8)),
        "decision": pa.array(["skip"] * rows).dictionary_encode(),
        **columns,
    }
    batch = pa.record_batch(said).replace_schema_metadata({"model": "bank", "version": version})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's folders after `predict`."""
    monkeypatch.setattr(minibatches, "cores", lambda: 1)
    minibatches.read_plan.cache_clear()
    (tmp_path / "clients.csv").write_bytes(FILE)
    for folder in ("retrieved", "predicted", "scored", "aside"):
        (tmp_path / folder).mkdir()
    (tmp_path / "retrieved" / minibatches.PLAN).write_text(json.dumps(PLAN.to_json()))
    for number in SHARDS:
        asked = minibatches.rows_to_score(minibatches.read_rows(tmp_path / "clients.csv", PLAN, number))
        stream(tmp_path / "predicted", number).write_bytes(answered(asked))
    return tmp_path


def put_out(home: Path) -> int:
    given = {"retrieved": home / "retrieved", "source": home / "clients.csv"}
    given |= {"predicted": home / "predicted", "scored": home / "scored"}
    return publish.main([text for name, path in given.items() for text in (f"--{name}", str(path))])


def test_what_it_tells_is_what_lies_there(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert put_out(home) == 0
    files = {
        f"{PLAN.batch}/{p.relative_to(home / 'scored').as_posix()}": p for p in (home / "scored").rglob("*.*")
    }
    shards = read_shards(files[names.batch_shards_blob(PLAN.batch)].read_bytes(), PLAN)
    check_sizes(PLAN, shards, {name: path.stat().st_size for name, path in files.items()})
    whole = files[names.scored_blob(PLAN.batch)].read_bytes()
    for shard in shards:
        lines, whole = whole[: shard["csv_bytes"]], whole[shard["csv_bytes"] :]
        assert hashlib.sha256(lines).hexdigest() == shard["csv_sha256"]
        table = files[names.parquet_blob(PLAN.batch, shard["number"])].read_bytes()
        assert hashlib.sha256(table).hexdigest() == shard["parquet_sha256"]
        assert pq.read_table(io.BytesIO(table)).num_rows == shard["rows"]
    assert whole == b""
    assert capsys.readouterr().out.strip() == f"{PLAN.batch}: 120 rows put out, 0 of them without a score"


def test_only_one_shards_lines_begin_with_the_header(home: Path) -> None:
    put_out(home)
    lines = (home / "scored" / "scored.csv").read_bytes().splitlines()
    header = FILE.splitlines()[0]
    assert lines[0].startswith(header)
    assert len(lines) == 121
    assert not [line for line in lines[1:] if line.startswith(header)]


def test_another_model_than_the_batchs_is_not_put_out(home: Path) -> None:
    file = stream(home / "predicted", 1)
    rows = pa.ipc.open_stream(file.read_bytes()).read_all().num_rows
    file.write_bytes(answered(rows, version="4"))
    with pytest.raises(ValueError, match="model 4 answered; the batch is pinned to model 3"):
        put_out(home)
    assert not (home / "scored" / "shards.json").exists()


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"probability": lambda rows: pa.array(np.full(rows, np.nan))}, "no probability"),
        ({"probability": lambda rows: pa.array(np.full(rows, 1.5))}, "no probability"),
        ({"decile": lambda rows: pa.array(np.full(rows, 11, np.int8))}, "decile"),
        ({"decision": lambda rows: pa.array(["perhaps"] * rows)}, "decision"),
    ],
)
def test_an_answer_that_cannot_be_ends_the_step(home: Path, columns: Any, named: str) -> None:
    file = stream(home / "predicted", 0)
    rows = pa.ipc.open_stream(file.read_bytes()).read_all().num_rows
    file.write_bytes(answered(rows, **{name: make(rows) for name, make in columns.items()}))
    with pytest.raises(ValueError, match=named):
        put_out(home)


@pytest.mark.parametrize("more", [-1, 1])
def test_an_answer_for_more_or_fewer_rows_than_asked_ends_the_step(home: Path, more: int) -> None:
    file = stream(home / "predicted", 0)
    rows = pa.ipc.open_stream(file.read_bytes()).read_all().num_rows
    file.write_bytes(answered(rows + more))
    with pytest.raises(ValueError, match=f"{rows} rows were asked about and {rows + more} answered"):
        put_out(home)


def test_an_answer_that_is_gone_ends_the_step_and_no_answer_is_none_to_no_question(home: Path) -> None:
    stream(home / "predicted", 1).unlink()
    with pytest.raises(FileNotFoundError):
        put_out(home)
    assert len(publish._answers(home / "nothing.arrow", 0, PLAN)) == 0


def test_the_file_of_clients_may_not_change_while_it_is_put_out(home: Path) -> None:
    (home / "clients.csv").write_bytes(FILE + b"\n")
    with pytest.raises(WrongSource):
        put_out(home)


def test_lines_wait_aside_for_those_before_them_and_are_then_gone(tmp_path: Path) -> None:
    for number, lines in ((0, b"a\n"), (1, b""), (2, b"b\nc\n")):
        (tmp_path / str(number)).write_bytes(lines)
    whole = io.BytesIO()
    told = [{"number": number} for number in (0, 1, 2)]
    passed = publish.appended(iter(told), tmp_path, whole)
    assert next(passed) == told[0]
    assert {file.name for file in tmp_path.iterdir()} == {"1", "2"}  # each is taken when it is its turn
    assert list(passed) == told[1:]
    assert whole.getvalue() == b"a\nb\nc\n"
    assert list(tmp_path.iterdir()) == []


def test_a_blob_of_the_batch_has_its_place_in_the_outputs_folder(tmp_path: Path) -> None:
    assert publish.place(tmp_path, names.scored_blob(PLAN.batch), PLAN) == tmp_path / "scored.csv"
    assert (
        publish.place(tmp_path, names.parquet_blob(PLAN.batch, 7), PLAN)
        == tmp_path / "parquet" / "00007.parquet"
    )
