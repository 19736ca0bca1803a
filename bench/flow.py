"""Hundreds of tiny files dropped at once: how many a second are admitted, with few waiting and with many.

Ours: the first upload begins -> event, queue, host, contract, part, ledger -> the last file is recorded as admitted,
while a client polls the dashboard's summary and the reconciler runs. The window stays open, so nothing is trained.
The limit, in the same run: a bare queue function (`bench.bare_function`) on the same host and storage, that reads the
blob with pandas, writes a Parquet and inserts one row. Calls are counted from storage's access log.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from azure.storage.blob import BlobServiceClient

from bench import bare_app
from bench.goals import goals_table, machine_line
from bench.latency import bank_rows
from bench.own_stack import own_stack, processor_by_part
from bench.storage_calls import CallCount
from commands.client.status_api import Client
from commands.setup.machine import load, machine
from commands.stack import supervisor
from commands.stack.errors import StackError
from commands.stack.state import Stack

ROWS = 3
UPLOADERS = 8
POLL_SECONDS = 0.25
DASHBOARD_SECONDS = 0.5
"""From an answer to the next request: the dashboard's shortest pause, which it makes while everything changes."""
PATIENCE_SECONDS = 1800.0
SETTINGS = {"GATHER_QUIET_SECONDS": "3600", "GATHER_LONGEST_SECONDS": "86400", "GATHER_MOST_FILES": "1000000"}
"""One window that stays open, so that files wait and no training takes the machine from what is measured."""
PARTS = {"host": "localazure\0host", "storage": "azurite.js", "events": "localazure\0events"}
TABLES = ("campanha", "campanhanow", bare_app.TABLE)
RATE_GOAL, GROWTH_GOAL, ANSWER_GOAL = 20.0, 1.1, 1000.0

Json = dict[str, Any]


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--files", type=int, default=300, help="dropped at once (default: 300)")
    made.add_argument(
        "--waiting", type=int, nargs=2, default=(100, 1000), metavar=("FEW", "MANY"),
        help="how many wait in the window before (default: 100 1000)",
    )  # fmt: skip


def run(given: argparse.Namespace) -> Json:
    """Start a stack of its own, measure, and leave nothing behind."""
    bare_app.install()
    load_before = load()
    with own_stack(SETTINGS) as stack:
        dropping = Dropping(stack)
        dropping.admit(1)  # the host makes its clients at the first file
        few, many = (dropping.burst(waiting, given.files) for waiting in given.waiting)
        supervisor.stop_parts(stack, ["host"])
        limit = _limit(stack, given.files)
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "loadBefore": load_before, "loadAfter": load()},
        "how": {"files": given.files, "rows": ROWS, "settings": SETTINGS, "p95": "nearest rank"},
        "few": few,
        "many": many,
        "limit": limit,
        "goals": goals(few, many),
        "chart": chart(given.files, few, many, limit),
    }


class Dropping:
    """Files dropped into a stack, one burst after the other."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._put = Uploader(stack.connection_string, "incoming")
        self._calls = CallCount(_access_log(stack), TABLES, dropped_into="incoming")
        self._dropped = 0

    def burst(self, waiting: int, files: int) -> Json:
        """Has so many files wait, and then drops all at once."""
        _say(f"{waiting:,} files are to wait ...")
        self.admit(waiting - self._dropped)
        _say(f"{files:,} more at once ...")
        self._calls.new()
        cpu = processor_by_part(self._stack, PARTS)
        dashboard = self.admit(files)
        spent = {part: seconds - cpu[part] for part, seconds in processor_by_part(self._stack, PARTS).items()}
        seconds = self._last_admitted(files) - dashboard.began
        return {
            "waiting": waiting,
            **figures(files, seconds, self._calls.new(), spent),
            "statusMs": spread(dashboard.taken),
            "datasetDues": dashboard.open("DatasetDue"),
        }

    def admit(self, files: int) -> Dashboard:
        """Drops so many and returns when all are admitted; what the dashboard saw meanwhile."""
        first, self._dropped = self._dropped, self._dropped + max(files, 0)
        names = [(f"small-{n:06}.csv", n * ROWS) for n in range(first, self._dropped)]
        with Dashboard(Client.of(self._stack, "reader")) as dashboard:
            self._put(names)
            _await(lambda: dashboard.shows_all(self._dropped), f"{self._dropped} files to be admitted")
        return dashboard

    def _last_admitted(self, files: int) -> float:
        found = Client.of(self._stack).listed("uploads", most=files)
        return max(
            datetime.fromisoformat(entry["enteredAt"]).timestamp()
            for one in found
            for entry in one["history"]
            if entry["state"] == "admitted"
        )


class Uploader:
    """Drops small files as fast as storage takes them."""

    def __init__(self, connection_string: str, container: str) -> None:
        self._blobs = BlobServiceClient.from_connection_string(connection_string)
        self._container = container

    def __call__(self, files: Sequence[tuple[str, int]], then: Callable[[str], object] = str) -> None:
        """files: name, and the number of its first row; then: what is done when one is up"""

        def put(file: tuple[str, int]) -> None:
            name, start = file
            blob = self._blobs.get_blob_client(self._container, name)
            blob.upload_blob(bank_rows(ROWS, start=start), overwrite=True)
            then(name)

        with ThreadPoolExecutor(UPLOADERS) as pool:
            list(pool.map(put, files))


class Dashboard:
    """A client that polls the summary, and how long each answer took."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen: Json = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self.taken: list[float] = []
        """Milliseconds of each answer."""
        self.began = 0.0

    def __enter__(self) -> Dashboard:
        self.began = time.time()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(PATIENCE_SECONDS)

    def shows_all(self, files: int) -> bool:
        """Whether so many are admitted, and all that leads to is done."""
        admitted = self._seen.get("stateCounts", {}).get("upload", {}).get("admitted", 0)
        return bool(admitted >= files) and not self.open("UploadArrived") + self.open("UploadAdmitted")

    def open(self, fact: str) -> int:
        """How many facts of that kind are due and not done."""
        return sum(rule["openCount"] for rule in self._seen["flow"] if fact in rule["when"])

    def _poll(self) -> None:
        while not self._over.is_set():
            began = time.perf_counter()
            self._seen = self._client.get("status")
            self.taken.append((time.perf_counter() - began) * 1000)
            self._over.wait(DASHBOARD_SECONDS)


