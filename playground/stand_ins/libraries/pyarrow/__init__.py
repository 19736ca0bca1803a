"""A stand-in for Arrow where there is none: columns over lists, with what the simulated path asks of them.

It is for tables of a dozen rows. What it does not have raises AttributeError, and never guesses. A Parquet file is JSON
here (`pyarrow.parquet`), so its bytes and their digests are others than Arrow's.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from pyarrow import types

__version__ = "stand-in"


class ArrowException(Exception): ...


class ArrowInvalid(ValueError, ArrowException): ...


# --- types --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DataType:
    """A column's type."""

    name: str
    value_type: DataType | None = None
    index_type: DataType | None = None

    def __str__(self) -> str:
        return self.name


def _plain(name: str):
    made = DataType(name)
    return lambda: made


int8, int16, int32, int64 = (_plain(f"int{bits}") for bits in (8, 16, 32, 64))
uint8, uint32, uint64 = (_plain(f"uint{bits}") for bits in (8, 32, 64))
float32, float64, string, binary, bool_, null = (
    _plain(name) for name in ("float", "double", "string", "binary", "bool", "null")
)
NUMPY = {"int8": np.int8, "int16": np.int16, "int32": np.int32, "int64": np.int64, "uint8": np.uint8,
         "uint32": np.uint32, "uint64": np.uint64, "float": np.float32, "double": np.float64, "bool": np.bool_}  # fmt: skip
OF_NUMPY = {np.dtype(kind): DataType(name) for name, kind in NUMPY.items()}


def dictionary(index: DataType, value: DataType) -> DataType:
    return DataType(f"dictionary<values={value}, indices={index}, ordered=0>", value, index)


@dataclass(frozen=True)
class Field:
    """A column's name and type."""

    name: str
    type: DataType


@dataclass(frozen=True)
class Schema:
    """The columns of a table."""

    fields: tuple[Field, ...]

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.fields]

    @property
    def types(self) -> list[DataType]:
        return [one.type for one in self.fields]

    def field(self, which: str | int) -> Field:
        return self.fields[which if isinstance(which, int) else self.names.index(which)]

    def __iter__(self):
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def to_string(self) -> str:
        return "\n".join(f"{one.name}: {one.type}" for one in self.fields)

    def empty_table(self) -> Table:
        return Table([array([], one.type) for one in self.fields], self)


def schema(columns) -> Schema:
    return Schema(tuple(one if isinstance(one, Field) else Field(*one) for one in columns))


# --- columns ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scalar:
    """One value."""

    value: Any

    def as_py(self) -> Any:
        return self.value


class Array:
    """A column. None stands where there is no value."""

    offset = 0

    def __init__(self, values: list[Any], of: DataType) -> None:
        self._values, self.type = values, of

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, where):
        if isinstance(where, slice):
            return self._like(self._values[where])
        return Scalar(self._values[where])

    def __iter__(self):
        return (Scalar(value) for value in self.to_pylist())

    def __eq__(self, other) -> bool:
        return isinstance(other, Array) and self.type == other.type and self.to_pylist() == other.to_pylist()

    __hash__ = None

    def _like(self, values) -> Array:
        return Array(values, self.type)

    @staticmethod
    def from_buffers(of: DataType, length: int, buffers) -> Array:
        """Of texts and bytes alone."""
        _, offsets, data = buffers
        places = struct.unpack(f"<{length + 1}i", bytes(offsets)[: 4 * (length + 1)])
        cut = [bytes(data)[start:end] for start, end in pairwise(places)]
        return Array(cut if of == binary() else [one.decode() for one in cut], of)

    def buffers(self):
        """Of texts and bytes alone: whether there is a value, where each begins, and all of them."""
        texts = [_bytes(value) if value is not None else b"" for value in self._values]
        places = np.cumsum([0, *map(len, texts)]).astype(np.int32)
        return [None, places.tobytes(), b"".join(texts)]

    def to_pylist(self) -> list[Any]:
        return list(self._values)

    tolist = to_pylist

    def to_numpy(self, zero_copy_only=True):
        kind = NUMPY.get(self.type.name)
        if kind is None:
            return np.ndarray(self.to_pylist(), np.object_)
        if self.null_count and kind not in (np.float32, np.float64):
            return np.asarray(
                [float("nan") if value is None else value for value in self._values], np.float64
            )
        return np.asarray(self._values, kind)

    @property
    def null_count(self) -> int:
        return sum(value is None for value in self._values)

    def is_valid(self) -> Array:
        return Array([value is not None for value in self._values], bool_())

    def is_null(self) -> Array:
        return Array([value is None for value in self._values], bool_())

    def fill_null(self, value) -> Array:
        return self._like([value if one is None else one for one in self._values])

    def take(self, places) -> Array:
        return self._like([None if at is None else self._values[at] for at in _plainly(places)])

    def filter(self, mask) -> Array:
        return self._like([value for value, kept in zip(self._values, _plainly(mask), strict=True) if kept])

    def slice(self, start=0, length=None) -> Array:
        return self._like(self._values[start : None if length is None else start + length])

    def cast(self, of) -> Array:
        if of == self.type:
            return self
        if types.is_dictionary(of):
            return Array(self.to_pylist(), of.value_type).dictionary_encode().as_dictionary(of)
        return Array([_cast(value, self.type, of) for value in self.to_pylist()], of)

    def dictionary_encode(self, null_encoding="mask") -> DictionaryArray:
        place: dict[Any, int] = {}
        for value in self._values:
            if value is not None or null_encoding == "encode":
                place.setdefault(value, len(place))
        codes = [place.get(value) for value in self._values]
        return DictionaryArray(Array(codes, int32()), Array(list(place), self.type))

    def combine_chunks(self) -> Array:
        return self

    @property
    def chunks(self):
        return [self]

    def chunk(self, _):
        return self


