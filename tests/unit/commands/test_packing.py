"""`./dev package`: what it prints, for people and for programs; the packing itself is tested in tests/unit/packaging."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import package
from commands.packaging import libraries
from commands.setup import lock

FUNCTION_APP = "class app:\n    get_functions = staticmethod(list)\n"
Capsys = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of one file and one library."""
    app = tmp_path / "app"

    def lay_out(root: Path, target: Path, python: str) -> list[str]:
        info = target / libraries.FOLDER / "heavy-1.2.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: heavy\nVersion: 1.2\nLicense: MIT\n")
        (info.parent / "heavy.py").write_text("x" * 5_000_000)
        (info / "RECORD").write_text("heavy.py,,\n")
        (target / "host.json").write_text(python)
        (target / "function_app.py").write_text(FUNCTION_APP)
        return ["host.json"]

    monkeypatch.setattr(package, "ROOT", tmp_path)
    monkeypatch.setattr(package, "OUT", tmp_path)
    monkeypatch.setattr(package, "APP", app)
    monkeypatch.setattr(package.package, "lay_out", lay_out)
    return app


def test_it_names_the_zip_its_hash_its_bill_and_the_heaviest(capsys: Capsys) -> None:
    assert package.main(["--python", "3.12"]) == 0
    said = capsys.readouterr()
    assert "campanha-3.12.zip" in said.out
    assert "campanha-3.12.cdx.json" in said.out
    assert "heavy 1.2" in said.out
    assert "5 MB" in said.out
    assert said.err == "It is of no commit: host.json changed since.\n"


def test_programs_get_it_as_json_one_for_each_python(capsys: Capsys, tmp_path: Path) -> None:
    assert package.main(["--all", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["python"] for one in found] == ["3.11", "3.12", "3.13"]
    assert len({one["sha256"] for one in found}) == 3
    for one in found:
        assert (tmp_path / one["zip"]).stat().st_size == one["bytes"]
        bill = json.loads((tmp_path / one["sbom"]).read_text())
        assert [(part["name"], part["version"]) for part in bill["components"]] == [("heavy", "1.2")]


@pytest.mark.parametrize("folder", ["work", "api"])
def test_each_service_of_azd_has_a_folder_of_its_own(folder: str, tmp_path: Path) -> None:
    """azd packages both at the same time, and zips what lies in the folder: what the other's hook empties is not it."""
    other = tmp_path / ({"work", "api"} - {folder}).pop() / "host.json"
    other.parent.mkdir()
    other.write_text("as it was")
    assert package.main(["--folder", folder]) == 0
    assert (tmp_path / folder / "host.json").exists()
    assert not (tmp_path / "app").exists()
    assert other.read_text() == "as it was"


def test_one_packs_while_the_other_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both write the same zip."""
    held: list[bool] = []
    sealed = package.seal

    def seal(*given: object, **named: object) -> object:
        with (tmp_path / package.LOCK).open("rb+") as file:
            held.append(not lock._try(file.fileno()))
        return sealed(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(package, "seal", seal)
    assert package.main([]) == 0
    assert held == [True]
