"""A model as the pipeline makes it, requests with real rows in every contestant's form, and the right answers.

A program of its own, `python -m bench.endpoint_case`: LightGBM stays out of the process that measures.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from commands import ROOT
from pipelines.training import evaluate, prepare, prepared, train
from serving.boosted import Boosted
from serving.model import SINGLE, load
from shared.adapters.contracts import load_contracts
from shared.domain.datasets.part_writer import PartWriter
from shared.domain.tables.contract import Contract

MONEY = ["--call-cost", "10", "--deposit-value", "80"]
ROWS = 1000


def main() -> int:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--data", type=Path, required=True, help="CSV of one of the contracts, with answers")
    made.add_argument("--folder", type=Path, required=True)
    given = made.parse_args()
    model = _train(given.data, given.folder)
    _write_requests(model, given.folder)
    return 0


def _train(data: Path, folder: Path) -> Path:
    contract, rows = _read(data)
    name = hashlib.sha256(data.read_bytes()).hexdigest()
    (folder / "parts").mkdir(parents=True)
    with (folder / "parts" / f"{name}.parquet").open("wb") as file, PartWriter(contract, file) as writer:
        writer.add(rows)
    count = len(rows[contract.target])
    part = {"file": f"{name}.parquet", "rows": count, "content_hash": name, "sha256": writer.part.sha256}
    manifest = {
        "dataset": contract.dataset,
        "version": 1,
        "contract": contract.to_json(),
        "rows": count,
        "parts": [part],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    at = {name: str(folder / name) for name in ("manifest.json", "parts", "prepared", "model", "candidate")}
    prepare.main(["--manifest", at["manifest.json"], "--parts", at["parts"], "--prepared", at["prepared"]])
    named = ["--model-name", contract.dataset, "--model-version", "1"]
    train.main(["--prepared", at["prepared"], *named, *MONEY, "--model", at["model"]])
    options = ["--prepared", at["prepared"], "--model", at["model"], "--champion", "none"]
    evaluate.main([*options, *MONEY, "--candidate", at["candidate"]])
    return folder / "candidate"


def _read(data: Path) -> tuple[Contract, dict[str, list[Any]]]:
    """The rows by column, in the types of the contract whose columns they have."""
    with data.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        file.seek(0)
        rows = list(csv.DictReader(file, delimiter=max(";,\t", key=header.count)))
    contracts = load_contracts(ROOT / "contracts")
    known = [c for c in contracts if {c.target, *(column.name for column in c.columns)} <= rows[0].keys()]
    if not known:
        raise SystemExit(f"{data} has the columns of no contract")
    kinds = {column.name: column.type for column in known[0].columns}
    made: dict[str, Callable[[str], Any]] = {
        "category": str,
        "integer": lambda text: int(float(text)),
        "number": float,
    }
    columns = {name: [made[kind](row[name]) for row in rows] for name, kind in kinds.items()}
    return known[0], {**columns, known[0].target: [row[known[0].target] for row in rows]}


def _write_requests(folder: Path, out: Path) -> None:
    model = load(folder)
    rows = prepared.read_rows(out / "prepared", prepared.TRAIN, model.columns)
    columns = {
        name: np.resize(np.asarray(rows.columns[name], dtype=object), ROWS).tolist() for name in model.columns
    }
    records = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    for name, some in (("one", records[:1]), ("thousand", records)):
        split = {"columns": model.columns, "data": [list(record.values()) for record in some]}
        (out / f"{name}.json").write_text(json.dumps({"data": some}))
        (out / f"{name}-mlflow.json").write_text(json.dumps({"dataframe_split": split}))
        (out / f"{name}.arrow").write_bytes(_arrow(model.features, some))
    trees = sum(
        one.learner.booster.num_trees()
        for one in model.variants[SINGLE].members
        if isinstance(one.learner, Boosted)
    )
    said = model.probabilities(columns).tolist()
    (out / "answers.json").write_text(json.dumps({"trees": trees, "probability": said}))


def _arrow(features: Any, records: list[dict[str, Any]]) -> bytes:
    """As a client sends it that read a file: categories dictionary-encoded."""
    arrays = {f.name: pa.array([record[f.name] for record in records]) for f in features}
    coded = {f.name: arrays[f.name].dictionary_encode() for f in features if f.type == "category"}
    batch = pa.record_batch({**arrays, **coded})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return bytes(sink.getvalue())


if __name__ == "__main__":
    sys.exit(main())