class DictionaryArray(Array):
    """A column that has each distinct value once."""

    def __init__(self, indices: Array, values: Array, of: DataType | None = None) -> None:
        self.indices, self.dictionary = indices, values
        self.type = of or dictionary(indices.type, values.type)

    @classmethod
    def from_arrays(cls, indices, values) -> DictionaryArray:
        return cls(_column(indices), _column(values))

    @property
    def _values(self):
        texts = self.dictionary._values
        return [None if at is None else texts[at] for at in self.indices._values]

    def _like(self, values) -> Array:
        """The same dictionary with other places."""
        place = {value: at for at, value in enumerate(self.dictionary._values)}
        return DictionaryArray(
            Array([place.get(value) for value in values], self.indices.type), self.dictionary, self.type
        )

    def dictionary_encode(self, null_encoding="mask") -> DictionaryArray:
        return self

    def as_dictionary(self, of: DataType) -> DictionaryArray:
        return DictionaryArray(self.indices.cast(of.index_type), self.dictionary.cast(of.value_type), of)

    def cast(self, of) -> Array:
        if types.is_dictionary(of):
            return self.as_dictionary(of)
        return Array(self.to_pylist(), self.dictionary.type).cast(of)


ChunkedArray = type("ChunkedArray", (), {})
"""There are none: a column is in one piece here."""


def _plainly(values):
    return values.to_pylist() if isinstance(values, Array) else list(values)


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _cast(value: Any, of: DataType, to: DataType) -> Any:
    if value is None:
        return None
    if to == binary():
        return _bytes(value)
    if to == string():
        if isinstance(value, bytes):
            return value.decode()
        return (
            _shortest(value)
            if isinstance(value, float)
            else str(value).lower()
            if isinstance(value, bool)
            else str(value)
        )
    kind = NUMPY[to.name]
    if isinstance(value, str):
        value = float(value) if kind in (np.float32, np.float64) else int(value)
    return kind.made(value)


def _shortest(value: float) -> str:
    """As Arrow writes it: 0.5, 1e-05, 1."""
    return repr(value).removesuffix(".0")


def array(given, type=None, mask=None, size=None, from_pandas=None) -> Array:
    """mask: true where there is no value"""
    if isinstance(given, Array) and mask is None:
        return given if type is None else given.cast(type)
    if isinstance(given, np.ndarray):
        of = type or OF_NUMPY.get(given.dtype, DataType("null"))
    else:
        given = list(given)
        of = type or _guessed(given)
    gone = [False] * len(given) if mask is None else list(mask)
    values = [None if none else value for value, none in zip(_plainly(given), gone, strict=True)]
    if types.is_dictionary(of):
        return Array(values, of.value_type).cast(of)
    made = (
        NUMPY[of.name].made
        if of.name in NUMPY
        else (_bytes if of == binary() else _text if of == string() else None)
    )
    return Array([value if value is None or made is None else made(value) for value in values], of)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ArrowInvalid("that is no text")
    return value


def _guessed(values: list[Any]) -> DataType:
    there = {bool if isinstance(value, bool) else type(value) for value in values if value is not None}
    if there <= {int} and there:
        return int64()
    if there <= {int, float} and there:
        return float64()
    return {frozenset([str]): string(), frozenset([bytes]): binary(), frozenset([bool]): bool_(),
            frozenset(): null()}[frozenset(there)]  # fmt: skip


def _column(given) -> Array:
    return given if isinstance(given, Array) else array(given)


