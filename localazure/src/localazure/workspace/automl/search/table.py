"""The rows to learn from: CSV or Parquet files as an MLTable says, then columns, labels, weights and splits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet

Split = tuple[np.ndarray, np.ndarray]
_FEW_ROWS, _MANY_ROWS = 1000, 20_000
"""As Azure documents its own choice: ten folds below the first, three below the second, a tenth held out above."""


class BadData(Exception):
    """The data cannot be learnt from; the message says what is wrong with it."""


def read(plan: dict[str, Any]) -> pa.Table:
    """The files of one MLTable under each other, with the columns it keeps."""
    tables = [_read_file(Path(file), plan) for file in plan["files"]]
    if not tables:
        raise BadData("the MLTable names no files")
    table = pa.concat_tables(tables, promote_options="permissive")
    keep = plan.get("keep") or table.column_names
    if missing := [name for name in keep if name not in table.column_names]:
        raise BadData(f"keep_columns names {', '.join(missing)}; there are {', '.join(table.column_names)}")
    names = [name for name in keep if name not in (plan.get("drop") or [])]
    table = table.select(names).slice(plan.get("skip") or 0)
    return table if plan.get("take") is None else table.slice(0, plan["take"])


def _read_file(file: Path, plan: dict[str, Any]) -> pa.Table:
    try:
        if plan["format"] == "parquet":
            return _cast(pyarrow.parquet.read_table(file), _types(plan))
        return pyarrow.csv.read_csv(
            file,
            read_options=pyarrow.csv.ReadOptions(
                encoding=plan.get("encoding") or "utf8",
                autogenerate_column_names=not plan.get("header", True),
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=plan.get("delimiter") or ",", newlines_in_values=bool(plan.get("many_lines"))
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                strings_can_be_null=not plan.get("empty_is_word"), column_types=_types(plan)
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as cause:
        raise BadData(f"{file.name} cannot be read as {plan['format']}: {cause}") from cause


def _cast(table: pa.Table, types: dict[str, pa.DataType]) -> pa.Table:
    for name, kind in types.items():
        table = table.set_column(table.schema.get_field_index(name), name, table.column(name).cast(kind))
    return table


def _types(plan: dict[str, Any]) -> dict[str, pa.DataType]:
    named = {"string": pa.string(), "int": pa.int64(), "float": pa.float64(), "boolean": pa.bool_()}
    return {name: named[kind] for name, kind in (plan.get("types") or {}).items()}


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Everything a trial learns from. `classes` are the labels' own values, `truth` their numbers."""

    columns: dict[str, np.ndarray]
    times: frozenset[str]
    truth: np.ndarray
    classes: list[Any]
    weights: np.ndarray | None

    def take(self, places: np.ndarray) -> dict[str, np.ndarray]:
        return {name: values[places] for name, values in self.columns.items()}


def rows_of(table: pa.Table, target: str, weights: str | None) -> Rows:
    """Raises when there is no target, or nothing to tell apart."""
    for name in filter(None, (target, weights)):
        if name not in table.column_names:
            raise BadData(f"there is no column {name!r}; there are {', '.join(table.column_names)}")
    labels = [_label(value) for value in table.column(target).to_pylist()]
    if any(label is None for label in labels):
        raise BadData(f"the target {target!r} is missing in {sum(label is None for label in labels)} rows")
    classes = sorted(set(labels), key=lambda label: (str(type(label)), label))
    if not 2 <= len(classes) <= 1000:
        raise BadData(f"the target {target!r} has {len(classes)} values; a classification has from 2 to 1000")
    numbers = {label: number for number, label in enumerate(classes)}
    others = [name for name in table.column_names if name not in (target, weights)]
    return Rows(
        columns={name: _values(table.column(name)) for name in others},
        times=frozenset(name for name in others if pa.types.is_temporal(table.schema.field(name).type)),
        truth=np.array([numbers[label] for label in labels]),
        classes=classes,
        weights=None if weights is None else np.array(table.column(weights).to_pylist(), dtype=float),
    )


def _label(value: Any) -> Any:
    """What JSON can say stays as it is; a date, for instance, becomes a word."""
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _values(column: pa.ChunkedArray) -> np.ndarray:
    """Floats for numbers and booleans, seconds for instants, objects for the rest."""
    kind = column.type
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    elif pa.types.is_temporal(kind) and not pa.types.is_time(kind):
        return (
            np.asarray(column.cast(pa.timestamp("us")).cast(pa.int64()).cast(pa.float64(), safe=False)) / 1e6
        )
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return np.asarray(column.cast(pa.float64(), safe=False))
    return np.array(column.to_pylist(), dtype=object)


def splits(truth: np.ndarray, *, folds: int | None, holdout: float | None, seed: int) -> list[Split]:
    """Training and validation rows, drawn by class; how many is the data's matter when nobody says."""
    if folds is None and holdout is None:
        folds = 10 if len(truth) < _FEW_ROWS else 3
        if len(truth) > _MANY_ROWS:
            folds, holdout = None, 0.1
    parts = folds or round(1 / float(holdout or 0.1))
    smallest = int(np.bincount(truth)[np.bincount(truth) > 0].min())
    if smallest < 2:
        raise BadData("a class has one row only; each needs at least two, to learn from and to check")
    if holdout is not None:
        return [_held_out(truth, holdout, seed)]
    numbers = _dealt(truth, min(parts, len(truth)), seed)
    return [
        (np.flatnonzero(numbers != one), np.flatnonzero(numbers == one)) for one in range(numbers.max() + 1)
    ]


def _dealt(truth: np.ndarray, hands: int, seed: int) -> np.ndarray:
    """A fold for each row; each class is shuffled and dealt out, going on where the last one ended."""
    chance, numbers, next_one = np.random.default_rng(seed), np.empty(len(truth), dtype=int), 0
    for one in np.unique(truth):
        places = chance.permutation(np.flatnonzero(truth == one))
        numbers[places] = (next_one + np.arange(len(places))) % hands
        next_one += len(places)
    return numbers


def _held_out(truth: np.ndarray, share: float, seed: int) -> Split:
    chance, held = np.random.default_rng(seed), np.zeros(len(truth), dtype=bool)
    for one in np.unique(truth):
        places = chance.permutation(np.flatnonzero(truth == one))
        held[places[: min(len(places) - 1, max(1, round(share * len(places))))]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
