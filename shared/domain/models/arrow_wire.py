"""The scoring wire format: rows and answers as Arrow IPC streams, over HTTP or through a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from shared.domain.models.answers import Answers


def _is_text(type_: Any) -> bool:
    plain = type_.value_type if pa.types.is_dictionary(type_) else type_
    return bool(pa.types.is_string(plain))


TYPES: dict[str, Callable[[Any], bool]] = {
    "probability": pa.types.is_floating,
    "decile": pa.types.is_integer,
    "decision": _is_text,
    "problem": lambda type_: _is_text(type_) or pa.types.is_null(type_),
}
"""What each column of an answer must be."""


def packed(batches: Sequence[Any]) -> bytes:
    """Record batches of one schema, at least one."""
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, batches[0].schema) as stream:
        for batch in batches:
            stream.write_batch(batch)
    return bytes(out.getvalue())


def unpacked(body: bytes, *, rows: int) -> tuple[str, Answers]:
    """The version of the model that answered, and its answers.

    raises: ValueError when this is no answer to that many rows
    """
    try:
        with pa.ipc.open_stream(body) as stream:
            table = stream.read_all()
            table.validate(full=True)  # or a wrong offset is followed, wherever it leads
            table = table.combine_chunks()
    except (
        OSError,
        pa.ArrowException,
        MemoryError,
    ) as cause:  # OSError: it is cut between its header and its values
        raise ValueError("the answer is cut off, or no Arrow stream") from cause
    facts = table.schema.metadata or {}
    missing = {"probability", "decile", "decision"} - set(table.column_names)
    if missing or b"version" not in facts:
        raise ValueError(f"the answer lacks {', '.join(sorted(missing)) or 'the model version'}")
    odd = [field.name for field in table.schema if not TYPES.get(field.name, lambda _: True)(field.type)]
    if odd:
        raise ValueError(f"the answer's {', '.join(odd)} is of another type")
    columns = [_only_chunk(table.column(name)) for name in ("probability", "decile", "decision")]
    version = facts[b"version"].decode()
    if "problem" not in table.column_names:
        return version, Answers.checked(*columns, rows=rows)
    problems = table.column("problem").to_pylist()
    return version, Answers.partly(columns[0], columns[1], columns[2], problems, rows=rows)


def _only_chunk(column: Any) -> Any:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
