"""Request validation: JSON in two shapes in, columns out, and a clear refusal of anything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

SHAPES = 'send {"input_data": {"columns": [...], "data": [[...]]}} or {"data": [{"column": value, ...}]}'

Columns = dict[str, Sequence[Any]]


class BadRequest(Exception):
    """What is wrong with a request and how to mend it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def columns_of(body: Any, wanted: Sequence[str]) -> Columns:
    """The wanted columns' values, whichever shape the request has; other columns are ignored.

    raises: BadRequest
    """
    if not isinstance(body, dict) or not ("input_data" in body or "data" in body):
        raise BadRequest("UnknownShape", f"the request has neither input_data nor data; {SHAPES}")
    data = body["input_data"] if "input_data" in body else body["data"]
    if isinstance(data, dict):
        return _from_table(data, wanted)
    if isinstance(data, list):
        return _from_records(data, wanted)
    raise BadRequest("UnknownShape", f"the rows are neither a table nor a list of records; {SHAPES}")


def _from_table(table: dict[str, Any], wanted: Sequence[str]) -> Columns:
    names, rows = table.get("columns"), table.get("data")
    if not isinstance(names, list) or not isinstance(rows, list):
        raise BadRequest("UnknownShape", f"input_data lacks columns or data; {SHAPES}")
    _demand([name for name in wanted if name not in names], "input_data.columns")
    if not set(map(type, rows)) <= {list} or not set(map(len, rows)) <= {len(names)}:
        raise BadRequest("RowWidth", _narrow_row(rows, len(names)))
    return _columns(rows, [names.index(name) for name in wanted], wanted)


def _narrow_row(rows: list[Any], width: int) -> str:
    number = next(at for at, row in enumerate(rows) if not isinstance(row, list) or len(row) != width)
    return f"row {number} has not one value for each of the {width} columns"


def _from_records(records: list[Any], wanted: Sequence[str]) -> Columns:
    if not set(map(type, records)) <= {dict}:
        number = next(at for at, record in enumerate(records) if not isinstance(record, dict))
        raise BadRequest("UnknownShape", f"record {number} is no object of column names and values; {SHAPES}")
    try:
        return _columns(records, wanted, wanted)
    except KeyError:
        for number, record in enumerate(records):
            _demand([name for name in wanted if name not in record], f"record {number}")
        raise


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
