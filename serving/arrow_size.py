"""What an Arrow stream would become, told from its messages' headers: before a row is read, or a buffer inflated.

A column of type null has as many rows as it says and no bytes, and a compressed buffer says how long it will be: a
thousand bytes may stand for a billion rows, or for gigabytes.

source: Apache Arrow, format/Message.fbs (RecordBatch, DictionaryBatch, BodyCompression); FlatBuffers, "Internals"
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

_HEADER = 2
"""The places of fields in their tables, in the order of Message.fbs; here of a message."""
_LENGTH, _BUFFERS, _COMPRESSION = 0, 2, 3
"""Of a record batch."""
_DATA = 1
"""Of a dictionary batch: the record batch that has its values."""


class Size(NamedTuple):
    """Of all batches and all dictionaries."""

    rows: int
    inflated: int
    """Bytes that compressed buffers become."""


def size_of(body: bytes) -> Size:
    """raises: pa.ArrowException, OSError, ValueError when this is no stream"""
    rows = inflated = 0
    for message in pa.ipc.MessageReader.open_stream(body):
        if message.type in ("record batch", "dictionary"):
            try:
                batch = _batch(message)
                length = batch.number(_LENGTH)
                inflated += sum(_lengths(batch, message.body)) if batch.place(_COMPRESSION) else 0
            except struct.error as cause:
                raise ValueError("a message's header points outside of it") from cause
            if length < 0:
                raise ValueError("a batch has fewer rows than none")
            rows += length
    return Size(rows, inflated)


def viewed(table: Any) -> int:
    """Bytes of the texts that views show: many may show the same ones, so that they are more than the buffers hold."""
    total = 0
    for column in table.columns:
        for chunk in column.chunks:
            texts = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
            if pa.types.is_string_view(texts.type) and len(texts):
                # A view has 16 bytes, of which the first four are its length. Below zero it is refused as too large.
                total += int(np.frombuffer(texts.buffers()[1], np.uint32)[::4].sum(dtype=np.uint64))
    return total


class _Table(NamedTuple):
    """A FlatBuffers table. Arrow has verified it when it read the message; a place is looked at before it is read."""

    data: bytes
    at: int

    def place(self, field: int) -> int:
        """Where the field stands; 0 when it is left out."""
        (back,) = struct.unpack_from("<i", self.data, self.at)
        start = self.at - back
        (size,) = struct.unpack_from("<H", self.data, start)
        slot = 4 + 2 * field
        (offset,) = struct.unpack_from("<H", self.data, start + slot) if slot < size else (0,)
        return self.at + offset if offset else 0

    def number(self, field: int) -> int:
        place = self.place(field)
        return int(struct.unpack_from("<q", self.data, place)[0]) if place else 0

    def follow(self, field: int) -> int:
        """Where what the field points at begins."""
        place = self.place(field)
        if not place:
            raise struct.error
        return place + int(struct.unpack_from("<I", self.data, place)[0])


def _batch(message: Any) -> _Table:
    data = message.metadata.to_pybytes()
    (root,) = struct.unpack_from("<I", data)
    batch = _Table(data, _Table(data, root).follow(_HEADER))
    return _Table(data, batch.follow(_DATA)) if message.type == "dictionary" else batch


def _lengths(batch: _Table, body: Any) -> list[int]:
    """Of the compressed buffers, as each says at its beginning; -1 there: it is not compressed."""
    start = batch.follow(_BUFFERS)
    (count,) = struct.unpack_from("<I", batch.data, start)
    found = []
    for number in range(count):
        offset, length = struct.unpack_from("<qq", batch.data, start + 4 + 16 * number)
        if length:
            (said,) = struct.unpack_from("<q", body, offset)
            found.append(max(0, said))
    return found
