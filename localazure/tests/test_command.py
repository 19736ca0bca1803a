"""The command `localazure`: it lists what there is, and each of it says how it is used."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from localazure.__main__ import COMMANDS


def said(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("localazure")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_alone_it_lists_its_commands() -> None:
    listed = said()
    assert listed.returncode == 0
    assert all(f"\n  {name} " in listed.stdout for name in COMMANDS)
    assert said("--help").stdout == listed.stdout


def test_what_it_does_not_know_it_names() -> None:
    told = said("fly")
    assert told.returncode == 2
    assert "no command 'fly'" in told.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_each_says_how_it_is_used_under_its_own_name(name: str) -> None:
    told = said(name, "--help")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith(f"usage: localazure {name} ")


def test_its_version_is_that_of_the_distribution() -> None:
    assert said("--version").stdout == f"localazure {version('localazure')}\n"


def test_set_up_already_it_says_where() -> None:
    told = said("setup")
    assert told.returncode == 0, told.stderr
    assert told.stdout.endswith("azurite.js\n")
