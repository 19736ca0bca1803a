"""The prepared data set: the folder that `prepare` writes, and how later steps read features and answers from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.training.learners import Matrix
from serving.features import Feature, encode
from shared.domain.datasets.row_digest import row_digests

TRAIN = "train.parquet"
HOLDOUT = "holdout.parquet"
CONTRACT = "contract.json"
MEMBERSHIP = "holdout.json"
RECIPES = "recipes.json"
"""The recipes that may be live, the one that a dataset starts with first."""
DECISIONS = "decisions.json"
"""What people decided about rows: the uploads withdrawn, the versions trusted, as the manifest has them."""
VERSION, LIST = "campanha.version", "campanha.list"
"""Columns beside the contract's: the dataset version that a row came in with, and a number for the list it stands on;
a newer list has a greater one."""
REPEATS, REPEATED_ROWS = "repeats", "repeated_rows"
"""In it: how many rows repeat an earlier one exactly, by upload and in all."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows by column, and the answer of each: 1 for the positive one."""

    columns: dict[str, Sequence[Any]]
    answers: npt.NDArray[np.float64]

    def only(self, these: npt.NDArray[np.bool_]) -> Rows:
        """The rows that the mask picks."""
        columns: dict[str, Sequence[Any]] = {
            name: list(compress(values, these)) for name, values in self.columns.items()
        }
        return Rows(columns=columns, answers=self.answers[these])


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """What people decided about the rows."""

    withdrawn: Mapping[str, int] = field(default_factory=dict)
    """Uploads that were taken out, each with the dataset version that its rows had come in with."""
    trusted: frozenset[int] = frozenset()
    """Versions whose new rows are not to be doubted."""


def read_contract(folder: Path) -> dict[str, Any]:
    contract: dict[str, Any] = json.loads((folder / CONTRACT).read_text(encoding="utf-8"))
    return contract


def read_decisions(folder: Path) -> Decisions:
    body = json.loads((folder / DECISIONS).read_text(encoding="utf-8"))
    return Decisions(
        withdrawn={one["upload"]: one["version"] for one in body["withdrawn"]},
        trusted=frozenset(one["version"] for one in body["trusted"]),
    )


def features_of(contract: dict[str, Any]) -> tuple[Feature, ...]:
    """The columns known before the call, in the contract's order."""
    known = [column for column in contract["columns"] if not column.get("known_only_after_call")]
    return tuple(Feature.from_json(column) for column in known)


def forbidden(contract: dict[str, Any]) -> list[str]:
    """Columns that no model may read: the answer, and what is known only after the call."""
    later = [column["name"] for column in contract["columns"] if column.get("known_only_after_call")]
    return [*later, contract["target"]["name"]]


def words(contract: dict[str, Any]) -> tuple[str, str | None]:
    """The positive answer and the other one; None where the others are several, or none."""
    target = contract["target"]
    others = [word for word in target["values"] if word != target["positive"]]
    return target["positive"], others[0] if len(others) == 1 else None


def list_features(contract: dict[str, Any]) -> tuple[Feature, ...]:
    """The columns that describe the list a row stands on."""
    return tuple(Feature(name=column["name"], type="number") for column in contract.get("list_columns", ()))


def read_matrix(folder: Path, file: str) -> Matrix:
    """All that learners may see of the rows."""
    contract = read_contract(folder)
    inputs = (*features_of(contract), *list_features(contract))
    rows = read_rows(folder, file, [feature.name for feature in inputs])
    return Matrix(
        inputs=inputs,
        values=encode(inputs, rows.columns),
        answers=rows.answers,
        lists=read_numbers(folder, file, LIST),
        list_names=frozenset(feature.name for feature in list_features(contract)),
    )


def read_numbers(folder: Path, file: str, column: str) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = pq.read_table(folder / file, columns=[column]).column(0).to_numpy()
    return found


def read_rows(folder: Path, file: str, names: Iterable[str]) -> Rows:
    """The named columns; one that the file does not have is null in every row, as a caller would send it."""
    target = read_contract(folder)["target"]
    wanted = dict.fromkeys(names)
    known = wanted.keys() & set(pq.read_schema(folder / file).names)
    table = pq.read_table(folder / file, columns=[*known, target["name"]])
    columns = {
        name: _values(table.column(name)) if name in known else [None] * table.num_rows for name in wanted
    }
    answers = [value == target["positive"] for value in _values(table.column(target["name"]))]
    return Rows(columns=columns, answers=np.array(answers, dtype=np.float64))


def has(folder: Path, name: str) -> bool:
    """Whether the rows have such a column."""
    return name in pq.read_schema(folder / HOLDOUT).names


def read_digests(folder: Path, file: str, features: Iterable[Feature]) -> npt.NDArray[np.uint64]:
    """A digest of each row's features: what a model knows its rows by."""
    return row_digests(pq.read_table(folder / file), [feature.name for feature in features])


def _values(column: Any) -> Sequence[Any]:
    """Numbers as an array; texts as a list in which equal ones are one object, or a million rows fill the memory."""
    if not pa.types.is_string(column.type):
        numbers: Sequence[Any] = column.to_numpy()
        return numbers
    coded = column.combine_chunks().dictionary_encode()
    texts = [*coded.dictionary.to_pylist(), None]
    return [texts[code] for code in coded.indices.fill_null(len(texts) - 1).to_pylist()]
