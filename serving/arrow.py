"""Arrow IPC on the wire: a stream of rows becomes the booster's matrix, and scores become a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from serving.arrow_size import size_of, viewed
from serving.explain import Reasons
from serving.features import Feature, Floats, blank
from serving.model import Scores
from serving.payload import EXPLAIN, BadRequest, reasons_of
from serving.rules import Broken, Fault, judge_column

CONTENT_TYPE = "application/vnd.apache.arrow.stream"
ROOM = 16 << 20
"""Bytes that any request may become, however small it is: compressed, or mostly of columns without a value. As a
matrix they are 100,000 rows of 20 features, more than one shard of the product's default size has."""
GROWTH = 16
"""How many times its own bytes a larger request may become. Our own clients send a byte or more for each value, be it
as requests of `request_bytes` or as a shard of any size on a cluster; it takes 8 in the matrix, and a list's columns
take as many where they are left out."""
LONGEST_NUMBER = 9
"""Digits of a number in the metadata: Python reads no number of any length."""
_LABELS = pa.array(["skip", "call"])
"""In the order of False and True."""
_ANSWER = (
    pa.field("probability", pa.float64(), nullable=False),
    pa.field("decile", pa.int8(), nullable=False),
    pa.field("decision", pa.dictionary(pa.int8(), pa.string()), nullable=False),
)
_REASON = pa.struct([pa.field("column", pa.string()), pa.field("contribution", pa.float64())])
_REASONS = pa.field("reasons", pa.list_(_REASON), nullable=False)


def matrix_of(body: bytes, features: Sequence[Feature]) -> Floats:
    """What `features.encode` makes of the same rows; columns are found by name, others are ignored.

    raises: BadRequest
    """
    return checked(body, features).matrix


class Request(NamedTuple):
    """Rows as a caller sent them."""

    matrix: Floats
    broken: Broken
    """As `rules.checked` says it."""
    reasons: int
    """How many of each row are wanted."""


def checked(body: bytes, features: Sequence[Feature], optional: Sequence[str] = ()) -> Request:
    """Columns are found by name, others are ignored.

    optional: names of features that may be absent, as if they were null in every row
    raises: BadRequest
    """
    table = _read(body, len(features))
    wanted = (table.schema.metadata or {}).get(EXPLAIN.encode(), b"0")
    places = [_place(table.schema, feature.name, optional) for feature in features]
    matrix, broken = blank(table.num_rows, features), dict[int, list[Fault]]()
    for at, (feature, place) in enumerate(zip(features, places, strict=True)):
        if place is None:
            matrix[:, at] = np.nan
            continue
        column, row = table.column(place), 0
        for chunk in column.chunks:
            matrix[row : row + len(chunk), at] = _encoded(feature, chunk)
            row += len(chunk)
        missing = column.is_null().to_numpy() if column.null_count else None
        known = partial(_value, column)
        judge_column(feature, matrix[:, at], known, broken, missing=missing)
    number = wanted.isdigit() and len(wanted) <= LONGEST_NUMBER
    return Request(matrix, broken, reasons_of(int(wanted) if number else wanted))


def _value(column: Any, row: int) -> Any:
    return column[row].as_py()


def written(
    scores: Scores,
    *,
    model: str,
    version: str,
    problems: Mapping[int, str] | None = None,
    explained: Reasons | None = None,
) -> bytes:
    """One record batch, a row a client in the rows' order; the schema's metadata says which model and variant it was.

    problems: by row without a score: why; where there is one, the answer has a column more
    explained: the reasons, if they are wanted: a column more
    """
    columns = [
        pa.array(scores.probability),
        pa.array(scores.decile),
        pa.DictionaryArray.from_arrays(pa.array(scores.call.view(np.int8)), _LABELS),
    ]
    fields: tuple[Any, ...] = _ANSWER
    facts = {"model": model, "version": version, "variant": scores.variant}
    if explained:
        columns.append(pa.array(map(explained.of, range(len(scores.probability))), _REASONS.type))
        fields, facts = (*fields, _REASONS), {**facts, "expected": repr(explained.expected)}
    if problems:
        unscored = np.zeros(len(scores.probability), dtype=np.bool_)
        unscored[list(problems)] = True
        columns = [pc.if_else(pa.array(unscored), None, column) for column in columns]
        columns.append(pa.array([problems.get(row) for row in range(len(unscored))], pa.string()))
        fields = (*(field.with_nullable(True) for field in fields), pa.field("problem", pa.string()))
    schema = pa.schema(fields, metadata=facts)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as stream:
        stream.write_batch(pa.record_batch(columns, schema=schema))
    return bytes(sink.getvalue())