def concat_arrays(parts) -> Array:
    parts = list(parts)
    return Array([value for part in parts for value in part.to_pylist()], parts[0].type).cast(parts[0].type)


# --- tables -------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Table:
    """Columns of one length, with their names."""

    columns: list[Array]
    schema: Schema
    _: Any = field(default=None, repr=False)

    @property
    def num_rows(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def __len__(self) -> int:
        return self.num_rows

    @property
    def num_columns(self) -> int:
        return len(self.columns)

    @property
    def column_names(self) -> list[str]:
        return self.schema.names

    @property
    def nbytes(self) -> int:
        return sum(len(column) * 8 for column in self.columns)

    def column(self, which: str | int) -> Array:
        return self.columns[which if isinstance(which, int) else self.schema.names.index(which)]

    def __getitem__(self, which):
        return self.column(which)

    def _of(self, columns) -> Table:
        return type(self)(list(columns), self.schema)

    def slice(self, start=0, length=None) -> Table:
        return self._of(column.slice(start, length) for column in self.columns)

    def take(self, places) -> Table:
        return self._of(column.take(places) for column in self.columns)

    def filter(self, mask) -> Table:
        return self._of(column.filter(mask) for column in self.columns)

    def select(self, names) -> Table:
        wanted = [self.schema.names.index(name) for name in names]
        return type(self)(
            [self.columns[at] for at in wanted], Schema(tuple(self.schema.fields[at] for at in wanted))
        )

    def append_column(self, name, column) -> Table:
        column = _column(column)
        return type(self)([*self.columns, column], Schema((*self.schema.fields, Field(name, column.type))))

    def drop_columns(self, names) -> Table:
        gone = [names] if isinstance(names, str) else names
        return self.select([name for name in self.schema.names if name not in gone])

    def rename_columns(self, names) -> Table:
        fields = zip(names, self.schema.types, strict=True)
        return type(self)(self.columns, schema(fields))

    def combine_chunks(self) -> Table:
        return self

    def to_batches(self, max_chunksize=None) -> list[RecordBatch]:
        return [RecordBatch(self.columns, self.schema)] if self.num_rows else []

    def to_pydict(self) -> dict[str, list[Any]]:
        return {
            name: column.to_pylist() for name, column in zip(self.schema.names, self.columns, strict=True)
        }

    def to_pylist(self) -> list[dict[str, Any]]:
        names = self.schema.names
        rows = zip(*(column.to_pylist() for column in self.columns), strict=True)
        return [dict(zip(names, row, strict=True)) for row in rows]

    @classmethod
    def from_batches(cls, batches, schema=None) -> Table:
        batches = list(batches)
        of = schema or batches[0].schema
        if not batches:
            return of.empty_table()
        return Table([_joined([batch.columns[at] for batch in batches]) for at in range(len(of))], of)


class RecordBatch(Table):
    """A table that is in one piece."""


def _joined(columns: list[Array]) -> Array:
    return columns[0] if len(columns) == 1 else concat_arrays(columns)


def _tabled(kind, given, names, of):
    if isinstance(given, dict):
        names, given = list(given), list(given.values())
    columns = [_column(column) for column in given]
    if of is not None:
        columns = [column.cast(one.type) for column, one in zip(columns, of, strict=True)]
    made = of or schema(zip(names, (column.type for column in columns), strict=True))
    if len({len(column) for column in columns}) > 1:
        raise ArrowInvalid("columns of several lengths")
    return kind(columns, made)


def record_batch(given, names=None, schema=None) -> RecordBatch:
    return _tabled(RecordBatch, given, names, schema)


def table(given, names=None, schema=None) -> Table:
    return _tabled(Table, given, names, schema)


def concat_batches(batches) -> RecordBatch:
    made = Table.from_batches(batches)
    return RecordBatch(made.columns, made.schema)


def concat_tables(tables, **_) -> Table:
    return Table.from_batches(list(tables))


# --- bytes --------------------------------------------------------------------------------------------------------


class Buffer(bytes):
    """Bytes."""

    def to_pybytes(self) -> bytes:
        return bytes(self)

    @property
    def size(self) -> int:
        return len(self)


def py_buffer(data) -> Buffer:
    return Buffer(data.tobytes() if isinstance(data, np.ndarray) else data)


class BufferReader:
    """A file in memory, to be read."""

    def __init__(self, data) -> None:
        self._data = bytes(data)

    def read(self) -> bytes:
        return self._data


class BufferOutputStream:
    """A file in memory, to be written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data) -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def getvalue(self) -> Buffer:
        return Buffer(b"".join(self._parts))


class _Pool:
    def release_unused(self) -> None:
        """Nothing is held."""


def default_memory_pool() -> _Pool:
    return _Pool()
