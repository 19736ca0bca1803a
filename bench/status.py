"""What the HTTP API costs with a thousand ledger entries and with a million: calls, rows read, and milliseconds.

The ledger lies in an Azurite of its own. The app answers in this process, through the adapter that the Functions
worker uses; what is measured is the time of an answer without the network in front of it.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import azure.functions as func
from azure.data.tables import TableClient, TableServiceClient
from azure.functions.http import HttpRequest
from pydantic import SecretStr

from bench.goals import goals_table, machine_line
from bench.ledger_past import write_past
from commands.client.status_api import VERSION
from commands.setup.machine import load, machine
from commands.stack import ports
from functions.http.app import assemble
from functions.http.auth.credentials import from_settings
from localazure.storage.account import Ports
from localazure.storage.supervisor import Azurite
from shared.adapters import memory
from shared.adapters.contracts import load_contracts
from shared.adapters.tables import AzureTable
from shared.adapters.transport import settled
from shared.domain import facts
from shared.domain.kinds.kind import Change
from shared.domain.policy import Policy
from shared.kinds import changes
from shared.ledger import Ledger
from shared.package_data import CONTRACTS
from shared.ports import Table
from shared.services import Services
from shared.settings import Settings
from shared.wiring import model_api, storage_clock

FEW = 1000
KEY = "a reader of this bench alone"
ASKED = {"api-version": VERSION}
REQUESTS: dict[str, tuple[str, dict[str, str]]] = {
    "summary": ("/api/status", {}),
    "page of 50": ("/api/uploads", {"maxpagesize": "50"}),
    "trace": ("/api/lineage/may.csv", {}),
    "304": ("/api/status", {}),
}
ANSWER_GOAL, UNCHANGED_GOAL = 50.0, 10.0


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--entries", type=int, default=1_000_000, help="rows of the ledger (default: 1,000,000)"
    )
    made.add_argument(
        "--requests", type=int, default=300, help="times each thing is requested (default: 300)"
    )


def run(given: argparse.Namespace) -> dict[str, Any]:
    """Fills two ledgers, a short one and a long one, and requests the same of both."""
    load_before = load()
    with _own_tables() as service:
        measured = {
            name: _measure(service, name, n, given.requests)
            for name, n in (("few", FEW), ("many", given.entries))
        }
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "loadBefore": load_before, "loadAfter": load()},
        "how": {
            "requests": given.requests,
            "entries": given.entries,
            "storage": "Azurite, in memory",
            "p95": "nearest rank",
        },
        **measured,
        "goals": _goals(measured),
    }


@contextmanager
def _own_tables() -> Iterator[TableServiceClient]:
    chosen = ports.choose()
    with tempfile.TemporaryDirectory(prefix="campanha-bench-", ignore_cleanup_errors=True) as folder:
        at = Ports(**{name: chosen[name] for name in ("blob", "queue", "table")})
        with Azurite(state=Path(folder), ports=at, in_memory=True) as azurite:
            yield settled(partial(TableServiceClient.from_connection_string, azurite.connection_string))


def _measure(service: TableServiceClient, name: str, entries: int, times: int) -> dict[str, Any]:
    tables = service.create_table(f"ledger{name}"), service.create_table(f"ledger{name}now")
    began = time.monotonic()
    written = write_past(*tables, entries)
    _say(f"{written:,} entries written in {time.monotonic() - began:.0f} s")
    taken = round(time.monotonic() - began)
    past, present = (AzureTable(table) for table in tables)
    _live_through_a_day(Ledger(past, present=present, now=storage_clock().now, lease_seconds=60))
    answers = {what: _measured(what, tables, times) for what in REQUESTS}
    return {"entries": written, "writtenSeconds": taken, "answers": answers}


def _live_through_a_day(ledger: Ledger) -> None:
    """A file that became a version, a run, a released model and a scored batch: what is traced."""
    arrived = facts.UploadArrived(name="may.csv", etag="0x1")
    run = "bank-v1-a1"
    happened: list[facts.Fact] = [
        arrived,
        facts.UploadAdmitted(
            upload=arrived.key, name="may.csv", dataset="bank", rows=30, rejected=0, content_hash="c" * 64,
            source_sha256="d" * 64, part_sha256="e" * 64,
        ),
        facts.DatasetRegistered(dataset="bank", version=1, rows=30, uploads=1),
        facts.RunStarted(run=run, dataset="bank", version=1),
        facts.ModelAccepted(run=run, dataset="bank", version=1, reason="first model"),
    ]  # fmt: skip
    for fact in happened:
        _put_on_record(ledger, changes(fact))
    registered = {"dataset_version": "bank:1"}
    scoring = {"name": "to-call.csv", "dataset": "bank", "model_version": 1, "deployment": "model-1"}
    deployment = {"endpoint": "campanha-bank", "deployment": "model-1"}
    deployed = {**deployment, "dataset": "bank", "version": 1, "traffic_percent": 100}
    _put_on_record(
        ledger,
        [
            Change(kind="upload", id=arrived.key, state="registered", values=registered),
            Change(kind="model", id="bank:1", state="released", values=deployment),
            Change(kind="deployment", id="campanha-bank/model-1", state="serving", values=deployed),
            *(Change(kind="batch", id=f"to-call-{n}", state="scoring", values=scoring) for n in range(12)),
            *(Change(kind="scored-by", id="bank:1", values={"batch": f"to-call-{n}"}) for n in range(12)),
        ],
    )  # fmt: skip


def _put_on_record(ledger: Ledger, changed: Iterable[Change]) -> None:
    """As the flow does at the end of a fact."""
    ledger.outbox.append(ledger.records.apply(changed, cause="a day"))
    ledger.token.flush()


class Count:
    """Calls made to tables, and rows they gave."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls, self.rows_read = 0, 0

    def add(self, rows: int) -> None:
        with self._lock:
            self.calls += 1
            self.rows_read += rows


