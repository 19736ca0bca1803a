"""Makes virtual environments and fills them: with uv where LOCALAZURE_UV names it, else with venv and pip.

uv unpacks a wheel once and links it into each environment that wants it. It knows nothing of pip's configuration, so
what pip was told of indexes, certificates and proxies is handed on. Standard library only.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

UV = "LOCALAZURE_UV"
"""The environment variable with the path of uv; a path where nothing is counts as none."""
BASE_PYTHON = str(getattr(sys, "_base_executable", sys.executable))
"""The interpreter that a virtual environment is made from, also when we run in one."""


class Installer(Protocol):
    """The commands to run, so that each caller can show what they say in its own way."""

    def create(self, home: Path, *, bare: bool = False) -> list[str]:
        """Make an environment to be filled; a bare one has nothing in it, and stays so."""
        ...

    def add_pip(self, home: Path) -> list[str]:
        """Give the environment the pip that this Python brings along; no command when it has it."""
        ...

    def install(self, home: Path, *what: str) -> list[str]:
        """Put into the environment what pip's options and requirements say."""
        ...

    def environment(self) -> dict[str, str]:
        """The process environment for all of them."""
        ...


def chosen() -> Installer:
    """uv where it is named and there, else pip."""
    named = os.environ.get(UV)
    return Uv(Path(named)) if named and Path(named).is_file() else Pip()


def python_in(home: Path) -> Path:
    """The interpreter of the virtual environment in `home`."""
    return home / "Scripts" / "python.exe" if os.name == "nt" else home / "bin" / "python"


@dataclass(frozen=True)
class Pip:
    """What each Python brings along. It fills an environment from inside."""

    def create(self, home: Path, *, bare: bool = False) -> list[str]:
        return [BASE_PYTHON, "-m", "venv", *(["--without-pip"] if bare else []), str(home)]

    def add_pip(self, home: Path) -> list[str]:
        return []

    def install(self, home: Path, *what: str) -> list[str]:
        options = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
        return [str(python_in(home)), "-m", "pip", "install", *options, *what]

    def environment(self) -> dict[str, str]:
        return _without_ours(os.environ)


@dataclass(frozen=True)
class Uv:
    """Takes pip's own options; compiles nothing beforehand."""

    program: Path

    def create(self, home: Path, *, bare: bool = False) -> list[str]:
        made = [str(self.program), "venv", "--quiet", "--no-config", "--no-project"]
        return [*made, "--python", BASE_PYTHON, str(home)]

    def add_pip(self, home: Path) -> list[str]:
        try:
            import ensurepip
        except ImportError:  # Debian has it in a package of its own
            return []
        bundled = Path(ensurepip.__file__).with_name("_bundled")  # some systems have taken it out
        found = ["--quiet", "--no-index", "--find-links", str(bundled), "pip"]
        return self.install(home, *found) if bundled.is_dir() else []

    def install(self, home: Path, *what: str) -> list[str]:
        # The index strategy is pip's: the version asked for, wherever it is.
        options = ["--no-config", "--index-strategy", "unsafe-best-match", "--python", str(python_in(home))]
        return [str(self.program), "pip", "install", *options, *what]

    def environment(self) -> dict[str, str]:
        told = {"UV_PYTHON_DOWNLOADS": "never", **as_uv_says_it(pip_configuration())}
        return {**told, **_without_ours(os.environ)}


def _without_ours(environment: Mapping[str, str]) -> dict[str, str]:
    """What would make the new environment's Python look into another one."""
    unwanted = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    return {name: value for name, value in environment.items() if name not in unwanted}


def pip_configuration() -> dict[str, str]:
    """What `pip install` would take from its files and variables, the stronger over the weaker; none without a pip."""
    asked = subprocess.run(
        [BASE_PYTHON, "-m", "pip", "config", "list", "--disable-pip-version-check"],
        capture_output=True, text=True, check=False, env=_without_ours(os.environ),
    )  # fmt: skip
    return _read(asked.stdout.splitlines())


def _read(lines: Iterable[str]) -> dict[str, str]:
    """`global.index-url='https://...'`: global settings are overridden by install's, and these by variables."""
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in lines:
        name, separator, value = line.partition("=")
        section, _, key = name.strip().rpartition(".")
        if separator and section in found:
            found[section][key] = value.strip().strip("'\"").replace("\\n", " ")
    return {**found["global"], **found["install"], **found[":env:"]}


_IN_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "proxy": "ALL_PROXY",
}
"""pip's settings that say where packages come from, by the variable that tells uv."""


def as_uv_says_it(configuration: Mapping[str, str]) -> dict[str, str]:
    """The same in uv's variables. A folder that is not there is left out: pip goes on without it, uv would not."""
    told = {_IN_UV[key]: value for key, value in configuration.items() if key in _IN_UV and value.strip()}
    if links := told.pop("UV_FIND_LINKS", ""):
        there = [link for link in shlex.split(links) if "://" in link or Path(link).is_dir()]
        told |= {"UV_FIND_LINKS": ",".join(there)} if there else {}
    return told
