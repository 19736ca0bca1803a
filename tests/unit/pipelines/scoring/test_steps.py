"""Retrieve, prepare and predict, each by itself: what it leaves behind, and what makes it end."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipelines.scoring import minibatches, predict, prepare, retrieve
from pipelines.scoring.minibatches import COUNTS, MODEL, PLAN, PROFILE, stream
from serving.features import Feature
from serving.model import SINGLE, Model
from shared.domain.batches.batch_profile import BatchProfile
from shared.domain.lists.list_values import Whole
from shared.domain.models.arrow_wire import packed
from tests.unit.domain.clients import NAMES, rows, written
from tests.unit.pipelines.scoring.test_minibatches import FILE, planned

NOTHING_SAID = BatchProfile(list_columns=(), whole=Whole(rows=0, counted={}), shards=(), columns=())
"""Of a list, for a model without list columns."""


class Said:
    """In a variant's place: as likely as the client is old, and as asked about how many at a time."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def predict(self, matrix: Any, **_: Any) -> Any:
        self.asked.append(len(matrix))
        return matrix[:, 0] / 100


def answering(version: str = "3", name: str = "bank") -> Model:
    cuts = [n / 10 for n in range(1, 10)]
    described = {"name": name, "version": version, "threshold": 0.5, "deciles": {SINGLE: cuts}}
    said: Any = {SINGLE: Said()}
    return Model(variants=said, features=(Feature(name="age", type="integer"),), description=described)


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minibatches, "cores", lambda: 1)
    minibatches.read_plan.cache_clear()
    minibatches.read_profile.cache_clear()
    predict.model_of.cache_clear()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "clients.csv").write_bytes(FILE)
    (tmp_path / "retrieved").mkdir()
    (tmp_path / "retrieved" / PLAN).write_text(json.dumps(planned().to_json()))
    (tmp_path / "retrieved" / PROFILE).write_text(json.dumps(NOTHING_SAID.to_json()))
    return tmp_path


# --- retrieve -----------------------------------------------------------------------------------------------------


def given_model(home: Path, monkeypatch: pytest.MonkeyPatch, model: Model) -> Path:
    """Its folder."""
    (home / "given").mkdir()
    (home / "given" / "model.json").write_text("{}")
    monkeypatch.setattr(retrieve, "load", {home / "given": model}.__getitem__)
    return home / "given"


def _retrieve(home: Path) -> None:
    retrieved = home / "retrieved"
    plan, profile = retrieved / PLAN, retrieved / PROFILE
    retrieve.retrieve(plan, profile, home / "clients.csv", home / "given", home / "out")


def test_the_plan_is_left_as_it_was_written_and_the_models_folder_beside_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = given_model(home, monkeypatch, answering())
    plan = home / "plan.json"
    plan.write_text(json.dumps(planned().to_json(), indent=3))
    profile = home / "retrieved" / PROFILE
    given = {
        "plan": plan,
        "profile": profile,
        "source": home / "clients.csv",
        "model": model,
        "retrieved": home / "out",
    }
    assert retrieve.main([text for name, value in given.items() for text in (f"--{name}", str(value))]) == 0
    assert (home / "out" / PLAN).read_bytes() == plan.read_bytes()
    assert (home / "out" / PROFILE).read_bytes() == profile.read_bytes()
    assert (home / "out" / MODEL / "model.json").read_text() == "{}"
    shards = len(planned().cut.shards)
    assert capsys.readouterr().out.strip() == f"clients-1: {len(FILE)} bytes in {shards} shards, for bank:3"


@pytest.mark.parametrize(("version", "name"), [("4", "bank"), ("3", "bank-additional")])
def test_the_given_model_must_be_the_plans(
    home: Path, monkeypatch: pytest.MonkeyPatch, version: str, name: str
) -> None:
    given_model(home, monkeypatch, answering(version, name))
    with pytest.raises(SystemExit, match=f"was given the model {name}:{version}, .* says bank:3"):
        _retrieve(home)
    assert not (home / "out").exists()


def test_nothing_is_left_of_a_file_that_is_not_the_planned_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_model(home, monkeypatch, answering())
    (home / "clients.csv").write_bytes(FILE[:-1])
    with pytest.raises(minibatches.WrongSource):
        _retrieve(home)
    assert not (home / "out").exists()


# --- prepare ------------------------------------------------------------------------------------------------------


def prepared(home: Path) -> list[int]:
    given = {"retrieved": home / "retrieved", "source": home / "clients.csv", "prepared": home / "prepared"}
    assert prepare.main([text for name, path in given.items() for text in (f"--{name}", str(path))]) == 0
    counts: list[int] = json.loads((home / "prepared" / COUNTS).read_text())
    return counts


