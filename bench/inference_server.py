"""Microsoft's inference server with a scoring script of ours, or of anybody's, on this machine alone."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from commands import ROOT
from commands.setup import venv
from commands.stack.ports import choose
from localazure.workspace.hosting.server import LOOPBACK
from localazure.workspace.processes.environments import Environments, conda_text

USUAL_LOCK = ROOT / "bench" / "environments" / "usual.txt"
USUAL_HOME = ROOT / ".environments" / "bench-usual"
PATIENCE_SECONDS = 60.0


def serving_python() -> Path:
    """The interpreter that deployments of the app run with."""
    text = conda_text(ROOT / "pipelines" / "environments" / "serving.yaml")
    return Environments(ROOT / ".environments").interpreter(text, print)


def usual_python() -> Path:
    """An interpreter with what a pandas script needs, made at the first use."""
    if not venv.is_ready(USUAL_HOME, USUAL_LOCK):
        venv.install(USUAL_HOME, USUAL_LOCK, label="pandas, for the comparison, into .environments")
    return venv.python_in(USUAL_HOME)


@contextmanager
def serves(
    python: Path, script: Path, model: Path, variables: Mapping[str, str], folder: Path
) -> Iterator[str]:
    """Gives the address that takes requests. folder: where its log goes"""
    port = choose()["host"]
    log = folder / f"{script.parent.name}.log"
    more = {"AZUREML_MODEL_DIR": str(model), "AML_APP_ROOT": str(script.parent), **variables}
    command = [str(python), "-P", str(LOOPBACK), "--entry_script", str(script), "--port", str(port)]
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, env={**os.environ, **more}, stdout=said, stderr=said, cwd=folder, start_new_session=True
        )
    try:
        _await(f"http://127.0.0.1:{port}/", process, log)
        yield f"http://127.0.0.1:{port}/score"
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Its workers have the session with it to themselves."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:  # a worker hangs
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with opener.open(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the server did not come up:\n{log.read_text(errors='replace')[-2000:]}")
