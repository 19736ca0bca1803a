"""Load on a server, by ApacheBench where it is installed, else by this process's own threads: times and rates."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from commands.client import load

JSON = "application/json"
WARM_UP = 20


def tool() -> str:
    program = "ab (ApacheBench)" if shutil.which("ab") else "Python threads"
    return f"{program}, persistent connections"


def measured(url: str, body: Path, content_type: str, *, seconds: float, clients: int) -> dict[str, float]:
    """For about so many seconds; milliseconds and answers a second. raises: RuntimeError when one was not 200"""
    question = load.Question(url=url, body=body.read_bytes(), headers={"Content-Type": content_type})
    warm = _whole(load.run(question, requests=WARM_UP, clients=1))
    requests = max(WARM_UP, min(20_000, int(seconds / warm.percentile(50))))
    if shutil.which("ab"):
        return _by_ab(url, body, content_type, requests=requests, clients=clients)
    found = _whole(load.run(question, requests=requests, clients=clients))
    return _figures(found.percentile(50), found.percentile(95), found.per_second)


def _whole(found: load.Load) -> load.Load:
    if found.errors:
        what = found.refusal or next(iter(found.failures))
        raise RuntimeError(f"{found.errors} of {found.requests} requests were not answered with 200: {what}")
    return found


def _by_ab(url: str, body: Path, content_type: str, *, requests: int, clients: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        times = Path(folder) / "times.csv"
        command = [
            "ab", "-q", "-k", "-l", "-n", str(requests), "-c", str(clients), "-e", str(times),
            "-p", str(body), "-T", content_type, url,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        rate = re.search(r"Requests per second: +([\d.]+)", done.stdout)
        bad = re.search(r"(?:Non-2xx responses|Failed requests): +([1-9]\d*)", done.stdout)
        if done.returncode or rate is None or bad:
            raise RuntimeError(
                f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        with times.open(newline="") as file:
            by_percent = {row[0]: float(row[1]) / 1000 for row in list(csv.reader(file))[1:]}
    return _figures(by_percent["50"], by_percent["95"], float(rate[1]))


def _figures(p50: float, p95: float, per_second: float) -> dict[str, Any]:
    return {
        "p50Ms": round(p50 * 1000, 3),
        "p95Ms": round(p95 * 1000, 3),
        "perSecond": round(per_second, 1),
    }
