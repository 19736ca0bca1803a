"""Request validation: JSON in the shapes that scoring clients send in, columns out, and a clear refusal of anything else.

source: https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/ (dataframe_split, dataframe_records, inputs,
instances) and the scoring scripts that Azure's AutoML makes (Inputs, GlobalParameters)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

_TABLE, _RECORDS, _LISTS = (
    '{"columns": [...], "data": [[...]]}',
    '[{"column": value, ...}]',
    '{"column": [...], ...}',
)
WHERE = {
    "input_data": _TABLE,
    "data": _RECORDS,
    "dataframe_split": _TABLE,
    "dataframe_records": _RECORDS,
    "inputs": _LISTS,
    "instances": _RECORDS,
    "Inputs": f'{{"data": {_RECORDS}}}',
}
"""Where a request may have its rows, and how clients write them there; any of the three ways is read in each place.
The first that a request has counts."""
SHAPES = "send one of " + ", ".join(f'{{"{name}": {rows}}}' for name, rows in WHERE.items())

EXPLAIN = "explain"
"""The member of a request, in Arrow of its schema's metadata, that asks for reasons."""
MOST_REASONS = 100

Columns = dict[str, Sequence[Any]]


class BadRequest(Exception):
    """What is wrong with a request and how to mend it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def reasons_of(wanted: Any) -> int:
    """How many reasons a request wants of each row, 0 for none. wanted: what it has as `explain`. raises: BadRequest"""
    if type(wanted) is int and 0 <= wanted <= MOST_REASONS:
        return wanted
    raise BadRequest(
        "BadExplain", f"explain is how many reasons you want of each row, a whole number up to {MOST_REASONS}"
    )


def place_of(body: Any) -> str | None:
    """Where the request has its rows: one of `WHERE`."""
    return next((name for name in WHERE if name in body), None) if isinstance(body, dict) else None


def columns_of(body: Any, wanted: Sequence[str], optional: Sequence[str] = ()) -> Columns:
    """The wanted columns' values, whichever shape the request has; other columns are ignored.

    optional: more columns that are wanted, null where they are not there
    raises: BadRequest
    """
    where = place_of(body)
    if where is None:
        raise BadRequest("UnknownShape", f"the request has its rows in none of {', '.join(WHERE)}; {SHAPES}")
    rows = body[where]
    if where == "Inputs" and isinstance(rows, dict) and "data" in rows and "columns" not in rows:
        where, rows = "Inputs.data", rows["data"]
    if isinstance(rows, list):
        return _from_records(rows, wanted, optional)
    if not isinstance(rows, dict):
        message = f"{where} is neither a table, nor a list of records, nor lists by column; {SHAPES}"
        raise BadRequest("UnknownShape", message)
    if rows.keys() & {"columns", "data"} and not rows.keys() >= set(wanted):
        return _completed(_from_table(rows, wanted, optional, where), optional)
    return _completed(
        _from_lists(rows, [*wanted, *(name for name in optional if name in rows)], where), optional
    )


def _completed(columns: Columns, optional: Sequence[str]) -> Columns:
    """Null in each row of an optional column that is not there."""
    absent = [name for name in optional if name not in columns]
    nothing = [None] * len(next(iter(columns.values()))) if absent else []
    return columns | dict.fromkeys(absent, nothing)


def _from_table(table: dict[str, Any], wanted: Sequence[str], optional: Sequence[str], where: str) -> Columns:
    names, rows = table.get("columns"), table.get("data")
    if not isinstance(names, list) or not isinstance(rows, list):
        raise BadRequest("UnknownShape", f"{where} lacks columns or data; {SHAPES}")
    _demand([name for name in wanted if name not in names], f"{where}.columns")
    if not set(map(type, rows)) <= {list} or not set(map(len, rows)) <= {len(names)}:
        raise BadRequest("RowWidth", _narrow_row(rows, len(names)))
    found = [*wanted, *(name for name in optional if name in names)]
    return _columns(rows, [names.index(name) for name in found], found)


def _from_lists(lists: dict[str, Any], wanted: Sequence[str], where: str) -> Columns:
    _demand([name for name in wanted if name not in lists], where)
    columns = {name: lists[name] for name in wanted}
    for name, values in columns.items():
        if not isinstance(values, list):
            raise BadRequest("UnknownShape", f"column {name!r} of {where} is no list of values; {SHAPES}")
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r} {count}" for name, count in lengths.items())
        raise BadRequest("RowWidth", f"the columns of {where} differ in their number of values: {told}")
    return columns


def _narrow_row(rows: list[Any], width: int) -> str:
    number = next(at for at, row in enumerate(rows) if not isinstance(row, list) or len(row) != width)
    return f"row {number} has not one value for each of the {width} columns"


def _from_records(records: list[Any], wanted: Sequence[str], optional: Sequence[str]) -> Columns:
    if not set(map(type, records)) <= {dict}:
        number = next(at for at, record in enumerate(records) if not isinstance(record, dict))
        raise BadRequest("UnknownShape", f"record {number} is no object of column names and values; {SHAPES}")
    try:
        columns = _columns(records, wanted, wanted)
    except KeyError:
        for number, record in enumerate(records):
            _demand([name for name in wanted if name not in record], f"record {number}")
        raise
    return columns | {name: [record.get(name) for record in records] for name in optional}


def _columns(rows: list[Any], places: Sequence[Any], wanted: Sequence[str]) -> Columns:
    """Turned by loops that are not Python's: a request has tens of thousands of values."""
    pick: Callable[[Any], Any] = itemgetter(*places)
    picked = map(pick, rows) if len(places) > 1 else ((pick(row),) for row in rows)
    columns = list(zip(*picked, strict=True)) or [()] * len(wanted)
    return dict(zip(wanted, columns, strict=True))


def _demand(missing: list[str], where: str) -> None:
    if missing:
        named = ", ".join(repr(name) for name in missing)
        message = (
            f"{where} lacks {named}; every feature must be there, with null where the value is not known"
        )
        raise BadRequest("MissingColumn", message)
