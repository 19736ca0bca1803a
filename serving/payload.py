"""A scoring request's body: two shapes in, columns out, and a clear refusal of anything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SHAPES = 'send {"input_data": {"columns": [...], "data": [[...]]}} or {"data": [{"column": value, ...}]}'


class BadRequest(Exception):
    """What is wrong with a request and how to mend it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def columns_of(body: Any, wanted: Sequence[str]) -> dict[str, list[Any]]:
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


def _from_table(table: dict[str, Any], wanted: Sequence[str]) -> dict[str, list[Any]]:
    names, rows = table.get("columns"), table.get("data")
    if not isinstance(names, list) or not isinstance(rows, list):
        raise BadRequest("UnknownShape", f"input_data lacks columns or data; {SHAPES}")
    _demand([name for name in wanted if name not in names], "input_data.columns")
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            raise BadRequest(
                "RowWidth", f"row {number} has not one value for each of the {len(names)} columns"
            )
    places = {name: names.index(name) for name in wanted}
    return {name: [row[place] for row in rows] for name, place in places.items()}


def _from_records(records: list[Any], wanted: Sequence[str]) -> dict[str, list[Any]]:
    for number, record in enumerate(records):
        if not isinstance(record, dict):
            raise BadRequest(
                "UnknownShape", f"record {number} is no object of column names and values; {SHAPES}"
            )
        if any(name not in record for name in wanted):
            _demand([name for name in wanted if name not in record], f"record {number}")
    return {name: [record[name] for record in records] for name in wanted}


def _demand(missing: list[str], where: str) -> None:
    if missing:
        named = ", ".join(repr(name) for name in missing)
        message = (
            f"{where} lacks {named}; every feature must be there, with null where the value is not known"
        )
        raise BadRequest("MissingColumn", message)