class Counted:
    """A table whose reads are counted."""

    def __init__(self, table: Table, count: Count) -> None:
        self._table, self._count = table, count

    def get(self, partition: str, row: str) -> Any:
        self._count.add(1)
        return self._table.get(partition, row)

    def rows(self, partition: str, **more: Any) -> Any:
        found = list(self._table.rows(partition, **more))
        self._count.add(len(found))
        return iter(found)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)


Tables = tuple[TableClient, TableClient]


def _measured(what: str, tables: Tables, times: int) -> dict[str, Any]:
    """One thing requested over and over: calls and rows of a first, uncached request, and p50 and p95 of the others."""
    path, query = REQUESTS[what]
    count = Count()
    taken = []
    with _client(tables, count, path, query) as get:
        tag = get("")[1] if what == "304" else ""
        if tag:
            count.calls = count.rows_read = 0
        get(tag)
        costs = {"calls": count.calls, "rowsRead": count.rows_read}
        for number in range(times):
            began = time.perf_counter()
            status, _ = get(tag)
            taken.append((time.perf_counter() - began) * 1000)
            assert status == (304 if tag else 200), status
            if sys.stderr.isatty():
                end = "\n" if number + 1 == times else ""
                print(f"\r  {what}: {number + 1}/{times}  ", end=end, file=sys.stderr)
    return {**costs, "medianMs": round(statistics.median(taken), 1), "p95Ms": round(_p95(taken), 1)}


@contextmanager
def _client(
    tables: Tables, count: Count, path: str, query: dict[str, str]
) -> Iterator[Callable[[str], tuple[int, str]]]:
    """A client of an app that has just started, over these tables; each request returns the status and the ETag."""
    settings = Settings(
        campanha_storage=SecretStr("-"),
        azure_subscription_id="s",
        azure_resource_group="g",
        azureml_workspace="w",
        reader_key=SecretStr(KEY),
        rate_limit_per_minute=10**6,
    )
    past, present = (Counted(AzureTable(table), count) for table in tables)
    services = _services(Ledger(past, present=present, now=storage_clock().now, lease_seconds=60))
    adapter = func.AsgiMiddleware(assemble(settings, from_settings(settings), lambda: services, model_api))
    url = f"http://bench{path}?{urlencode({**ASKED, **query})}"

    def get(tag: str) -> tuple[int, str]:
        headers = {"x-functions-key": KEY, "host": "bench", **({"if-none-match": tag} if tag else {})}
        request = HttpRequest(
            "GET", url, headers=headers, params={}, route_params={}, body_type="bytes", body=b""
        )
        answer = loop.run_until_complete(adapter.handle_async(request))
        return answer.status_code, answer.headers.get("etag", "")

    with closing(asyncio.new_event_loop()) as loop:
        yield get


def _services(ledger: Ledger) -> Services:
    workspace = memory.MemoryWorkspace()
    return Services(
        ledger=ledger,
        files=memory.MemoryFiles(),
        workspace=workspace,
        pipeline=memory.MemoryPipeline(workspace),
        scoring_pipeline=memory.MemoryPipeline(workspace),
        experiment_pipeline=memory.MemoryPipeline(workspace),
        endpoint=memory.MemoryEndpoint(),
        bus=memory.MemoryBus(),
        contracts=load_contracts(CONTRACTS),
        recipes=(),
        policy=Policy(),
        now=storage_clock().now,
        event_source="/campanha/bench",
    )


def _p95(values: list[float]) -> float:
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def _goals(measured: dict[str, Any]) -> list[dict[str, Any]]:
    few, many = measured["few"]["answers"], measured["many"]["answers"]
    same = all(few[what][cost] == many[what][cost] for what in REQUESTS for cost in ("calls", "rowsRead"))
    goals = [{"goal": f"calls and rows as with {FEW:,} entries", "measured": None, "met": same}]
    for what in REQUESTS:
        goal = UNCHANGED_GOAL if what == "304" else ANSWER_GOAL
        p95 = many[what]["p95Ms"]
        goals.append({"goal": f"{what}: p95 < {goal:.0f} ms", "measured": p95, "met": p95 < goal})
    return goals


def _say(sentence: str) -> None:
    print(f"  {sentence}", file=sys.stderr, flush=True)


def show(results: dict[str, Any]) -> None:
    """One screen for people."""
    from rich.console import Console
    from rich.table import Table as Shown

    entries = results["many"]["entries"]
    made = Shown(title=f"An answer, with {FEW:,} ledger entries and with {entries:,}", title_justify="left")
    for column in ("", "calls", "rows read", "median ms", "p95 ms"):
        made.add_column(column, justify="right" if column else "left")
    for what in REQUESTS:
        for name in ("few", "many"):
            answer = results[name]["answers"][what]
            label = what if name == "few" else ""
            made.add_row(label, *(str(answer[k]) for k in ("calls", "rowsRead", "medianMs", "p95Ms")))
    console = Console()
    console.print(made)
    console.print(goals_table(results))
    console.print(machine_line(results))
