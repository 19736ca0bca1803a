"""Training, step 1, prepare: the manifest's parts, verified by digest, split into training rows and hold-out."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.training import prepared
from pipelines.training.holdout import HOLDOUT, VALIDATION, Mask, holdout_id, membership


def prepare(manifest: dict[str, Any], parts: Path, out: Path) -> tuple[int, int]:
    """Writes the prepared folder; returns the rows to learn from and those held out."""
    tables = [_read(parts / part["file"], part) for part in manifest["parts"]]
    masks = [
        (part["content_hash"], membership(part["content_hash"], part["rows"], HOLDOUT))
        for part in manifest["parts"]
    ]
    out.mkdir(parents=True, exist_ok=True)
    train = _joined(tables, [~mask for _, mask in masks])
    held = _joined(tables, [mask for _, mask in masks])
    if not train.num_rows or not held.num_rows:
        raise SystemExit(
            f"{manifest['rows']} rows are too few to learn from some and hold out others; gather more"
        )
    pq.write_table(train, out / prepared.TRAIN)
    pq.write_table(held, out / prepared.HOLDOUT)
    np.save(out / prepared.VALIDATION, _validation(masks), allow_pickle=False)
    (out / prepared.CONTRACT).write_text(json.dumps(manifest["contract"]), encoding="utf-8")
    (out / prepared.MEMBERSHIP).write_text(json.dumps({"holdout_id": holdout_id(masks)}), encoding="utf-8")
    return train.num_rows, held.num_rows


def _read(file: Path, part: dict[str, Any]) -> Any:
    """One part; a byte or a row that differs from the manifest ends the run."""
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != part["sha256"]:
        raise SystemExit(
            f"{file.name} is not the part the manifest names: its sha256 differs; restore the blob"
        )
    table = pq.read_table(pa.BufferReader(data))
    if table.num_rows != part["rows"]:
        raise SystemExit(
            f"{file.name} has {table.num_rows} rows, the manifest says {part['rows']}; restore the blob"
        )
    return table


def _joined(tables: list[Any], masks: list[Mask]) -> Any:
    return pa.concat_tables([table.filter(pa.array(mask)) for table, mask in zip(tables, masks, strict=True)])


def _validation(masks: list[tuple[str, Mask]]) -> Mask:
    """Of the training rows, those that say when to stop."""
    return np.concatenate([membership(name, len(mask), VALIDATION)[~mask] for name, mask in masks])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--parts", type=Path, required=True, help="folder with the manifest's parquet files")
    parser.add_argument("--prepared", type=Path, required=True)
    given = parser.parse_args(arguments)
    manifest = json.loads(given.manifest.read_text(encoding="utf-8"))
    train, held = prepare(manifest, given.parts, given.prepared)
    print(f"{manifest['dataset']} {manifest['version']}: {train} rows to learn from, {held} held out")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
