"""From the end of an upload to the first line of the step it starts, beside a bare queue poller.

The app path: `upload_blob` returned -> access log of storage -> events pump -> queue `blob-events` -> host ->
the line `admit_upload begins.` in the host's log. The bare path: `send_message` returned -> `receive_message`
of a thread that polls its own queue (`barePollMs`). The bare path has no event and no host in it: it is what a
queue alone costs on this machine, not a rival that does the same work.
"""

from __future__ import annotations

import argparse
import json
import math
import queue
import random
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from azure.storage.blob import BlobServiceClient, ContentSettings
from azure.storage.queue import QueueClient, QueueServiceClient

from bench.goals import goals_table, machine_line
from bench.own_stack import memory_of, own_stack
from commands.setup.machine import load, machine
from commands.stack.errors import StackError
from commands.stack.state import Stack

SEED = 20_261_124
IDLE_SECONDS = (0.5, 1.5)
BARE_POLL_SECONDS = 0.1
"""As long as the host waits between two looks at an empty queue."""
LOG_LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 60.0
ROWS = 20
SETTINGS = {"GATHER_QUIET_SECONDS": "3600"}
"""The window of uploads stays open, so that no training starts while we measure."""

MOST_UPLOADS = 90
"""A window closes at 100 files, and then a run would start."""

MEDIAN_GOAL, P95_GOAL, RSS_GOAL = 500.0, 1000.0, 200.0
HEADER = (
    "age;job;marital;education;default;balance;housing;loan;contact;day;month;duration;campaign;pdays;"
    "previous;poutcome;y"
)


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--uploads", type=_uploads, default=30, metavar="N", help="how many (default: 30)")


def _uploads(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= MOST_UPLOADS:
        return int(text)
    raise argparse.ArgumentTypeError(f"a number from 1 to {MOST_UPLOADS}")


def run(given: argparse.Namespace) -> dict[str, Any]:
    """Start a stack of its own, measure, and leave nothing behind."""
    with own_stack(SETTINGS) as stack:
        return _measure(stack, given.uploads)


def _measure(stack: Stack, uploads: int) -> dict[str, Any]:
    chance = random.Random(SEED)
    load_before = load()
    log = HostLog(stack.log("host"))
    put = Uploader(stack.connection_string)
    rss_idle = _rss(stack)
    first = _upload(put, log, 0)  # the host makes its clients at the first message: reported apart
    _pause(chance)
    with BarePoller(stack.connection_string) as bare:
        app_ms, bare_ms = [], []
        for number in range(1, uploads + 1):
            _pause(chance)
            app_ms.append(_upload(put, log, number))
            _pause(chance)
            bare_ms.append(bare.measure(number))
            if sys.stderr.isatty():
                print(f"\r  {number}/{uploads}", end="\n" if number == uploads else "", file=sys.stderr)
    rss = _rss(stack)
    app = _summary(app_ms)
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "loadBefore": load_before, "loadAfter": load()},
        "how": {
            "uploads": uploads,
            "rows": ROWS,
            "seed": SEED,
            "idleSeconds": IDLE_SECONDS,
            "settings": SETTINGS,
            "barePollMs": round(BARE_POLL_SECONDS * 1000),
            "p95": "nearest rank",
        },
        "firstUploadMs": first,
        "appMs": app,
        "barePollerMs": _summary(bare_ms),
        "rssMib": {"afterStart": rss_idle, "afterUploads": rss},
        "goals": _goals(app, rss),
        "samplesMs": {"app": app_ms, "barePoller": bare_ms},
    }


def _upload(put: Uploader, log: HostLog, number: int) -> float:
    """Milliseconds from the end of one upload to the first line of its step."""
    key, ended = put(f"bench-{number:03}.csv", bank_rows(ROWS, start=number * ROWS))
    return round((log.began(key) - ended) * 1000, 1)


def bank_rows(count: int, *, start: int) -> bytes:
    """A file of the `bank` contract with good rows, different for each `start`."""
    lines = [
        f"{20 + n % 60};technician;married;primary;no;{n};no;no;cellular;19;oct;{n % 3000};1;-1;0;unknown;"
        + ("yes" if n % 7 == 0 else "no")
        for n in range(start, start + count)
    ]
    return "\n".join([HEADER, *lines, ""]).encode()


