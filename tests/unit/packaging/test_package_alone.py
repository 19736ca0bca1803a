"""The package, as `./dev package` packs it, needs nothing else: all of its modules are imported from it alone."""

from __future__ import annotations

import json
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

from commands import ROOT
from commands.packaging import archive, libraries, package
from commands.packaging.sbom import write_sbom
from commands.setup.process_environment import settle
from tests.unit.packaging.alone import imported_alone

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the libraries are Linux's"),
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settle(ROOT)
    folder = tmp_path_factory.mktemp("package") / "app"
    package.lay_out(ROOT, folder, libraries.THIS_PYTHON)
    return folder


def test_everything_in_it_is_imported_from_it_alone(app: Path) -> None:
    done = imported_alone(app)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 5


def test_a_library_that_is_left_out_is_missed(app: Path) -> None:
    library = app / libraries.FOLDER / "pydantic_settings"
    library.rename(library.with_name("hidden"))
    try:
        assert "No module named 'pydantic_settings'" in imported_alone(app).stderr
    finally:
        library.with_name("hidden").rename(library)


def test_packed_twice_it_has_the_same_bytes_and_the_same_bill(app: Path, tmp_path: Path) -> None:
    package.lay_out(ROOT, tmp_path / "again", libraries.THIS_PYTHON)
    digests, bills = [], []
    for number, folder in enumerate((app, tmp_path / "again")):
        digests.append(archive.write_zip(folder, tmp_path / f"{number}.zip"))
        write_sbom(folder / libraries.FOLDER, digests[-1], tmp_path / f"{number}.json")
        bills.append((tmp_path / f"{number}.json").read_text())
    assert digests[0] == digests[1]
    assert bills[0] == bills[1]


def test_the_bill_names_every_library_with_its_version(app: Path, tmp_path: Path) -> None:
    write_sbom(app / libraries.FOLDER, "0" * 64, tmp_path / "bill.json")
    bill = json.loads((tmp_path / "bill.json").read_text())
    named = {(one["name"], one["version"]) for one in bill["components"]}
    assert named == {(one.name, one.version) for one in distributions(path=[str(app / libraries.FOLDER)])}
    assert all(one["purl"].startswith("pkg:pypi/") for one in bill["components"])
    assert sum("licenses" in one for one in bill["components"]) > len(named) / 2
