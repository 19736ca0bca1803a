"""Writes the admitted rows of one upload as a Parquet part: typed, compressed, never changed afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Self

from shared.domain.tables.contract import Contract

ROW_GROUP = 1 << 16
"""Rows in a group: what the writer holds in memory, and the unit in which a reader may skip."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What was written."""

    rows: int
    bytes: int
    sha256: str
    """Of the Parquet bytes."""


class PartWriter:
    """Takes batches of typed columns; the same rows give the same bytes, however they are batched.

    with PartWriter(contract, file) as writer:
        for batch in admission.batches():
            writer.add(batch.columns)
    writer.part -> Part(rows, bytes, sha256)
    """

    def __init__(self, contract: Contract, file: IO[bytes]) -> None:
        """file: open for writing, and left open; nothing is read back from it."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = {"integer": pa.int64(), "number": pa.float64(), "category": pa.string()}
        self._schema = pa.schema(
            [(column.name, types[column.type]) for column in contract.columns_for("training")]
        )
        self._out = _Measured(file)
        self._writer = pq.ParquetWriter(self._out, self._schema, compression="zstd")
        self._held: list[Any] = []
        self._held_rows = 0
        self._rows = 0

    def add(self, columns: Mapping[str, Any]) -> None:
        """columns: the contract's, target included, equally long: Arrow arrays, as `Batch.columns` has them, or lists."""
        import pyarrow as pa

        given = [(columns[field.name], field.type) for field in self._schema]
        arrays = [
            values.cast(of) if isinstance(values, pa.Array) else pa.array(values, type=of)
            for values, of in given
        ]
        batch = pa.record_batch(arrays, schema=self._schema)
        self._held.append(batch)
        self._held_rows += batch.num_rows
        if self._held_rows >= ROW_GROUP:
            self._write()

    def close(self) -> None:
        """Writes what is left and the footer; only then the file is Parquet."""
        if self._held_rows:
            self._write(last=True)
        self._writer.close()

    @property
    def part(self) -> Part:
        return Part(rows=self._rows, bytes=self._out.size, sha256=self._out.digest.hexdigest())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._writer.close()

    def _write(self, *, last: bool = False) -> None:
        """Writes whole groups; what is left over is held for the next."""
        import pyarrow as pa

        table = pa.Table.from_batches(self._held).combine_chunks()
        whole = table.num_rows if last else table.num_rows - table.num_rows % ROW_GROUP
        self._writer.write_table(table.slice(0, whole), row_group_size=ROW_GROUP)
        self._rows += whole
        self._held = table.slice(whole).to_batches()
        self._held_rows = table.num_rows - whole


class _Measured:
    """A file that only goes forward, and knows its size and digest."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        chunk = bytes(data)
        self._file.write(chunk)
        self.digest.update(chunk)
        self.size += len(chunk)
        return len(chunk)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """The file is its owner's to close."""
        self.flush()

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False
