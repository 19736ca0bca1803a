"""What is computed of columns."""

from __future__ import annotations

import re

import pyarrow as pa


def _list(given, like: int):
    return given.to_pylist() if isinstance(given, pa.Array) else [given] * like


def take(column, places):
    return column.take(places) if isinstance(column, pa.Array | pa.Table) else pa.array(column).take(places)


def cast(column, of):
    return column.cast(of)


def fill_null(column, value):
    return column.fill_null(value)


def is_valid(column):
    return column.is_valid()


def is_null(column):
    return column.is_null()


def dictionary_encode(column, null_encoding="mask"):
    return column.dictionary_encode(null_encoding)


def _pairwise(do):
    def done(one, other):
        size = len(one) if isinstance(one, pa.Array) else len(other)
        pairs = zip(_list(one, size), _list(other, size), strict=True)
        return pa.Array([None if a is None or b is None else do(a, b) for a, b in pairs], pa.bool_())

    return done


equal, greater = _pairwise(lambda a, b: a == b), _pairwise(lambda a, b: a > b)
and_ = _pairwise(lambda a, b: a and b)


def invert(column):
    return pa.Array([None if value is None else not value for value in column.to_pylist()], pa.bool_())


def sum(column):
    there = [value for value in column.to_pylist() if value is not None]
    total = 0
    for value in there:
        total += value
    return pa.Scalar(total if there else None)


def all(column):
    return pa.Scalar(False not in column.to_pylist())


def any(column):
    return pa.Scalar(True in column.to_pylist())


def if_else(condition, one, other):
    column = one if isinstance(one, pa.Array) else other
    size = len(condition)
    rows = zip(condition.to_pylist(), _list(one, size), _list(other, size), strict=True)
    return column._like([None if c is None else a if c else b for c, a, b in rows])


def is_in(column, value_set):
    wanted = set(value_set.to_pylist())
    return pa.Array([value in wanted for value in column.to_pylist()], pa.bool_())


def index_in(column, value_set):
    place = {value: at for at, value in enumerate(value_set.to_pylist())}
    return pa.Array([place.get(value) for value in column.to_pylist()], pa.int32())


def match_substring_regex(column, pattern):
    found = re.compile(pattern)
    return pa.Array(
        [None if value is None else bool(found.search(value)) for value in column.to_pylist()], pa.bool_()
    )


def utf8_trim_whitespace(column):
    return column.cast(pa.string())._like(
        [None if value is None else value.strip() for value in column.to_pylist()]
    )


def binary_join_element_wise(*parts, null_handling="emit_null", null_replacement=""):
    """The last of the parts stands between the others."""
    *columns, between = parts
    size = max(len(column) for column in columns if isinstance(column, pa.Array))
    of = next(column.type for column in columns if isinstance(column, pa.Array))
    rows = []
    for found in zip(*(_list(column, size) for column in columns), strict=True):
        replaced = null_handling == "replace"
        row = [null_replacement if replaced and value is None else value for value in found]
        rows.append(None if None in row else between.join(row))
    return pa.Array(rows, of)