class Uploader:
    """Uploads as `./dev drop` does, with one client for all."""

    def __init__(self, connection_string: str) -> None:
        self._blobs = BlobServiceClient.from_connection_string(connection_string)

    def __call__(self, name: str, content: bytes) -> tuple[str, float]:
        """The key of the upload, and when it ended."""
        blob = self._blobs.get_blob_client("incoming", name)
        text = ContentSettings(content_type="text/csv")
        written = blob.upload_blob(content, overwrite=True, content_settings=text)
        ended = time.time()
        etag = str(written["etag"]).strip('"')
        return f"upload/{name}/{etag}", ended


class HostLog:
    """Finds when a step began; the host stamps its lines with this machine's clock, cut to milliseconds."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def began(self, key: str) -> float:
        """raises: StackError when the step does not begin in time"""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for line in self._file.read_text(encoding="utf-8", errors="replace").splitlines():
                if "admit_upload begins. {" in line and _key_of(line) == key:
                    return datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").astimezone().timestamp()
            time.sleep(LOG_LOOK_SECONDS)
        tail = self._file.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise StackError(f"{key} was not admitted within {PATIENCE_SECONDS:.0f} s. The host says:\n{tail}")


def _key_of(line: str) -> str | None:
    try:
        return str(json.loads(line[line.index("{") :])["key"])
    except (ValueError, KeyError):
        return None  # a line that is not yet written to its end


class BarePoller:
    """A thread that polls a queue of its own, and what it takes until it has a message."""

    def __init__(self, connection_string: str) -> None:
        service = QueueServiceClient.from_connection_string(connection_string)
        self._sender = service.create_queue("bench-poller")
        self._receiver = QueueClient.from_connection_string(connection_string, "bench-poller")
        self._got: queue.Queue[tuple[str, float]] = queue.Queue()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> BarePoller:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(10)

    def measure(self, number: int) -> float:
        """Milliseconds from the end of one send to its receipt: 0 where it was received before the send returned."""
        self._sender.send_message(str(number))
        ended = time.time()
        try:
            text, received = self._got.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            raise StackError("the bare poller got no message: is storage up?") from None
        assert text == str(number)
        return max(0.0, round((received - ended) * 1000, 1))

    def _poll(self) -> None:
        while not self._end.wait(BARE_POLL_SECONDS):
            message = self._receiver.receive_message()
            if message is not None:
                self._got.put((str(message.content), time.time()))
                self._receiver.delete_message(message)


def _pause(chance: random.Random) -> None:
    time.sleep(chance.uniform(*IDLE_SECONDS))


def _summary(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "min": ordered[0],
        "median": round(statistics.median(ordered), 1),
        "p95": ordered[math.ceil(0.95 * len(ordered)) - 1],
        "max": ordered[-1],
    }


def _rss(stack: Stack) -> dict[str, float] | None:
    """MiB in memory of the host and of the events pump; None where there is no /proc."""
    if sys.platform != "linux":
        return None
    sizes = {name: memory_of(stack, name, "VmRSS") for name in ("host", "events")}
    return {**sizes, "sum": round(sum(sizes.values()), 1)}


def _goals(app: dict[str, float], rss: dict[str, float] | None) -> list[dict[str, Any]]:
    goals: list[dict[str, Any]] = [
        {"goal": "median <= 500 ms", "measured": app["median"], "met": app["median"] <= MEDIAN_GOAL},
        {"goal": "p95 < 1000 ms", "measured": app["p95"], "met": app["p95"] < P95_GOAL},
    ]
    total = rss["sum"] if rss else None
    met = None if total is None else total <= RSS_GOAL
    return [*goals, {"goal": "host + events <= 200 MiB", "measured": total, "met": met}]


def show(results: dict[str, Any]) -> None:
    """One screen for people."""
    from rich.console import Console
    from rich.table import Table

    times = Table(title="Upload ended -> step began, ms", title_justify="left")
    for column in ("", "min", "median", "p95", "max"):
        times.add_column(column, justify="right" if column else "left")
    bare = f"bare poller, {results['how']['barePollMs']} ms"
    for label, name in (("this app", "appMs"), (bare, "barePollerMs")):
        times.add_row(label, *(f"{value:.0f}" for value in results[name].values()))
    console = Console()
    console.print(times, goals_table(results))
    rss = results["rssMib"]["afterUploads"]
    if rss:
        console.print(f"In memory after the uploads: host {rss['host']} MiB, events {rss['events']} MiB.")
    console.print(
        f"{results['how']['uploads']} uploads; the first after the start took {results['firstUploadMs']:.0f} ms"
        f" and is not among them. {machine_line(results)}"
    )
