"""Code roots: the folders from which Azure imports our modules name our packages and shadow no library."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from pipelines.code import assemble, code_of
from pipelines.scoring import pipeline as scoring
from pipelines.training import pipeline as training
from shared.adapters import serving_code
from tests.unit.test_package import IGNORE, as_git_reads_it

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "an online deployment": {"serving"},
    "a training step": {"pipelines", "serving", "shared"},
    "a scoring step": {"pipelines", "serving", "shared"},
    "the functions": {"function_app", "functions", "serving", "shared"},
}
"""What each code root makes importable."""
FOUND_FIRST = """
import sys
from importlib.util import find_spec
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    spec = find_spec(name)
    if spec and (spec.origin or "").startswith(sys.argv[1]):
        print(name)
"""


@pytest.fixture(params=PACKAGES)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """What it is for, and the folder as it is shipped."""
    if request.param == "the functions":
        files = {name: ROOT / name for name in as_git_reads_it(IGNORE) if name.endswith(".py")}
        return request.param, assemble(files, tmp_path / "package")
    if request.param == "an online deployment":
        return request.param, serving_code.assemble(tmp_path)
    pipeline = training if request.param == "a training step" else scoring
    return request.param, assemble(code_of(pipeline.COMMANDS), tmp_path / "code")


def test_a_code_root_holds_packages_of_ours_by_name_and_nothing_else(root: tuple[str, Path]) -> None:
    what, folder = root
    assert {path.stem for path in folder.iterdir()} == PACKAGES[what]
    assert all((path / "__init__.py").is_file() for path in folder.iterdir() if path.is_dir())


def test_the_packages_have_no_names_of_libraries() -> None:
    taken = {*sys.stdlib_module_names, *packages_distributions()}
    assert set().union(*PACKAGES.values()) & taken == set()


def test_no_module_can_be_imported_without_its_package(root: tuple[str, Path]) -> None:
    """Though the folder is the first place to look, `arrow` is the library of that name, or nothing."""
    what, folder = root
    stems = {file.stem for file in folder.rglob("*.py")} - {"__init__"}
    assert {"model", "trees", "kernel"} <= stems
    command = [sys.executable, "-I", "-c", FOUND_FIRST, str(folder), *sorted(stems)]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.split()
    assert set(found) == PACKAGES[what] & stems


def test_the_code_of_a_deployment_is_uploaded_once(tmp_path: Path) -> None:
    """The SDK goes by content and by the folder's name: a second deployment finds what the first one uploaded."""
    one, other = (serving_code.assemble(tmp_path / name) for name in ("a", "b"))
    content = {path.relative_to(one): path.read_bytes() for path in one.rglob("*") if path.is_file()}
    assert one.name == other.name
    assert content == {p.relative_to(other): p.read_bytes() for p in other.rglob("*") if p.is_file()}
    assert {path.suffix for path in content} == {".py", ".json"}
    entry = one / serving_code.ENTRY_SCRIPT
    assert entry.is_file()
    assert json.loads(entry.with_name("logging.json").read_text())
