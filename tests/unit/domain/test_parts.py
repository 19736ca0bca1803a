"""Parts: typed, complete, and the same bytes for the same rows."""

from __future__ import annotations

import hashlib
import io

import pytest

from shared.domain.datasets.part_writer import Part, PartWriter
from shared.domain.tables.admission import check_rows
from tests.unit.domain.clients import ADDITIONAL, BANK, CONTRACTS, NAMES, admitted, in_pieces, rows, written

pq = pytest.importorskip("pyarrow.parquet")


def part(data: bytes, pieces: int = 1 << 20) -> tuple[Part, bytes]:
    file = io.BytesIO()
    admission = check_rows(in_pieces(data, pieces), CONTRACTS)
    assert admission.contract is not None
    with PartWriter(admission.contract, file) as writer:
        for batch in admission.batches():
            writer.add(batch.columns)
    return writer.part, file.getvalue()


def test_what_was_admitted_is_what_is_read_back() -> None:
    table = rows(500)
    _, batches = admitted(written(table))
    written_part, data = part(written(table))
    read = pq.read_table(io.BytesIO(data)).to_pydict()
    assert list(read) == NAMES
    assert read == {name: [value for b in batches for value in b.columns[name].to_pylist()] for name in NAMES}
    assert written_part == Part(rows=500, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def test_types_are_the_contracts() -> None:
    names = [column.name for column in ADDITIONAL.columns_for("training")]
    _, data = part(written(rows(5, contract=ADDITIONAL), names=names))
    types = {"integer": "int64", "number": "double", "category": "string"}
    schema = pq.read_schema(io.BytesIO(data))
    assert {field.name: str(field.type) for field in schema} == {
        column.name: types[column.type] for column in ADDITIONAL.columns_for("training")
    }


def test_batches_leave_no_trace_in_the_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.domain.datasets.part_writer.ROW_GROUP", 300)
    data = written(rows(1000))
    _, whole = part(data)
    monkeypatch.setattr("shared.domain.tables.csv_reader.BLOCK", 999)
    _, cut = part(data, pieces=1000)
    assert cut == whole
    meta = pq.ParquetFile(io.BytesIO(cut)).metadata
    assert [meta.row_group(at).num_rows for at in range(meta.num_row_groups)] == [300, 300, 300, 100]


def test_no_rows_are_a_part_too() -> None:
    file = io.BytesIO()
    with PartWriter(BANK, file) as writer:
        pass
    assert writer.part.rows == 0
    assert pq.read_table(io.BytesIO(file.getvalue())).num_rows == 0


def test_the_file_stays_its_owners() -> None:
    file = io.BytesIO()

    def interrupted() -> None:
        with PartWriter(BANK, file):
            raise LookupError

    with pytest.raises(LookupError):
        interrupted()
    assert not file.closed
