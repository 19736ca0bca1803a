"""Training, step 1, prepare: the manifest's parts, verified by digest, split into training rows and hold-out."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.ending import CannotGoOn
from pipelines.training import prepared
from pipelines.training.holdout import HOLDOUT, Digests, Mask, membership, rows_id
from shared.domain.datasets.manifest import REPEATS_ONCE
from shared.domain.datasets.row_digest import row_digests
from shared.domain.lists.list_values import list_values
from shared.domain.tables.contract import Contract

MOST_NAMED = 100
"""Uploads whose repeated rows are told, the newest."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What became of the rows."""

    learned: int
    held_out: int
    repeated: int
    """Rows that are exactly what an earlier row is, answer included."""


def prepare(manifest: dict[str, Any], parts: Path, out: Path) -> Counts:
    """Writes the prepared folder. Its rows stand in the order of their digests: the order of the lists, and that of
    the rows in them, changes nothing of what is learned (but for what the list columns say of it)."""
    contract = Contract.from_json(manifest["contract"])
    lists = _lists(manifest["parts"])
    table = pa.concat_tables([_read_list(contract, parts, each, at) for at, each in enumerate(lists)])
    digests = row_digests(table, [*(column.name for column in contract.columns), contract.target])
    # Of rows that repeat each other the one of the oldest list comes first, and is the one that stays.
    order = np.lexsort((table.column(prepared.LIST).to_numpy(), digests))
    repeated = _repeated(digests[order])
    told = _told([part for each in lists for part in each], order[repeated])
    if manifest.get("repeats", REPEATS_ONCE) == REPEATS_ONCE:
        order = order[~repeated]
    table, digests = table.take(order), digests[order]
    features = row_digests(table, [one.name for one in prepared.features_of(manifest["contract"])])
    held = membership(features, HOLDOUT)
    if held.all() or not held.any():
        raise CannotGoOn(
            f"{len(held)} rows are too few to learn from some and hold out others"
            f" ({int(repeated.sum())} of {manifest['rows']} repeat others exactly); gather more"
        )
    out.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.filter(pa.array(~held)), out / prepared.TRAIN)
    pq.write_table(table.filter(pa.array(held)), out / prepared.HOLDOUT)
    (out / prepared.CONTRACT).write_text(json.dumps(manifest["contract"]), encoding="utf-8")
    (out / prepared.RECIPES).write_text(json.dumps(manifest["recipes"]), encoding="utf-8")
    decided = {name: manifest.get(name, []) for name in ("withdrawn", "trusted")}
    (out / prepared.DECISIONS).write_text(json.dumps(decided), encoding="utf-8")
    membership_of = {"dataset_id": rows_id(digests), "holdout_id": rows_id(digests[held]), **told}
    (out / prepared.MEMBERSHIP).write_text(json.dumps(membership_of), encoding="utf-8")
    return Counts(learned=int((~held).sum()), held_out=int(held.sum()), repeated=told[prepared.REPEATED_ROWS])


def _lists(parts: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The parts by the list they were dropped as, readmitted rows with the others of their file; the oldest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        source = part["source"]
        found.setdefault(source.get("readmitted_from") or source["upload"], []).append(part)
    return sorted(found.values(), key=lambda each: (_version(each[0]), min(p["content_hash"] for p in each)))


def _version(part: dict[str, Any]) -> int:
    """The dataset version that it came in with."""
    return int(part["source"]["version"])


def _read_list(contract: Contract, folder: Path, parts: list[dict[str, Any]], number: int) -> Any:
    """A list's rows in their order, with the list's columns beside the contract's."""
    read = [_read(folder / part["file"], part) for part in parts]
    table = pa.concat_tables(read)
    for name, values in list_values(contract.list_columns, table).items():
        table = table.append_column(name, pa.array(values))
    versions = np.repeat([_version(part) for part in parts], [each.num_rows for each in read])
    table = table.append_column(prepared.VERSION, pa.array(versions, pa.int64()))
    return table.append_column(prepared.LIST, pa.array(np.full(len(versions), number), pa.int64()))


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


def _repeated(ordered: Digests) -> Mask:
    """Of rows in the order of their digests those that repeat the one before."""
    again = np.zeros(len(ordered), dtype=np.bool_)
    again[1:] = ordered[1:] == ordered[:-1]
    return again


def _told(parts: list[dict[str, Any]], places: Any) -> dict[str, Any]:
    """How many rows repeat an earlier one, in all and by upload. places: theirs, counted through all parts"""
    ends = np.cumsum([part["rows"] for part in parts])
    counts = np.bincount(np.searchsorted(ends, places, side="right"), minlength=len(parts)).tolist()
    by_upload = [
        {"upload": part["source"]["upload"], "rows": count}
        for part, count in zip(parts, counts, strict=True)
        if count
    ]
    return {prepared.REPEATED_ROWS: sum(counts), prepared.REPEATS: by_upload[-MOST_NAMED:]}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--parts", type=Path, required=True, help="folder with the manifest's parquet files")
    parser.add_argument("--prepared", type=Path, required=True)
    given = parser.parse_args(arguments)
    manifest = json.loads(given.manifest.read_text(encoding="utf-8"))
    found = prepare(manifest, given.parts, given.prepared)
    print(
        f"{manifest['dataset']} {manifest['version']}: {found.learned} rows to learn from, {found.held_out} held"
        f" out; {found.repeated} of {manifest['rows']} repeat others exactly"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
