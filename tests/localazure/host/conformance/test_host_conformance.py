"""Our host and Microsoft's own worker library (Python 3.13) find the same in an app, and refuse the same apps."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.localazure.host.broken_apps import BROKEN, HEAD
from tests.localazure.host.conformance import python313
from tests.localazure.host.conformance.python313 import HERE, ROOT

Index = Callable[..., list[dict[str, Any]]]

NOT_THE_WORKERS = {
    "another trigger": "the worker indexes every binding; the host has the extension or not",
    "another output": "the worker indexes every binding; the host has the extension or not",
    "a table": "the worker indexes every binding; the host has the extension or not",
    "a queue without a name": "the worker does not read what bindings say; Azure's host does",
    "a bad name": "the worker takes any name; Azure's host does not",
    "no functions": "the worker starts with none, and Azure's host then says `0 functions loaded`",
}
"""What our host refuses and the worker by itself does not, and why."""

ACCEPTED = {
    "each trigger": """
@app.route(route="items/{id:int}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
@app.queue_output(arg_name="out", queue_name="%Q%", connection="S")
def items(req: func.HttpRequest, out: func.Out[str], context: func.Context) -> func.HttpResponse: ...

@app.queue_trigger(arg_name="msg", queue_name="%Q%-in", connection="S", batch_size=3)
@app.queue_output(arg_name="$return", queue_name="back", connection="S")
async def in_queue(msg: func.QueueMessage) -> str: ...

@app.timer_trigger(arg_name="t", schedule="%WHEN%", run_on_startup=True, use_monitor=False)
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:05")
def ticks(t: func.TimerRequest) -> None: ...

@app.event_grid_trigger(arg_name="event")
def event_grid(event: func.EventGridEvent) -> None: ...
""",
    "blobs": """
@app.blob_trigger(arg_name="blob", path="incoming/{name}", connection="S", source="EventGrid")
@app.blob_input(arg_name="other", path="others/{name}", connection="S")
@app.blob_output(arg_name="out", path="out/{name}", connection="S")
def blobs(blob: func.InputStream, other: str, out: func.Out[bytes]) -> None: ...

@app.blob_trigger(arg_name="blob", path="incoming", connection="S")
@app.blob_output(arg_name="$return", path="out/{rand-guid}", connection="S")
def returns_a_blob(blob: func.InputStream) -> bytes: ...
""",
    "a return nobody takes": """
@app.queue_trigger(arg_name="m", queue_name="q", connection="S")
def returns(m: func.QueueMessage) -> str: ...
""",
    "a blueprint and no annotations": """
bp = func.Blueprint()

@bp.function_name("other-name")
@bp.queue_trigger(arg_name="m", queue_name="q", connection="S")
def whatever(m, context): ...

app.register_functions(bp)
""",
}


@pytest.fixture(scope="session")
def worker() -> Path:
    """The interpreter that has Microsoft's library."""
    python = python313.found()
    if python is None:
        pytest.skip(f"no Python 3.13 here: put python3.13 on PATH, or name one in {python313.SETTING}")
    return python313.with_worker(python)


@pytest.fixture
def indexed(worker: Path) -> Index:
    """Call it with app folders: what the worker makes of each."""

    def ask(*folders: Path, python: Path = worker) -> list[dict[str, Any]]:
        command = [str(python), str(HERE / "indexed_by_worker.py"), *map(str, folders)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    return ask


def ours(folder: Path) -> dict[str, Any]:
    """What our host makes of the app, in a process of its own and on the Python of these tests."""
    script = (
        "import json, os, sys\n"
        "from pathlib import Path\n"
        "from localazure.host import index\n"
        "from localazure.host.host_json import HostJson\n"
        "found = index.load(Path(sys.argv[1]), HostJson(), os.environ)\n"
        "print(json.dumps({one.name: [dict(b) for b in one.bindings] for one in found}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    if done.returncode:
        return {"error": done.stderr}
    return {"functions": json.loads(done.stdout.splitlines()[-1])}


def same(found: dict[str, Any]) -> dict[str, list[str]]:
    """Functions and bindings, each in one form; the worker notes beside some how it hands their values on."""
    return {
        name: sorted(
            json.dumps({key: value for key, value in one.items() if key != "properties"}, sort_keys=True)
            for one in bindings
        )
        for name, bindings in found["functions"].items()
    }


def written(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "function_app.py").write_text(text)
    return folder


def declared() -> int:
    """How many functions the files of our app declare, registered or not."""
    files = [*ROOT.glob("functions/**/*.py"), ROOT / "function_app.py"]
    return sum(
        len(re.findall(r"^@\w+\.(?:route|\w+_trigger)\(", file.read_text(encoding="utf-8"), re.MULTILINE))
        for file in files
    )


def test_our_app_has_the_same_functions_and_bindings_for_both(indexed: Index) -> None:
    [theirs] = indexed(ROOT)
    assert "error" not in theirs, theirs
    assert same(theirs) == same(ours(ROOT))
    assert len(theirs["functions"]) == declared()


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_a_good_app_has_the_same_functions_and_bindings_for_both(
    indexed: Index, tmp_path: Path, text: str
) -> None:
    folder = written(tmp_path / "app", HEAD + text)
    [theirs] = indexed(folder)
    assert "error" not in theirs, theirs
    assert same(theirs) == same(ours(folder))


def test_what_we_refuse_the_worker_refuses_and_the_reverse(indexed: Index, tmp_path: Path) -> None:
    """`test_host_index.py` shows that our host refuses each of these, and what it says."""
    folders = [
        written(tmp_path / str(number), HEAD + text) for number, (text, _) in enumerate(BROKEN.values())
    ]
    refused = {name: "error" in found for name, found in zip(BROKEN, indexed(*folders), strict=True)}
    assert {name for name, was in refused.items() if not was} == NOT_THE_WORKERS.keys()


def test_the_worker_has_the_version_that_is_deployed(worker: Path) -> None:
    lock = (ROOT / "requirements.txt").read_text()
    deployed = re.findall(r"^azure-functions==(\S+) ; python_full_version >= '3\.13'", lock, re.MULTILINE)
    asked = [str(worker), "-c", "import importlib.metadata as m; print(m.version('azure-functions'))"]
    assert deployed == [subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()]


@pytest.mark.slow
def test_the_locked_requirements_serve_python_313(worker: Path, indexed: Index, tmp_path: Path) -> None:
    """All that is deployed can be installed there, and the app's every module be imported."""
    folder = tmp_path / "venv"
    base = python313.found()
    assert base
    subprocess.run([str(base), "-m", "venv", str(folder)], check=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    python313.install(python, ROOT / "requirements.txt")
    python313.install(python, python313.LOCK)
    [theirs] = indexed(ROOT, python=python)
    assert same(theirs) == same(ours(ROOT))
    script = (
        "import sys; sys.path.append(sys.argv[1])\n"
        "import pkgutil, importlib, functions, shared\n"
        "for package in (functions, shared):\n"
        "    for found in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        importlib.import_module(found.name)\n"
    )
    subprocess.run([str(python), "-c", script, str(ROOT)], check=True, cwd=tmp_path)
