"""The scoring wire format: rows and answers as Arrow IPC streams, over HTTP or through a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from shared.domain.models.answers import Answers


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
            table = stream.read_all().combine_chunks()
    except OSError as cause:  # what pyarrow says to a stream that is cut between its header and its values
        raise ValueError("the answer is cut off") from cause
    facts = table.schema.metadata or {}
    missing = {"probability", "decile", "decision"} - set(table.column_names)
    if missing or b"version" not in facts:
        raise ValueError(f"the answer lacks {', '.join(sorted(missing)) or 'the model version'}")
    columns = [_only_chunk(table.column(name)) for name in ("probability", "decile", "decision")]
    version = facts[b"version"].decode()
    if "problem" not in table.column_names:
        return version, Answers.checked(*columns, rows=rows)
    problems = table.column("problem").to_pylist()
    return version, Answers.partly(columns[0], columns[1], columns[2], problems, rows=rows)


def _only_chunk(column: Any) -> Any:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
