"""A file of clients from drop to sealed output, beside the limit (one process, no wire) and the usual client.

Ours: the upload has ended -> `POST /api/batches`, queue, host, endpoint, storage -> the batch is recorded as scored.
The clock would find the file as well; how long it sleeps is a setting, and no matter of speed.
The limit: `bench.scoring_limit`, one process with the same model that reads the same blob and writes the same
bytes to the same storage; the fastest of several numbers of threads. The output of both is compared, shard by shard.
The usual client: pandas reads the same blob, sends `mlflow models serve` 1,000 rows at a time in JSON, one request
after the other, and writes a CSV to the same storage; on fewer rows, since it takes its time.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from azure.storage.blob import BlobServiceClient

from bench import rivals
from bench.goals import goals_table
from bench.own_stack import CONNECTION, memory_by_part, own_stack
from commands import ROOT, publish
from commands.client.status_api import Client
from commands.setup import bank_rows
from commands.setup.machine import load, machine
from commands.stack.errors import StackError
from commands.stack.settings import script_environment
from commands.stack.state import Stack
from shared.domain.policy import Policy

SETTINGS = {"GATHER_QUIET_SECONDS": "1", "RELEASE_POLL_SECONDS": "1"}
USUAL_ROWS = 1_000_000
PATIENCE_SECONDS = 1800.0
THREADS = (1, 2, 3)
SHARE_GOAL, RIVAL_GOAL, MEMORY_GOAL = 0.6, 5.0, 400.0
PARTS = {
    "host": "localazure\0host",
    "storage": "azurite.js",
    "workspace": "localazure\0workspace",
    "endpoint": "score.py",
}


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--rows", type=int, default=USUAL_ROWS, help="clients in the file (default: 1,000,000)")
    made.add_argument("--rounds", type=int, default=3, help="medians of so many (default: 3)")
    made.add_argument("--without-rival", action="store_true", help="leave the usual client out")
    made.add_argument(
        "--rival-rows", type=int, default=100_000, help="clients for the usual client (100,000)"
    )


def run(given: argparse.Namespace) -> dict[str, Any]:
    """Start a stack of its own, train and release a model, and measure."""
    load_before = load()
    file, source = bank_rows.find(None)
    lines = _without_answers(file.read_bytes())
    with own_stack(SETTINGS) as stack:
        _release_model(stack, file)
        bench = Bench(stack, lines, given.rows)
        ours, limit = bench.rounds(given.rounds)
        rival = None if given.without_rival else bench.rival(given.rival_rows)
        peaks = memory_by_part(stack, PARTS)
    return {
        "measure": "scoring" if given.rows == USUAL_ROWS else f"scoring-{given.rows}",
        "how": {"rows": given.rows, "rounds": given.rounds, "bytes": bench.size, "source": source},
        "ours": ours,
        "limit": limit,
        "usualClient": rival,
        "peakMib": {**peaks, "limit": limit["peakMib"]},
        "goals": _goals(ours, limit, rival, peaks),
        "chart": _chart(given.rows, ours, limit, rival),
        "machine": {**machine(), "loadBefore": load_before, "loadAfter": load()},
        "taken": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def _goals(ours: Any, limit: Any, rival: Any, peaks: dict[str, float]) -> list[dict[str, Any]]:
    share = ours["rowsPerSecond"] / limit["rowsPerSecond"]
    largest = max(peaks.values())
    goals: list[dict[str, Any]] = [
        {"goal": "at least 60 % of the limit", "measured": round(share, 3), "met": share >= SHARE_GOAL},
        {
            "goal": "any one process below 400 MiB",
            "measured": largest,
            "met": largest < MEMORY_GOAL,
        },
    ]
    if rival:
        times = ours["rowsPerSecond"] / rival["rowsPerSecond"]
        goals.append(
            {
                "goal": "at least 5 times the usual client",
                "measured": round(times, 1),
                "met": times >= RIVAL_GOAL,
            }
        )
    return goals


def _chart(rows: int, ours: Any, limit: Any, rival: Any) -> dict[str, Any]:
    bars = [
        {"label": "Campanha, all parts on one machine", "value": ours["rowsPerSecond"], "ours": True},
        {"label": "the limit: one process, no wire", "value": limit["rowsPerSecond"]},
    ]
    if rival:
        bars.append({"label": "pandas and mlflow models serve", "value": rival["rowsPerSecond"]})
    return {"title": f"{rows:,} clients from drop to sealed output", "unit": "rows/s", "bars": bars}


def _without_answers(text: bytes) -> list[bytes]:
    return [line.rsplit(b",", 1)[0] for line in text.splitlines()]


def _release_model(stack: Stack, file: Path) -> None:
    """The usual way: a file is dropped, a run trains, the model is judged and released."""
    _say("training and releasing a model on the real rows ...")
    if publish.main(["--state", str(stack.state)]):
        raise StackError("the training pipeline could not be published")
    blobs = BlobServiceClient.from_connection_string(stack.connection_string)
    blobs.get_blob_client("incoming", "all.csv").upload_blob(file.read_bytes())
    _wait(
        Client.of(stack),
        "lineage/incoming/all.csv",
        lambda found: _state(found.get("model")),
        ("released", "refused"),
    )


class Bench:
    """Files of clients in a stack with a released model."""

    def __init__(self, stack: Stack, lines: list[bytes], rows: int) -> None:
        self.stack, self.lines, self.rows = stack, lines, rows
        self.client = Client.of(stack)
        self.blobs = BlobServiceClient.from_connection_string(stack.connection_string, max_block_size=8 << 20)
        self.size = self.files = 0

    def rounds(self, count: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Ours and the limit in turns; the limit's best number of threads is found first."""
        model = self._model_folder()
        self._ours(
            "warm-up.csv", min(self.rows, 50_000)
        )  # the host makes its clients, the kernels are loaded
        seconds: list[float] = []
        by_threads: dict[int, list[dict[str, Any]]] = {threads: [] for threads in THREADS}
        for number in range(count):
            name = f"clients-{number}.csv"
            _say(f"round {number + 1} of {count}: {self.rows:,} rows through Campanha ...")
            seconds.append(self._ours(name, self.rows))
            for threads in THREADS:
                _say(f"round {number + 1} of {count}: the limit, {threads} thread(s) ...")
                by_threads[threads].append(self._limit(name, threads, model))
            self._same_bytes(name, by_threads[THREADS[0]][-1]["sha256"])
        medians = {t: statistics.median(r["seconds"] for r in found) for t, found in by_threads.items()}
        best = min(medians, key=lambda threads: medians[threads])
        limit = {
            "seconds": [r["seconds"] for r in by_threads[best]],
            "rowsPerSecond": round(self.rows / medians[best]),
            "threads": best,
            "secondsByThreads": medians,
            "compiled": by_threads[best][0]["compiled"],
            "peakMib": max(r["peakMib"] for r in by_threads[best]),
        }
        median = statistics.median(seconds)
        return {"seconds": seconds, "rowsPerSecond": round(self.rows / median)}, limit

    def _ours(self, name: str, rows: int) -> float:
        """Seconds from the end of the upload to the sealed batch."""
        self.files += 1
        lines = _Lines(self.lines, rows, first=self.files)
        self.blobs.get_blob_client("scoring", name).upload_blob(lines)
        ended = time.time()
        self.client.act("batches")
        found = _wait(
            self.client, f"lineage/scoring/{name}", lambda t: _state(t.get("batch")), ("scored", "refused")
        )
        batch = found["batch"]
        if batch["state"] != "scored" or batch["rows"] != rows:
            raise StackError(f"{name} came out as {batch['state']} with {batch.get('rows')} rows")
        self.size = batch["sizeBytes"]
        return round(datetime.fromisoformat(batch["sealedAt"]).timestamp() - ended, 3)

    def _limit(self, name: str, threads: int, model: Path) -> dict[str, Any]:
        command = [
            sys.executable,
            "-m",
            "bench.scoring_limit",
            "--source",
            name,
            "--output",
            f"limit-{threads}",
        ]
        command += [
            "--threads",
            str(threads),
            "--model",
            str(model),
            "--shard-bytes",
            str(Policy().shard_bytes),
        ]
        environment = {**os.environ, CONNECTION: self.stack.connection_string}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def _same_bytes(self, name: str, digests: list[str]) -> None:
        batch = self.client.get(f"lineage/scoring/{name}")["batch"]
        blob = self.blobs.get_blob_client("scored", batch["manifest"].removeprefix("scored/"))
        manifest = json.loads(blob.download_blob().readall())
        if [shard["csv_sha256"] for shard in manifest["shards"]] != digests:
            raise StackError(f"{name}: the limit wrote other bytes than we did, so they cannot be compared")

    def _model_folder(self) -> Path:
        folder = self.stack.state / "bench-model"
        if folder.exists():
            return folder
        code = (
            "import os, sys; from azure.ai.ml import MLClient; from azure.identity import DefaultAzureCredential;"
            " e = os.environ; MLClient(DefaultAzureCredential(), e['AZURE_SUBSCRIPTION_ID'],"
            " e['AZURE_RESOURCE_GROUP'], e['AZUREML_WORKSPACE'])"
            ".models.download('bank', '1', download_path=sys.argv[1])"
        )
        environment = {**os.environ, **script_environment(self.stack)}
        command = [sys.executable, "-c", code, str(folder)]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        return folder

    def rival(self, rows: int) -> dict[str, Any]:
        """The usual client on as many rows as it gets through in good time."""
        name = "usual.csv"
        self.blobs.get_blob_client("scoring", name).upload_blob(_Lines(self.lines, rows))
        command = [str(rivals.mlflow_python()), str(ROOT / "bench" / "usual_client.py"), "--source", name]
        environment = {**os.environ, CONNECTION: self.stack.connection_string}
        with rivals.mlflow_serves(self._model_folder(), self.stack.state) as url:
            _say(f"the usual client: {rows:,} rows, 1,000 a request, to mlflow models serve ...")
            command += ["--output", "usual.csv", "--url", url]
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        said: dict[str, Any] = json.loads(done.stdout)
        return {"seconds": [said["seconds"]], "rowsPerSecond": round(rows / said["seconds"]), "rows": rows}


