"""The embedded Azure alone: how soon each part is ready, and what one call on the workspace costs.

A part is stopped and started again while the others run, so that its time is its own; it ends with its line `ready`.
The call reads a registered data asset, over TLS and one persistent connection. Beside it: a server that says the same bytes
over TLS and does nothing else, which is as fast as such a server in Python can be; and the same call by azure-ai-ml,
which is what a user's script waits for.
"""

from __future__ import annotations

import argparse
import os
import ssl
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from bench.goals import goals_table, machine_line
from bench.own_stack import own_stack
from commands.setup.machine import load, machine
from commands.stack import parts, supervisor
from commands.stack.settings import script_environment
from commands.stack.state import Stack

READY_GOAL, CALL_GOAL = 3.0, 10.0
ASSET = "bench-rows"


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--starts", type=int, default=5, help="times each part is started (default: 5)")
    made.add_argument("--calls", type=int, default=500, help="how many of each kind (default: 500)")


def run(given: argparse.Namespace) -> dict[str, Any]:
    """Start a stack of its own, measure, and leave nothing behind."""
    load_before = load()
    with own_stack({}) as stack:
        ready = {part.name: _starts(stack, part.name, given.starts) for part in parts.of(stack)}
        calls = _calls(stack, given.calls)
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "loadBefore": load_before, "loadAfter": load()},
        "how": {"starts": given.starts, "calls": given.calls},
        "readySeconds": ready,
        "calls": calls,
        "goals": [
            *(
                _goal(f"{part} alone: ready within {READY_GOAL:.0f} s", times["median"], READY_GOAL)
                for part, times in ready.items()
            ),
            _goal(f"a call on the workspace: median under {CALL_GOAL:.0f} ms", calls["workspace"]["medianMs"], CALL_GOAL),
        ],
    }  # fmt: skip


def _goal(goal: str, measured: float, limit: float) -> dict[str, Any]:
    return {"goal": goal, "measured": measured, "met": measured < limit}


def _starts(stack: Stack, part: str, times: int) -> dict[str, float]:
    """Seconds from the process's start to its line `ready`."""
    taken: list[float] = []

    def announce(name: str, seconds: float, started: bool) -> None:
        if started:
            taken.append(seconds)

    for _ in range(times):
        supervisor.stop_parts(stack, [part])
        supervisor.up(stack, announce)
    print(f"  {part} started {times} times", file=sys.stderr, flush=True)
    return {"median": round(statistics.median(taken), 2), "most": round(max(taken), 2)}


def _calls(stack: Stack, times: int) -> dict[str, dict[str, float]]:
    os.environ.update(script_environment(stack))
    client, address, token = _registered(stack)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"

        def call(url: str) -> bytes:
            answer = session.get(url)
            answer.raise_for_status()
            return answer.content

        body = call(address)
        with _bare_server(stack, body) as bare:
            return {
                "bare server": _measured(lambda: call(bare), times),
                "workspace": _measured(lambda: call(address), times),
                "azure-ai-ml": _measured(lambda: client.data.get(ASSET, version="1"), times),
            }


def _registered(stack: Stack) -> tuple[Any, str, str]:
    """A client, the address of a data asset it has just registered, and a token to request it."""
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import Data
    from azure.identity import DefaultAzureCredential

    credential = DefaultAzureCredential()
    client = MLClient(credential, stack.subscription, stack.resource_group, stack.workspace)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        file.write_text("age\n42\n", encoding="utf-8")
        client.data.create_or_update(Data(name=ASSET, version="1", path=str(file), type="uri_file"))
    address = f"{stack.workspace_url}{stack.workspace_id}/data/{ASSET}/versions/1?api-version=2023-04-01"
    return client, address, credential.get_token("https://management.azure.com/.default").token


@contextmanager
def _bare_server(stack: Stack, body: bytes) -> Iterator[str]:
    class Says(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *values: object) -> None:
            """Silent."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(next(stack.state.rglob("server.pem")))
    with ThreadingHTTPServer(("127.0.0.1", 0), Says) as server:
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def _measured(call: Callable[[], object], times: int) -> dict[str, float]:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1000)
    p95 = statistics.quantiles(taken, n=20)[-1]
    return {"medianMs": round(statistics.median(taken), 2), "p95Ms": round(p95, 2)}


def show(results: dict[str, Any]) -> None:
    """One screen for people."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for title, unit, rows in (
        ("Ready, started alone", "s", results["readySeconds"]),
        ("One call", "ms", results["calls"]),
    ):
        made = Table(title=title, title_justify="left")
        for column in ("", *(f"{name.split('_')[0]} {unit}" for name in next(iter(rows.values())))):
            made.add_column(column, justify="right" if column else "left")
        for name, figures in rows.items():
            made.add_row(name, *(str(figure) for figure in figures.values()))
        console.print(made)
    console.print(goals_table(results))
    console.print(machine_line(results))
