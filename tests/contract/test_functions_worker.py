"""Our app under Microsoft's own Functions worker library (Python 3.13), as it is under the embedded host."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commands import ROOT
from commands.packaging import archive, package
from commands.setup.process_environment import settle
from running_azure import functions_worker
from running_azure.functions_worker import Index, indexed, ours, same, worker
from tests.unit.packaging.alone import imported_alone

__all__ = ["indexed", "worker"]


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


def test_the_worker_has_the_version_that_is_deployed(worker: Path) -> None:
    lock = (ROOT / "requirements.txt").read_text()
    deployed = re.findall(r"^azure-functions==(\S+) ; python_full_version >= '3\.13'", lock, re.MULTILINE)
    asked = [str(worker), "-c", "import importlib.metadata as m; print(m.version('azure-functions'))"]
    assert deployed == [subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the libraries are Linux's")
def test_the_unpacked_zip_has_the_same_functions_there(worker: Path, indexed: Index, tmp_path: Path) -> None:
    """What Azure is given: nothing else is there to import, but what the worker brings."""
    settle(ROOT)
    package.lay_out(ROOT, tmp_path / "laid", "3.13")
    archive.write_zip(tmp_path / "laid", tmp_path / "app.zip")
    app = tmp_path / "app"
    shutil.unpack_archive(tmp_path / "app.zip", app)
    [theirs] = indexed(app)
    assert "error" not in theirs, theirs
    assert same(theirs) == same(ours(ROOT))
    done = imported_alone(app, worker)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) == len(theirs["functions"])


@pytest.mark.slow
def test_the_locked_requirements_serve_python_313(worker: Path, indexed: Index, tmp_path: Path) -> None:
    """All that is deployed can be installed there, and the app's every module be imported."""
    folder = tmp_path / "venv"
    base = functions_worker.found()
    assert base
    subprocess.run([str(base), "-m", "venv", str(folder)], check=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    functions_worker.install(python, ROOT / "requirements.txt")
    functions_worker.install(python, functions_worker.LOCK)
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
