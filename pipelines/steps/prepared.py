"""The folder that `prepare` writes and the later steps read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from model import Feature

TRAIN = "train.parquet"
HOLDOUT = "holdout.parquet"
CONTRACT = "contract.json"
VALIDATION = "validation.npy"
MEMBERSHIP = "holdout.json"


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows by column, and the answer of each: 1 for the positive one."""

    columns: dict[str, list[Any]]
    answers: npt.NDArray[np.float64]


def read_contract(folder: Path) -> dict[str, Any]:
    contract: dict[str, Any] = json.loads((folder / CONTRACT).read_text(encoding="utf-8"))
    return contract


def features_of(contract: dict[str, Any]) -> tuple[Feature, ...]:
    """The columns known before the call, in the contract's order."""
    known = [column for column in contract["columns"] if not column.get("known_only_after_call")]
    return tuple(Feature.from_json(column) for column in known)


def read_rows(folder: Path, file: str, names: Iterable[str]) -> Rows:
    """The named columns; one that the file does not have is null in every row, as a caller would send it."""
    target = read_contract(folder)["target"]
    table = pq.read_table(folder / file)
    known = set(table.column_names)
    columns = {
        name: table.column(name).to_pylist() if name in known else [None] * table.num_rows for name in names
    }
    answers = [value == target["positive"] for value in table.column(target["name"]).to_pylist()]
    return Rows(columns=columns, answers=np.array(answers, dtype=np.float64))
