"""A model's endpoint on loopback that misbehaves on request: the other side of real HTTP, without a model."""

from __future__ import annotations

import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import isnan
from typing import Any

import pyarrow as pa

LABELS = pa.array(["skip", "call"])


def scores(rows: Any, version: str = "7") -> list[float]:
    """A probability that depends on every value of the row and on the model, and on nothing else."""
    return [zlib.crc32(repr([version, *row.values()]).encode()) / 2**32 for row in rows.to_pylist()]


def answer_of(rows: Any, *, version: str = "7", change: Callable[[list[float]], list[float]] = list) -> bytes:
    """What a sound server sends, or, with `change`, one that is not."""
    probability = change(scores(rows, version))
    tenths = [min(int(p * 10), 9) + 1 if not isnan(p) else 1 for p in probability]
    calls = pa.array([int(p > 0.5) for p in probability], pa.int8())
    columns = [
        pa.array(probability, pa.float64()),
        pa.array(tenths, pa.int8()),
        pa.DictionaryArray.from_arrays(calls, LABELS),
    ]
    batch = pa.record_batch(columns, names=["probability", "decile", "decision"])
    batch = batch.replace_schema_metadata({"model": "bank", "version": version})
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, batch.schema) as stream:
        stream.write_batch(batch)
    return bytes(out.getvalue())


Fault = Callable[["Call"], None]


@dataclass
class Call:
    """One request, and the means to answer it."""

    handler: BaseHTTPRequestHandler
    rows: Any

    @property
    def version(self) -> str:
        return str(self.handler.headers["azureml-model-deployment"]).removeprefix("model-")

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.send_header("Content-Length", str(len(body)))
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def well(self) -> None:
        self.send(200, answer_of(self.rows, version=self.version))


def status(code: int, **headers: str) -> Fault:
    body = json.dumps({"error": {"code": "Odd", "message": "said the server"}}).encode()
    return lambda call: call.send(code, body, **headers)


def short(call: Call) -> None:
    call.send(200, answer_of(call.rows, version=call.version, change=lambda p: p[:-1]))


def nan(call: Call) -> None:
    call.send(200, answer_of(call.rows, version=call.version, change=lambda p: [float("nan"), *p[1:]]))


def no_arrow(call: Call) -> None:
    call.send(200, b"<html>welcome</html>")


def hang_up(call: Call) -> None:
    call.handler.close_connection = True
    call.handler.connection.close()


def cut_off(call: Call) -> None:
    body = answer_of(call.rows, version=call.version)
    call.handler.send_response(200)
    call.handler.send_header("Content-Length", str(len(body)))
    call.handler.end_headers()
    call.handler.wfile.write(body[: len(body) // 2])
    call.handler.close_connection = True


def cut_and_whole_by_its_length(call: Call) -> None:
    """As a proxy passes on what it got before its own upstream broke."""
    body = answer_of(call.rows, version=call.version)
    call.send(200, body[: len(body) - 200])


def endless(call: Call) -> None:
    call.send(200, bytes(1000))


def drip(call: Call) -> None:
    """A byte now and then: each comes in time, the answer does not."""
    body = answer_of(call.rows, version=call.version)
    call.handler.send_response(200)
    call.handler.send_header("Content-Length", str(len(body)))
    call.handler.end_headers()
    for at in range(len(body)):
        try:
            call.handler.wfile.write(body[at : at + 1])
            call.handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.02)


@dataclass
class ModelServer:
    """What the server is asked to do wrong, and what it saw."""

    url: str = ""
    keys: list[str] = field(default_factory=lambda: ["key"])
    faults: list[Fault] = field(default_factory=list)
    """Done one after the other, each to one request; then all is well."""
    always: Callable[[Any], Fault | None] = lambda _: None
    """By the rows asked about: what goes wrong with them every time."""
    calls: list[int] = field(default_factory=list)
    """Rows of each request."""
    headers: list[dict[str, str]] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)
    """Paths that nobody but a client that follows redirects asks for."""
    under_way: int = 0
    most_under_way: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def address(self, _: str) -> tuple[str, str]:
        return self.url, self.keys[-1]

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with pa.ipc.open_stream(body) as stream:
            rows = stream.read_all()
        call = Call(handler, rows)
        with self.lock:
            self.calls.append(rows.num_rows)
            self.headers.append(dict(handler.headers))
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            fault = self.faults.pop(0) if self.faults else self.always(rows)
        if handler.headers["Authorization"] != f"Bearer {self.keys[-1]}":
            fault = status(401)
        try:
            (fault or Call.well)(call)
        except OSError:
            handler.close_connection = True  # the client has given this answer up
        finally:
            with self.lock:
                self.under_way -= 1


@contextmanager
def model_server() -> Iterator[ModelServer]:
    served = ModelServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            served.take(self)

        def do_GET(self) -> None:
            served.followed.append(self.path)
            Call(self, None).send(200, b"{}")

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_port}/score"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