class _Lines(io.RawIOBase):
    """The real rows again and again, each with its own id, as a stream: ten million are never held at once.

    first: the row it begins with; a file of the same bytes as one before would be a duplicate, and not scored
    """

    def __init__(self, lines: list[bytes], rows: int, first: int = 0) -> None:
        head, *body = lines
        body = body[first:] + body[:first]
        self._bodies = [line.split(b",", 1)[1] for line in body]
        self._pieces = self._written(head, rows)
        self._held = b""

    def _written(self, head: bytes, rows: int) -> Iterator[bytes]:
        yield head + b"\n"
        for start in range(0, rows, 10_000):
            numbers = range(start, min(start + 10_000, rows))
            yield b"".join(
                b"%d,%b\n" % (number, self._bodies[number % len(self._bodies)]) for number in numbers
            )

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        wanted = sys.maxsize if size is None or size < 0 else size
        while len(self._held) < wanted and (piece := next(self._pieces, b"")):
            self._held += piece
        out, self._held = self._held[:wanted], self._held[wanted:]
        return out


def _wait(client: Client, path: str, state: Any, ends: tuple[str, ...]) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = client.known(path)
        if state(found) in ends:
            return found
        time.sleep(2)  # the batch records when it was sealed; polling more often would only be load
    raise StackError(f"{path} did not come to an end in {PATIENCE_SECONDS:.0f} s")


def _state(record: dict[str, Any] | None) -> str | None:
    return record["state"] if record else None


def _say(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)


def show(results: dict[str, Any]) -> None:
    """One screen for people."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{results['how']['rows']:,} clients, drop to sealed output", title_justify="left")
    for column in ("", "rows/s", "seconds"):
        table.add_column(column, justify="right" if column else "left")
    for label, name in (("Campanha", "ours"), ("the limit", "limit"), ("the usual client", "usualClient")):
        found = results[name]
        if found:
            seconds = ", ".join(f"{s:.1f}" for s in found["seconds"])
            table.add_row(label, f"{found['rowsPerSecond']:,}", seconds)
    console = Console()
    console.print(table, goals_table(results))
    peaks = ", ".join(f"{name} {size:.0f}" for name, size in results["peakMib"].items())
    console.print(f"Most in memory, MiB: {peaks}.")
