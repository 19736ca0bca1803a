"""Pure computations, done once for each input: checking tiny files, reading and writing tiny Parquets, reading messages.

Thousands of schedules read the very same files. What is remembered is by content, and holds no state.
"""

from __future__ import annotations

from copy import deepcopy
from functools import lru_cache
from io import BytesIO
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from shared.domain.facts import Fact
from shared.domain.outcomes import score_histogram
from shared.domain.tables import plain_csv
from shared.domain.tables.admission import Admission
from shared.domain.trace import Trace
from shared.ledger.claims import Outcome
from shared.procedures import admission as procedures_admission
from shared.procedures.admission import Checked
from shared.steps import admit_upload, readmit_rows

MOST = 4096
DROPPED_BITS = 20
"""A histogram of a thousand places instead of a million: files have a dozen rows here."""

_write, _read = pq.ParquetWriter, pq.read_table
_written: dict[Any, bytes] = {}


class RememberedWriter:
    """As `pyarrow.parquet.ParquetWriter`, for small tables: the same ones give the bytes that they gave before."""

    def __init__(self, where: Any, schema: Any, **options: Any) -> None:
        self._where, self._schema, self._options = where, schema, options
        self._tables: list[tuple[Any, dict[str, Any]]] = []
        self._open = True

    def write_table(self, table: Any, **options: Any) -> None:
        self._tables.append((table, options))

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        tables = [(repr(table.to_pydict()), repr(options)) for table, options in self._tables]
        key = (self._schema.to_string(), repr(self._options), tuple(tables))
        if key not in _written:
            if len(_written) >= MOST:
                _written.clear()
            out = pa.BufferOutputStream()
            with _write(out, self._schema, **self._options) as writer:
                for table, options in self._tables:
                    writer.write_table(table, **options)
            _written[key] = out.getvalue().to_pybytes()
        self._where.write(_written[key])

    def __enter__(self) -> RememberedWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@lru_cache(MOST)
def _table(data: bytes, columns: tuple[str, ...] | None) -> Any:
    return _read(pa.BufferReader(data), columns=None if columns is None else list(columns), use_threads=False)


def read_table(source: Any, columns: Any = None) -> Any:
    """As `pyarrow.parquet.read_table` of a file in memory."""
    return _table(bytes(source.read()), None if columns is None else tuple(columns))


_cells, _columns = plain_csv._cells, dict[Any, tuple[Any, list[int]]]()


def cells(data: bytes, header: Any, other_width: list[int] | None, most: int) -> Any:
    """As `plain_csv._cells`, with the places of the lines that it leaves out."""
    key = (data, header, None if other_width is None else tuple(other_width), most)
    if key not in _columns:
        if len(_columns) >= MOST:
            _columns.clear()
        left_out = None if other_width is None else list(other_width)
        found = _cells(data, header, left_out, most)
        _columns[key] = (found, left_out or [])
    found, left_out = _columns[key]
    if other_width is not None:
        other_width[:] = left_out
    return found


_check, _checked = procedures_admission.check, dict[Any, tuple[Checked, bytes, bytes]]()


def check(admission: Admission, part_file: IO[bytes], rejects_file: IO[bytes]) -> Checked:
    """As `procedures.admission.check`; the file's bytes are read all the same, each chunk of them a call of a port."""
    rest = b"".join(admission._rest)
    read_as = (admission._waived, admission.purpose, repr(admission.header), repr(admission._mended))
    key = (repr(admission.contract), *read_as, admission._digest.digest(), rest)
    if key not in _checked:
        if len(_checked) >= MOST:
            _checked.clear()
        admission._rest = iter((rest,))
        part, rejects = BytesIO(), BytesIO()
        _checked[key] = (_check(admission, part, rejects), part.getvalue(), rejects.getvalue())
    found, part_bytes, rejected_bytes = _checked[key]
    part_file.write(part_bytes)
    rejects_file.write(rejected_bytes)
    tally = deepcopy(found.tally)
    return Checked(found.contract, found.header, tally, found.part, part_file, rejects_file, found.listed)


def check_anew() -> None:
    """Files are checked once more: what is logged of them shows in the run that reads log lines."""
    _checked.clear()


def _by_text(read: Any) -> Any:
    """A class method that makes something that never changes of a text."""
    remembered: Any = lru_cache(MOST)(read.__func__)
    return classmethod(remembered)


REPLACED: tuple[tuple[Any, str, Any], ...] = (
    (pq, "ParquetWriter", RememberedWriter),
    (pq, "read_table", read_table),
    (plain_csv, "_cells", cells),
    (admit_upload, "check", check),
    (readmit_rows, "check", check),
    (Outcome, "unpack", _by_text(vars(Outcome)["unpack"])),
    (Fact, "from_json", _by_text(vars(Fact)["from_json"])),
    (Fact, "from_message", _by_text(vars(Fact)["from_message"])),
    (Trace, "read", _by_text(vars(Trace)["read"])),
    (score_histogram, "DROPPED_BITS", DROPPED_BITS),
    (score_histogram, "PLACES", (0x3F80_0000 >> DROPPED_BITS) + 1),
)