def _limit(stack: Stack, files: int) -> Json:
    """The same files through a bare queue function, on a host of its own."""
    with bare_app.bare_app(stack) as app:
        put = Uploader(stack.connection_string, "bare")
        put([("first.csv", 0)], app.send)
        _await(lambda: app.done() >= 1, "the first file to be taken in")
        _say(f"the limit: {files:,} files through a bare queue function ...")
        calls = CallCount(_access_log(stack), TABLES, dropped_into="bare")
        cpu, began = processor_by_part(stack, PARTS), time.time()
        put([(f"small-{n:06}.csv", n * ROWS) for n in range(files)], app.send)
        _await(lambda: app.done() > files, f"{files} files to be taken in")
        spent = {part: seconds - cpu[part] for part, seconds in processor_by_part(stack, PARTS).items()}
        counted = calls.new()
        return figures(files, app.last_inserted() - began, counted, spent)


def figures(files: int, seconds: float, calls: Counter[tuple[str, str]], cpu: dict[str, float]) -> Json:
    """calls: on storage, by service and verb; cpu: seconds by part"""
    services = sorted({service for service, _ in calls})
    return {
        "seconds": round(seconds, 2),
        "filesPerSecond": round(files / seconds, 2),
        "callsPerFile": {
            service: round(sum(n for (of, _), n in calls.items() if of == service) / files, 1)
            for service in services
        },
        "calls": {f"{service} {verb}": n for (service, verb), n in sorted(calls.items())},
        "cpuMsPerFile": {part: round(1000 * spent / files, 1) for part, spent in cpu.items()},
    }


def spread(taken: Sequence[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {
        "answers": len(ordered),
        "median": round(statistics.median(ordered), 1),
        "p95": round(ordered[math.ceil(0.95 * len(ordered)) - 1], 1),
        "max": round(ordered[-1], 1),
    }


def goals(few: Json, many: Json) -> list[Json]:
    growth = round(many["callsPerFile"]["table"] / few["callsPerFile"]["table"], 2)
    p95, dues = max(one["statusMs"]["p95"] for one in (few, many)), many["datasetDues"]
    rates = [
        {
            "goal": f"files a second with {one['waiting']:,} waiting: at least {RATE_GOAL:.0f}",
            "measured": one["filesPerSecond"],
            "met": one["filesPerSecond"] >= RATE_GOAL,
        }
        for one in (few, many)
    ]
    return [
        *rates,
        {
            "goal": f"table calls a file, {many['waiting']:,} waiting to {few['waiting']:,}: at most {GROWTH_GOAL:g}",
            "measured": growth,
            "met": growth <= GROWTH_GOAL,
        },
        {"goal": "one DatasetDue for a window", "measured": dues, "met": dues == 1},
        {
            "goal": f"the summary meanwhile: p95 < {ANSWER_GOAL:.0f} ms",
            "measured": p95,
            "met": p95 < ANSWER_GOAL,
        },
    ]


def chart(files: int, few: Json, many: Json, limit: Json) -> Json:
    bars: list[Json] = [
        {"label": f"Campanha, {one['waiting']:,} waiting", "value": one["filesPerSecond"], "ours": True}
        for one in (few, many)
    ]
    bars.append({"label": "the limit: a bare queue function", "value": limit["filesPerSecond"]})
    return {"title": f"{files:,} files of {ROWS} rows, dropped at once", "unit": "files/s", "bars": bars}


def _access_log(stack: Stack) -> Any:
    return stack.state / "storage" / "access.log"


def _await(over: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not over():
        if time.monotonic() > deadline:
            raise StackError(f"waited {PATIENCE_SECONDS:.0f} s for {what}")
        time.sleep(POLL_SECONDS)


def _say(sentence: str) -> None:
    print(f"  {sentence}", file=sys.stderr, flush=True)


def show(results: Json) -> None:
    """One screen for people."""
    from rich.console import Console
    from rich.table import Table

    made = Table(title=results["chart"]["title"], title_justify="left")
    columns = ("", "files/s", "s", "table", "queue", "blob", "host ms", "storage ms")
    for column in columns:
        made.add_column(column, justify="right" if column else "left", no_wrap=True)
    for one in (results["few"], results["many"], results["limit"]):
        calls, cpu = one["callsPerFile"], one["cpuMsPerFile"]
        cells = [
            one["filesPerSecond"],
            one["seconds"],
            *(calls.get(service, 0) for service in columns[3:6]),
        ]
        label = f"{one['waiting']:,} waiting" if "waiting" in one else "the limit"
        made.add_row(label, *(f"{cell:g}" for cell in (*cells, cpu["host"], cpu["storage"])))
    console = Console()
    console.print(made)
    console.print("Calls on each service and milliseconds of a core are for one file.")
    console.print(goals_table(results))
    console.print(machine_line(results))