def _read(body: bytes, features: int) -> Any:
    """The lengths, offsets and codes inside come from outside: they are checked before anything follows them.

    features: how many numbers a row takes in the matrix
    """
    most = max(ROOM, GROWTH * len(body))
    try:
        size = size_of(body)
        if max(size.rows * max(1, features) * 8, size.inflated) > most:
            raise _too_large(most)
        with pa.ipc.open_stream(body) as stream:
            table = stream.read_all()
        table.validate(full=True)  # first: a dictionary that was looked at passes for a sound one
        if viewed(table) > most:
            raise _too_large(most)
    except (pa.ArrowException, OSError, ValueError) as cause:
        raise BadRequest(
            "BadArrow", f"the body is no Arrow IPC stream ({cause}); send one as {CONTENT_TYPE}"
        ) from cause
    return table


def _too_large(most: int) -> BadRequest:
    message = (
        f"the rows take more than the {most:,} bytes that a request of this size may; send fewer at once"
    )
    return BadRequest("TooLarge", message)


def _place(schema: Any, name: str, optional: Sequence[str]) -> int | None:
    """None for an optional column that is not there. raises: BadRequest"""
    found = schema.get_all_field_indices(name)
    if len(found) == 1:
        return int(found[0])
    if found:
        raise BadRequest(
            "DuplicateColumn", f"there are {len(found)} columns {name!r}; send each feature once"
        )
    if name in optional:
        return None
    raise BadRequest(
        "MissingColumn",
        f"there is no column {name!r}; every feature must be there, null where it is not known",
    )


def _encoded(feature: Feature, chunk: Any) -> Floats:
    if pa.types.is_null(chunk.type):
        return np.full(len(chunk), np.nan)
    return _category(feature, chunk) if feature.type == "category" else _numbers(feature, chunk)


def _category(feature: Feature, chunk: Any) -> Floats:
    """Each distinct text is looked up once; a row is only a place in that list."""
    if not pa.types.is_dictionary(chunk.type):
        _demand(feature, chunk.type, _is_text(chunk.type), "texts")
        chunk = chunk.dictionary_encode()
    _demand(feature, chunk.type, _is_text(chunk.type.value_type), "texts")
    texts = chunk.dictionary.to_pylist()
    codes: Floats = np.array([feature.codes.get(text, np.nan) for text in texts] + [np.nan])
    if not chunk.null_count:
        found: Floats = codes.take(chunk.indices.to_numpy())
        return found
    found = codes.take(chunk.indices.fill_null(0).to_numpy())
    found[chunk.indices.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return found


def _numbers(feature: Feature, chunk: Any) -> Floats:
    if pa.types.is_dictionary(chunk.type):
        chunk = chunk.dictionary_decode()
    _demand(
        feature, chunk.type, pa.types.is_integer(chunk.type) or pa.types.is_floating(chunk.type), "numbers"
    )
    found: Floats = chunk.to_numpy(zero_copy_only=False)  # nulls come out as NaN
    return found


def _is_text(kind: Any) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(test(kind) for test in tests)


def _demand(feature: Feature, kind: Any, fits: bool, wanted: str) -> None:
    if not fits:
        raise BadRequest("BadValue", f"column {feature.name!r} is of type {kind}; send {wanted} or nulls")
