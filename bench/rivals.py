"""What a user would take instead: an environment with mlflow, and our model saved and served the mlflow way."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commands import ROOT
from commands.setup import venv
from commands.stack.ports import choose

LOCK = ROOT / "bench" / "environments" / "mlflow.txt"
HOME = ROOT / ".environments" / "bench-mlflow"
PATIENCE_SECONDS = 120.0


def mlflow_python() -> Path:
    """The interpreter of an environment with mlflow, made at the first use (a minute or two)."""
    if not venv.is_ready(HOME, LOCK):
        venv.install(HOME, LOCK, label="mlflow, for the comparison, into .environments")
    return venv.python_in(HOME)


@contextmanager
def mlflow_serves(model: Path, folder: Path) -> Iterator[str]:
    """`mlflow models serve` with one worker; gives the address that takes rows.

    model: our model's folder; folder: where mlflow writes its copy and its log
    """
    python, saved = mlflow_python(), folder / "mlflow-model"
    log = folder / "mlflow.log"
    with log.open("wb") as said:
        subprocess.run([python, ROOT / "bench" / "mlflow_model.py", model, saved], check=True, stderr=said)
        port = choose()["host"]
        command: list[str | Path] = [
            python, "-m", "mlflow", "models", "serve", "-m", saved, "--env-manager", "local",
            "-h", "127.0.0.1", "-p", str(port), "-w", "1",
        ]  # fmt: skip
        path = f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"  # it starts uvicorn by its name
        process = subprocess.Popen(
            command,
            stdout=said,
            stderr=said,
            cwd=folder,
            start_new_session=True,
            env={**os.environ, "PATH": path},
        )
    try:
        _await(f"http://127.0.0.1:{port}/ping", process, log)
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """mlflow starts its server as a child; both have the session to themselves."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    process.wait(30)


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with opener.open(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"mlflow did not come up:\n{log.read_text(errors='replace')[-2000:]}")
