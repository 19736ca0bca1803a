"""What a package is named by, and what it is held against before it is deployed."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from commands.packaging import manifest
from commands.packaging.manifest import Manifest, seal
from commands.setup.console import SetupError
from commands.stack.errors import StackError

APP = """
import os
class Function:
    def __init__(self, name): self.name = name
    def get_function_name(self): return self.name
class app:
    @staticmethod
    def get_functions():
        names = {"work": ["steps", "clock"], "api": ["http_api"]}[os.environ["SERVES"]]
        return [Function(name) for name in names + (["experiment_due"] if os.environ.get("EXPERIMENT_SCHEDULE") else [])]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "app"
    (made / "shared").mkdir(parents=True)
    (made / "function_app.py").write_text(APP)
    (made / "shared" / "flow.py").write_text("FLOW = ()")
    return made


def sealed(folder: Path, name: str = "campanha") -> Manifest:
    return seal(folder, folder.parent / f"{name}.zip", python="3.13", commit="c" * 40, changed=())


def test_the_manifest_lies_beside_the_zip_and_names_its_digest_and_functions(folder: Path) -> None:
    made = sealed(folder)
    assert Manifest.read(folder.parent / "campanha.json") == made
    made.check(folder.parent / "campanha.zip")
    assert made.functions == {"work": ("clock", "steps"), "api": ("http_api",)}


def test_the_release_is_named_by_the_content_and_stands_in_the_package(folder: Path) -> None:
    first = sealed(folder)
    with ZipFile(folder.parent / "campanha.zip") as packed:
        assert json.loads(packed.read("release.json"))["release"] == first.release
    assert sealed(folder) == first, "what is sealed again has the same name, and the same bytes"
    (folder / "shared" / "flow.py").write_text("FLOW = (1,)")
    assert sealed(folder).release != first.release
    (folder / "shared" / "flow.py").rename(folder / "shared" / "flows.py")
    assert len({first.release, sealed(folder).release}) == 2


def test_functions_that_a_setting_adds_are_not_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPERIMENT_SCHEDULE", "0 0 4 * * 0")
    assert "experiment_due" not in sealed(folder).functions["work"]


def test_an_app_that_cannot_be_loaded_is_not_packed(folder: Path) -> None:
    (folder / "function_app.py").write_text("import nothing_of_that_name")
    with pytest.raises(SetupError, match="nothing_of_that_name"):
        sealed(folder)


def test_another_zip_than_the_one_packed_is_refused(folder: Path) -> None:
    made = sealed(folder)
    zipped = folder.parent / "campanha.zip"
    zipped.write_bytes(zipped.read_bytes() + b"\0")
    with pytest.raises(StackError, match="has the digest"):
        made.check(zipped)
    zipped.unlink()
    with pytest.raises(StackError, match="is missing"):
        made.check(zipped)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"functions": []}', '{"functions": {}, "changed": [], "more": 1}']
)
def test_what_is_no_manifest_is_said_to_be_none(text: str, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="no manifest"):
        Manifest.parse(text)
    with pytest.raises(StackError, match="is missing"):
        Manifest.read(tmp_path / "none.json")


def test_the_digest_depends_on_names_and_content_alone(folder: Path) -> None:
    before = manifest.content_digest(folder)
    (folder / "shared" / "flow.py").touch()
    assert manifest.content_digest(folder) == before
