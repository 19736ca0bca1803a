"""What fills virtual environments: uv where it is named, told what pip was told; else pip."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from localazure import installer
from localazure.installer import Pip, Uv, as_uv_says_it, chosen, python_in


def test_uv_is_taken_where_it_is_named_and_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(installer.UV, raising=False)
    assert chosen() == Pip()
    monkeypatch.setenv(installer.UV, str(tmp_path / "uv"))
    assert chosen() == Pip()
    (tmp_path / "uv").touch()
    assert chosen() == Uv(tmp_path / "uv")


def test_an_environment_has_pip_only_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(installer.UV, raising=False)
    means = chosen()
    subprocess.run(means.create(tmp_path / "bare", bare=True), check=True, env=means.environment())
    asked = subprocess.run([python_in(tmp_path / "bare"), "-m", "pip"], capture_output=True, check=False)
    assert asked.returncode == 1
    assert means.add_pip(tmp_path / "bare") == []


def test_uv_gives_the_pip_that_python_brings_without_the_network(tmp_path: Path) -> None:
    means = Uv(tmp_path / "uv")
    command = means.add_pip(tmp_path / "home")
    assert command[:3] == [str(tmp_path / "uv"), "pip", "install"]
    assert {"--no-index", "--find-links", "pip"} <= set(command)
    assert list(Path(command[command.index("--find-links") + 1]).glob("pip-*.whl"))


def test_a_python_without_ensurepip_has_no_pip_to_give(tmp_path: Path) -> None:
    """Debian's, without python3-venv: whoever imports this must get as far as saying so."""
    asked = (
        "import pathlib, sys; sys.modules['ensurepip'] = None; from localazure.installer import Uv;"
        "print(Uv(pathlib.Path('uv')).add_pip(pathlib.Path('home')))"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False)
    assert (told.stdout, told.stderr) == ("[]\n", "")


def test_the_stronger_setting_of_pip_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        ":env:.cert='/of/the/environment.pem'",
        "global.cert='/of/all.pem'",
        "global.extra-index-url='https://a.example/simple\\n https://b.example/simple'",
        "global.index-url='https://of.all/simple'",
        "install.index-url='https://of.install/simple'",
        "download.timeout='3'",
    ]
    found = installer._read(lines)
    assert as_uv_says_it(found) == {
        "SSL_CERT_FILE": "/of/the/environment.pem",
        "UV_INDEX": "https://a.example/simple  https://b.example/simple",
        "UV_DEFAULT_INDEX": "https://of.install/simple",
    }


def test_a_folder_of_wheels_that_is_not_there_is_not_told_of(tmp_path: Path) -> None:
    links = f"{tmp_path} /nowhere/at/all https://wheels.example/"
    assert as_uv_says_it({"find-links": links}) == {"UV_FIND_LINKS": f"{tmp_path},https://wheels.example/"}
    assert as_uv_says_it({"find-links": "/nowhere/at/all"}) == {}


def test_what_the_user_has_told_uv_stands_and_nothing_leads_into_another_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installer, "pip_configuration", lambda: {"index-url": "https://of.pip/simple"})
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = Uv(tmp_path).environment()
    assert told["UV_DEFAULT_INDEX"] == "https://of.pip/simple"
    assert not {"VIRTUAL_ENV", "PYTHONPATH"} & set(told)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://of.uv/simple")
    assert Uv(tmp_path).environment()["UV_DEFAULT_INDEX"] == "https://of.uv/simple"


def test_pip_is_asked_for_its_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "pip.conf"
    config.write_text("[global]\nproxy = http://proxy.example:3128\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    asked = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False)
    if asked.returncode:
        pytest.skip("this Python has no pip")
    assert installer.pip_configuration()["proxy"] == "http://proxy.example:3128"
