"""Single records out of a shard's part of the scored CSV, byte by byte as they stand there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from shared.domain.tables.csv_reader import read_blocks
from shared.domain.tables.dialect import Header


class Unfindable(ValueError):
    """The records are not as many as the shard's manifest says."""


def records(data: bytes, header: Header, wanted: npt.NDArray[np.int64], *, rows: int) -> list[bytes]:
    """The records at these places, the first being 0, without their line ends.

    data: the shard's part, without the header line; header: of the scored CSV; rows: how many it holds
    raises: Unfindable
    """
    newline = header.newline.encode()
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == newline[0])
    if len(ends) != rows:
        return _with_line_ends_inside(data, header, wanted, rows=rows)
    starts = np.concatenate(([0], ends[:-1] + 1)) if rows else ends
    spans = zip(starts[wanted].tolist(), (ends[wanted] - header.crlf).tolist(), strict=True)
    return [data[start:end] for start, end in spans]


def _with_line_ends_inside(
    data: bytes, header: Header, wanted: npt.NDArray[np.int64], *, rows: int
) -> list[bytes]:
    texts: list[str] = []
    for block in read_blocks([data], header, first_line=1, start=0):
        texts += block.texts
    if len(texts) != rows:
        raise Unfindable(f"{len(texts)} records are there, and the manifest says {rows}")
    return [texts[at].rstrip("\r").encode() for at in wanted.tolist()]


def scored_header(header: Header, added: Sequence[str]) -> Header:
    """The header of the scored CSV. header: of the file of clients; added: the columns after its own"""
    return replace(
        header, names=(*header.names, *added), known_as=(*header.columns, *added) if header.known_as else ()
    )
