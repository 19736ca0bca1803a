"""S7: little that becomes much. What is read is bounded before it is held: in bytes, in columns, in depth, in time."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from flow.world import HEADER, World, bank_rows

from functions.http.auth.scopes import Scope
from shared.domain.facts import UploadRejected
from shared.domain.tables.admission import check_rows
from shared.flow import handle
from tests.http.asking import app_over, client_of
from tests.unit.domain.clients import BANK

MEGABYTE = 1 << 20
LARGE = 24 * MEGABYTE


def _zip() -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr("../../may.csv", bytes(20 * MEGABYTE))
    return out.getvalue()


PACKED: dict[str, Callable[[], bytes]] = {
    "gzip": lambda: gzip.compress(bytes(20 * MEGABYTE)),
    "zip": _zip,
    "zlib": lambda: zlib.compress(bytes(20 * MEGABYTE)),
}


@pytest.mark.parametrize("how", PACKED)
def test_a_packed_file_is_refused_and_never_unpacked(how: str) -> None:
    world = World()
    data = PACKED[how]()
    tracemalloc.start()
    (fact, *_) = handle(world.drop("may.csv", data), world.services)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(fact, UploadRejected)
    assert peak < 8 * MEGABYTE


STREAMS: dict[str, tuple[bytes, bytes]] = {
    "one line without an end": (b"", b"x" * MEGABYTE),
    "a header without an end": (b"age;", b"x;" * (MEGABYTE // 2)),
    "a row without an end": (f"{HEADER}\n".encode(), b"1;" * (MEGABYTE // 2)),
    "a quote that is never closed": (f'{HEADER}\n"'.encode(), b"x\n" * (MEGABYTE // 2)),
    "empty lines": (f"{HEADER}\n".encode(), b"\n" * (MEGABYTE // 4)),
    "rows that do not fit": (f"{HEADER}\n".encode(), b"?;\n" * (MEGABYTE // 3)),
}


@pytest.mark.parametrize("what", STREAMS)
def test_what_does_not_end_is_held_in_little_memory_and_given_up_soon(what: str) -> None:
    first, more = STREAMS[what]
    given = 0

    def chunks() -> Iterator[bytes]:
        nonlocal given
        yield first
        while given < LARGE:
            assert time.perf_counter() - began < 10, "it is read on"
            given += len(more)
            yield more

    began = time.perf_counter()
    tracemalloc.start()
    admission = check_rows(chunks(), [BANK])
    accepted = sum(batch.rows for batch in admission.batches()) if not admission.problem else 0
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert accepted == 0
    assert peak < 48 * MEGABYTE


def test_many_columns_are_no_header_of_ours() -> None:
    world = World()
    (fact, *_) = handle(
        world.drop("may.csv", ";".join(f"c{n}" for n in range(100_000)) + "\n"), world.services
    )
    assert isinstance(fact, UploadRejected)
    assert len(fact.reason) <= 1000


DEEP: dict[str, Any] = {
    "a deep array": b"[" * 30_000,
    "a deep object": b'{"a":' * 10_000,
    "a deep reason": b'{"reason":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "a long number": b'{"reason":' + b"9" * 60_000 + b"}",
    "many keys": b"{" + b",".join(b'"k%d":1' % n for n in range(6000)) + b"}",
    "not UTF-8": b'{"reason":"\xff\xfe"}',
    "a lone surrogate": b'{"reason":"\\ud800"}',
    "NaN": b'{"reason":NaN}',
}


@pytest.mark.parametrize("what", DEEP)
@pytest.mark.parametrize(
    "path", ["/api/pause", "/api/session", "/api/endpoints/bank/score", "/api/quarantine/a.csv/discard"]
)
def test_json_that_is_too_much_is_the_callers_mistake(path: str, what: str) -> None:
    operator = client_of(app_over(World()), scope=Scope.OPERATOR)
    began = time.perf_counter()
    answer = operator.post(path, content=DEEP[what], headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500 or (what, answer.status_code) == ("many keys", 202), answer.content
    assert len(answer.content) < 5000
    assert time.perf_counter() - began < 3


@pytest.mark.parametrize("rows", [0, -1, 10**6, 10**30, "\u0663"])
def test_a_page_is_as_large_as_allowed_and_no_larger(rows: object) -> None:
    reader = client_of(app_over(World()))
    answer = reader.get("/api/uploads", params={"api-version": "2026-11-24", "maxpagesize": rows})
    assert answer.status_code == 400


def test_a_file_larger_than_allowed_is_refused_before_it_is_read() -> None:
    world = World()
    operator = client_of(app_over(world, upload_most_mb=1), scope=Scope.OPERATOR)
    answer = operator.post("/api/uploads/a.csv", content=bank_rows(1).encode() + b"x" * (MEGABYTE + 1),
                           headers={"content-type": "text/csv", "content-length": "10"})  # fmt: skip
    assert answer.status_code in (400, 413)
    assert list(world.files.list("incoming")) == []
