"""Arrow bodies: every layout a client may send says the same, odd ones are refused, broken ones do no harm."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.answer import answer
from serving.arrow import ROOM, checked
from serving.arrow_size import size_of
from serving.model import load

AGES = [70, 20, 70, None]
JOBS = ["student", "student", None, "admin."]
RATES = [0.1, 0.2, -1.5, None]


def stream(batches: list[Any]) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return bytes(sink.getvalue())


def batch(**columns: Any) -> Any:
    given = {"age": pa.array(AGES), "job": pa.array(JOBS), "rate": pa.array(RATES)}
    return pa.record_batch({**given, **columns})


def ask(folder: Path, body: bytes, content_type: str = "application/vnd.apache.arrow.stream") -> Any:
    return answer(load(folder), body, content_type)


def scored(folder: Path, *batches: Any) -> Any:
    said = ask(folder, stream(list(batches)))
    assert (said.status, said.content_type) == (200, "application/vnd.apache.arrow.stream")
    with pa.ipc.open_stream(said.body) as reader:
        return reader.read_all()


def expected(folder: Path) -> dict[str, Any]:
    """The same rows as JSON."""
    rows = [
        dict(zip(("age", "job", "rate"), row, strict=True)) for row in zip(AGES, JOBS, RATES, strict=True)
    ]
    said: dict[str, Any] = json.loads(answer(load(folder), json.dumps({"data": rows}).encode()).body)
    return said


def refusal(said: Any) -> tuple[int, str, str]:
    assert said.content_type == "application/json"
    error = json.loads(said.body)["error"]
    return said.status, error["code"], error["message"]


def test_the_answer_has_the_named_columns_and_says_whose_it_is(folder: Path) -> None:
    table = scored(folder, batch())
    assert table.schema.names == ["probability", "decile", "decision"]
    decision = pa.dictionary(pa.int8(), pa.string())
    assert table.schema.types == [pa.float64(), pa.int8(), decision]
    assert not any(field.nullable for field in table.schema)
    assert table.schema.metadata == {b"model": b"bank", b"version": b"3", b"variant": b"single"}
    said = expected(folder)
    assert {name: said[name] for name in table.schema.names} == table.to_pydict()


@pytest.mark.parametrize("kind", [pa.int8(), pa.int16(), pa.uint32(), pa.int64(), pa.float32(), pa.float64()])
def test_numbers_of_any_width_say_the_same(folder: Path, kind: Any) -> None:
    assert scored(folder, batch(age=pa.array(AGES, kind))).equals(scored(folder, batch()))


@pytest.mark.parametrize(
    "kind",
    [
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.uint16(), pa.large_string()),
        pa.dictionary(pa.int64(), pa.string()),
    ],
)
def test_texts_of_any_layout_say_the_same(folder: Path, kind: Any) -> None:
    assert scored(folder, batch(job=pa.array(JOBS).cast(kind))).equals(scored(folder, batch()))


def test_numbers_may_be_coded_too(folder: Path) -> None:
    assert scored(folder, batch(age=pa.array(AGES).dictionary_encode())).equals(scored(folder, batch()))


def test_a_null_in_the_dictionary_is_a_null_in_the_row(folder: Path) -> None:
    coded = pa.DictionaryArray.from_arrays(pa.array([1, 1, 0, 2]), pa.array([None, "student", "admin."]))
    assert scored(folder, batch(job=coded)).equals(scored(folder, batch()))


def test_columns_without_a_value_have_no_type_and_are_missing(folder: Path) -> None:
    none = scored(folder, batch(age=pa.nulls(4), job=pa.nulls(4), rate=pa.nulls(4)))
    assert len(set(none["probability"].to_pylist())) == 1
    assert (
        none["probability"][0]
        == scored(folder, batch(job=pa.array([None] * 4, pa.string()), age=pa.nulls(4)))["probability"][3]
    )


def test_batches_are_one_answer_and_each_may_bring_its_own_dictionary(folder: Path) -> None:
    one, other = (
        batch(job=pa.array(JOBS).dictionary_encode()),
        batch(job=pa.array(JOBS[::-1]).dictionary_encode()),
    )
    together = scored(folder, one, batch(job=pa.array(JOBS).dictionary_encode()), other)
    assert together.slice(0, 4).equals(scored(folder, batch()))
    assert together.slice(4, 4).combine_chunks().equals(scored(folder, batch()))
    assert together.slice(8, 4).combine_chunks().equals(scored(folder, other))


def test_order_of_columns_and_columns_too_many_change_nothing(folder: Path) -> None:
    turned = batch(duration=pa.array([1] * 4), extra=pa.array([[1]] * 4)).select(
        ["rate", "extra", "job", "duration", "age"]
    )
    assert scored(folder, turned).equals(scored(folder, batch()))


def test_no_rows_get_no_answers(folder: Path) -> None:
    assert scored(folder, batch().slice(0, 0)).num_rows == 0
    sink = pa.BufferOutputStream()
    pa.ipc.new_stream(sink, batch().schema).close()
    assert ask(folder, bytes(sink.getvalue())).status == 200


def test_parameters_and_case_of_the_content_type_do_not_matter(folder: Path) -> None:
    said = ask(folder, stream([batch()]), "Application/vnd.Apache.Arrow.stream; charset=binary")
    assert said.status == 200


def test_what_cannot_be_scored_is_refused_with_what_to_mend(folder: Path) -> None:
    twice = pa.RecordBatch.from_arrays(
        [batch()["age"]] * 2 + batch().columns[1:], ["age", "age", "job", "rate"]
    )
    for body, code, named in (
        (b"", "BadArrow", "IPC stream"),
        (b"{}", "BadArrow", "IPC stream"),
        (stream([batch()])[:-90], "BadArrow", "IPC stream"),
        (stream([batch().select(["age", "job"])]), "MissingColumn", "'rate'"),
        (stream([twice]), "DuplicateColumn", "'age'"),
        (stream([batch(age=pa.array(["70"] * 4))]), "BadValue", "send numbers"),
        (stream([batch(job=pa.array([1] * 4))]), "BadValue", "column 'job' is of type int64; send texts"),
        (stream([batch(job=pa.array([["student"]] * 4))]), "BadValue", "send texts"),
        (stream([batch(job=pa.array([1] * 4).dictionary_encode())]), "BadValue", "send texts"),
        (stream([batch(rate=pa.array([True] * 4))]), "BadValue", "send numbers"),
    ):
        status, found, message = refusal(ask(folder, body))
        assert (status, found) == (400, code)
        assert named in message


def test_codes_that_point_outside_their_dictionary_are_refused(folder: Path) -> None:
    for code in (7, -1):
        lying = pa.DictionaryArray.from_arrays(pa.array([0, code, 0, 0]), pa.array(["student"]), safe=False)
        assert refusal(ask(folder, stream([batch(job=lying)])))[1] == "BadArrow"


def compressed(codec: str, rows: int) -> bytes:
    zeros = pa.record_batch(
        {"age": pa.array([0] * rows, pa.int64()), "job": pa.nulls(rows), "rate": pa.nulls(rows)}
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, zeros.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_batch(zeros)
    return bytes(sink.getvalue())


def shown_by_views(rows: int, length: int) -> Any:
    """Distinct texts that overlap in one buffer; a view is its length, its beginning, and where the rest stands."""
    text = bytes(97 + at % 26 for at in range(rows + length))
    views = b"".join(struct.pack("<i4sii", length, text[at : at + 4], 0, at) for at in range(rows))
    buffers = [None, pa.py_buffer(views), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.string_view(), rows, buffers)


def coded_by_nothing(rows: int) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array([0, 0, 0, 0]), pa.nulls(rows))


MUCH_OF_LITTLE: dict[str, Callable[[], bytes]] = {
    "rows without a byte": lambda: stream([pa.record_batch({n: pa.nulls(10**6) for n in ("age", "job", "rate")})]),
    "many batches": lambda: stream([batch(age=pa.nulls(10**5), job=pa.nulls(10**5), rate=pa.nulls(10**5))] * 20),
    "a dictionary without a byte": lambda: stream([batch(job=coded_by_nothing(10**6))]),
    "zstd": lambda: compressed("zstd", 3_000_000),
    "lz4": lambda: compressed("lz4", 3_000_000),
    "views of the same bytes": lambda: stream(
        [batch(age=pa.nulls(2000), job=shown_by_views(2000, 40_000), rate=pa.nulls(2000))]
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", MUCH_OF_LITTLE)
def test_a_little_that_becomes_much_is_refused_before_it_does(folder: Path, what: str) -> None:
    body, before = MUCH_OF_LITTLE[what](), pa.total_allocated_bytes()
    pool = pa.default_memory_pool()
    peak = pool.max_memory()
    status, code, message = refusal(ask(folder, body))
    assert (status, code) == (400, "TooLarge")
    assert "send fewer at once" in message
    assert pool.max_memory() - max(peak, before) <= ROOM


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_compressed_buffers_that_become_much_are_refused(folder: Path, codec: str) -> None:
    """In a column that no feature has, too, and be its batch of few rows."""
    notes = pa.array([b"0" * (ROOM + 1), None, None, None])
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=codec)
    with pa.ipc.new_stream(sink, batch(notes=notes).schema, options=options) as writer:
        writer.write_batch(batch(notes=notes))
    body = bytes(sink.getvalue())
    assert len(body) < ROOM / 16
    assert refusal(ask(folder, body))[1] == "TooLarge"


def test_a_compressed_request_of_common_size_is_answered(folder: Path) -> None:
    for codec in ("zstd", "lz4"):
        said = ask(folder, compressed(codec, 20_000))
        assert said.status == 200
        with pa.ipc.open_stream(said.body) as reader:
            assert reader.read_all().num_rows == 20_000


def test_a_large_request_may_have_all_the_rows_its_bytes_can(folder: Path) -> None:
    rows = 800_000
    assert rows * 3 * 8 > ROOM
    bytes_each = pa.array([30], pa.int8()).take(pa.array([0] * rows))
    words = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int8()), ["student"])
    size = size_of(stream([pa.record_batch({"age": bytes_each, "job": words, "rate": bytes_each})]))
    assert size.rows == rows + 1, "the words of a dictionary count too"
    said = checked(
        stream([pa.record_batch({"age": bytes_each, "job": words, "rate": bytes_each})]), load(folder).inputs
    )
    assert len(said.matrix) == rows


@pytest.mark.parametrize("wanted", ["9" * 5000, "0" * 5000, "9" * 10])
def test_no_number_of_reasons_is_too_long_to_be_refused(folder: Path, wanted: str) -> None:
    asked = batch().replace_schema_metadata({"explain": wanted})
    assert refusal(ask(folder, stream([asked])))[:2] == (400, "BadExplain")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hits=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4),
    cut=st.integers(0, 400),
)
def test_bytes_that_were_hurt_on_the_way_never_end_the_server(
    folder: Path, hits: list[tuple[int, int]], cut: int
) -> None:
    """Answered or refused: an index that is followed without a look would end the process."""
    body = bytearray(
        stream([batch(job=pa.array(JOBS).dictionary_encode()), batch(job=pa.array(JOBS).dictionary_encode())])
    )
    for place, value in hits:
        body[place % len(body)] = value
    said = ask(folder, bytes(body[: len(body) - cut]))
    assert said.status in {200, 400}