def test_a_stream_a_shard_with_the_models_columns_and_no_other(home: Path) -> None:
    counts = prepared(home)
    assert (sum(counts), len(counts)) == (120, len(planned().cut.shards))
    for number, count in enumerate(counts):
        table = pa.ipc.open_stream(stream(home / "prepared", number).read_bytes()).read_all()
        assert table.num_rows == count
        assert table.column_names == [column.name for column in planned().cut.contract.features]


def test_a_shard_without_a_good_row_asks_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = [row[:-1] for row in rows(30, seed=1)]
    data = written([*[["x"] * len(row) for row in good], *good], names=NAMES[:-1])
    (home / "clients.csv").write_bytes(data)
    cut = planned(data=data, every=len(good) * len(good[0]))  # small ones, the first all faulty
    (home / "retrieved" / PLAN).write_text(json.dumps(cut.to_json()))
    counts = prepared(home)
    assert counts[0] == 0
    assert sum(counts) == 30
    assert [stream(home / "prepared", n).exists() for n in range(len(counts))] == [
        count > 0 for count in counts
    ]
    assert capsys.readouterr().out.strip() == "clients-1: 60 rows, 30 of them rejected"


# --- predict ------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three shards, of which the second asks nothing."""
    data = FILE
    plan = planned(data=data, every=len(data) // 3 + 100)
    assert len(plan.cut.shards) == 3
    (home / "retrieved" / PLAN).write_text(json.dumps(plan.to_json()))
    (home / "prepared").mkdir()
    for number, ages in ((0, [20, 90]), (2, [55])):
        batch = pa.record_batch({"age": pa.array(ages, pa.int32()), "job": pa.array(["x"] * len(ages))})
        stream(home / "prepared", number).write_bytes(packed([batch]))
    (home / "prepared" / COUNTS).write_text("[2, 0, 1]")
    return home


def predicted(home: Path) -> Path:
    given = {name: home / name for name in ("retrieved", "prepared", "predicted")}
    assert predict.main([text for name, path in given.items() for text in (f"--{name}", str(path))]) == 0
    return home / "predicted"


def test_each_shard_is_answered_as_it_would_be_at_the_endpoint(
    asked: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model, loaded = answering(), list[Path]()
    monkeypatch.setattr(predict, "model_of", lambda folder: (loaded.append(folder), model)[1])
    out = predicted(asked)
    assert sorted(file.name for file in out.iterdir()) == ["00000.arrow", "00002.arrow", COUNTS]
    table = pa.ipc.open_stream((out / "00000.arrow").read_bytes()).read_all()
    assert table.to_pydict() == {"probability": [0.2, 0.9], "decile": [3, 10], "decision": ["skip", "call"]}
    assert table.schema.metadata == {b"model": b"bank", b"version": b"3", b"variant": b"single"}
    assert (out / COUNTS).read_text() == "[2, 0, 1]"
    assert set(loaded) == {asked / "retrieved" / MODEL}
    assert capsys.readouterr().out.strip() == "clients-1: 3 rows answered by bank:3"


def test_the_model_is_loaded_once_a_process(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[Path] = []
    counted = lru_cache(maxsize=1)(lambda folder: (loads.append(folder), answering())[1])
    assert predict.model_of.cache_parameters()["maxsize"] == 1
    monkeypatch.setattr(predict, "model_of", counted)
    predicted(asked)
    assert len(loads) == 1


@pytest.mark.parametrize("counts", ["[2, 1, 0]", "[2, 0, 2]", "[2, 0]"])
def test_another_count_than_was_asked_ends_the_step_without_a_result(
    asked: Path, monkeypatch: pytest.MonkeyPatch, counts: str
) -> None:
    """Also where the sum is right: rows of one shard are not those of another."""
    monkeypatch.setattr(predict, "model_of", lambda folder: answering())
    (asked / "prepared" / COUNTS).write_text(counts)
    with pytest.raises(SystemExit, match="rows were to be scored and 3 were; run the step again"):
        predicted(asked)
    assert not (asked / "predicted" / COUNTS).exists()


def test_probabilities_reach_the_wire_unrounded(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = answering()
    model.variants[SINGLE].predict = lambda matrix, **_: np.full(len(matrix), 1 / 3)  # type: ignore[method-assign]
    monkeypatch.setattr(predict, "model_of", lambda folder: model)
    table = pa.ipc.open_stream((predicted(asked) / "00000.arrow").read_bytes()).read_all()
    assert table["probability"].to_pylist() == [1 / 3, 1 / 3]
