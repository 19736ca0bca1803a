"""The do-not-call list: a CSV that names, in its first column, the clients that nobody may call."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.domain import names
from shared.domain.tables.csv_reader import read_blocks
from shared.domain.tables.dialect import FileProblem, read_header
from shared.services import Services

PLACE = f"{names.SUPPRESSION}/{names.DO_NOT_CALL}"


class UnreadableList(ValueError):
    """The list cannot be used; the message says why, and what to do. Nobody is called by a list half read."""


@dataclass(frozen=True, kw_only=True)
class DoNotCall:
    """One version of the list."""

    etag: str
    sha256: str
    column: str
    """What its first column is called: the column of a file of clients that is compared with it."""
    clients: Any
    """Arrow array of texts, without blanks around them."""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": PLACE,
            "etag": self.etag,
            "sha256": self.sha256,
            "column": self.column,
            "clients": len(self.clients),
        }


def read_do_not_call(services: Services) -> DoNotCall | None:
    """The list as it is now; None when there is none. raises: UnreadableList"""
    import pyarrow as pa

    blob = services.files.stat(names.SUPPRESSION, names.DO_NOT_CALL)
    if blob is None:
        return None
    digest = hashlib.sha256()

    def chunks() -> Iterator[bytes]:
        for chunk in services.files.read(blob):
            digest.update(chunk)
            yield chunk

    header, rest = read_header(chunks())
    if isinstance(header, FileProblem):
        raise UnreadableList(f"the do-not-call list {PLACE} cannot be read: {header.message}")
    parts = []
    for block in read_blocks(rest, header):
        if block.broken:
            bad = block.broken[0]
            raise UnreadableList(
                f"the do-not-call list {PLACE} cannot be read: line {bad.line} is {bad.rule} ({bad.remedy})"
            )
        parts.append(pa.array([row[0].strip() for row in block.rows], pa.string()))
    clients = pa.concat_arrays(parts) if parts else pa.array([], pa.string())
    return DoNotCall(etag=blob.etag, sha256=digest.hexdigest(), column=header.names[0], clients=clients)
