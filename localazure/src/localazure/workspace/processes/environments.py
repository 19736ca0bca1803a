"""Environments on this machine: the pip lines of a conda file, installed once into a virtual environment."""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from localazure import installer
from localazure.installer import python_in
from localazure.locks import only_one
from localazure.storage import program

_FREE = ("python", "pip", "setuptools", "wheel")
"""Conda packages that a virtual environment brings by itself."""
_SAME_ON_PYPI = (
    "joblib", "lightgbm", "matplotlib", "numpy", "pandas", "pyarrow", "pyyaml", "requests", "scikit-learn", "scipy",
    "xgboost",
)  # fmt: skip
"""Conda packages that PyPI has under the same name and in the same versions; no others are taken from there."""

Progress = Callable[[str], None]


class EnvironmentFailed(Exception):
    """The conda file cannot be made into a virtual environment here; the message says which line and why."""


def _lines(command: list[str], environment: Mapping[str, str]) -> Iterator[str]:
    """What a command says, line by line. raises: CalledProcessError"""
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        stdin=subprocess.DEVNULL,
    )
    for line in running.stdout or ():
        yield line.rstrip()
    if code := running.wait():
        raise subprocess.CalledProcessError(code, command)


@dataclass(frozen=True, kw_only=True)
class Way:
    """How whoever wants an environment has it built, and gives up waiting."""

    lines: Callable[[list[str], Mapping[str, str]], Iterator[str]] = _lines
    """Runs a command, and tells what it says. raises: CalledProcessError"""
    check: Callable[[], None] = lambda: None
    """Called while another builds the same; raises to give up."""
    turn: Callable[[], AbstractContextManager[None]] = nullcontext
    """Entered for as long as the build takes."""


class Environments:
    """Virtual environments by content: the same conda file is built once, whoever asks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def interpreter(self, conda_text: str | None, progress: Progress, way: Way | None = None) -> Path:
        """The environment's Python, built now when it is not there; ours when there is no conda file."""
        if not (conda_text or "").strip():
            return Path(sys.executable)
        definition = _definition(conda_text or "")
        home, way = self._folder / _name(definition), way or Way()
        if not _is_whole(home):
            with only_one(self._folder / f"{home.name}.lock", check=way.check):
                if not _is_whole(home):
                    with way.turn():
                        _build(home, pip_lines(definition), progress, way)
        return python_in(home)


def pip_lines(definition: dict[str, Any]) -> list[str]:
    """The pip requirements of a conda file, one requirement a line, hashes included."""
    lines: list[str] = []
    for dependency in definition.get("dependencies") or []:
        if isinstance(dependency, dict):
            lines += _joined(dependency.get("pip") or [])
        elif _package(str(dependency)) in _SAME_ON_PYPI:
            lines.append(_for_pip(str(dependency)))
        elif _package(str(dependency)) not in _FREE:
            raise EnvironmentFailed(
                f"the conda package {dependency!r} cannot be installed here; list it under `pip:` instead"
            )
    return lines


def _for_pip(dependency: str) -> str:
    """conda writes `numpy=1.26` for what pip calls `numpy==1.26.*`, and `numpy=1.26.4` or `==` for one version."""
    name, version = _package(dependency), dependency.rpartition("::")[2].partition("=")
    if not version[1] or not re.fullmatch(r"[A-Za-z0-9_.-]+", version[0].strip()):
        return dependency.rpartition("::")[2].replace(" ", "")
    exact = version[2].lstrip("=").partition("=")[0].strip()  # a build string may follow
    return f"{name}=={exact}" if exact.endswith("*") or exact.count(".") > 1 else f"{name}=={exact}.*"


def _joined(entries: list[Any]) -> list[str]:
    """Continuation lines put together: `name==1 \\` and `--hash=...` are one requirement."""
    text = "\n".join(str(entry) for entry in entries).replace("\\\n", " ")
    lines: list[str] = []
    for line in (part.strip().rstrip("\\").strip() for part in text.splitlines()):
        if line.startswith("--hash") and lines:
            lines[-1] += f" {line}"
        elif line and not line.startswith("#"):
            lines.append(line)
    return lines


def _package(dependency: str) -> str:
    name = dependency.rpartition("::")[2]
    for separator in "=<>~! [":
        name = name.partition(separator)[0]
    return name.strip().lower()


def _definition(text: str) -> dict[str, Any]:
    try:
        definition = yaml.safe_load(text)
    except yaml.YAMLError as cause:
        raise EnvironmentFailed(f"the conda file is not YAML: {cause}") from cause
    if not isinstance(definition, dict):
        raise EnvironmentFailed("the conda file is not a mapping with `dependencies`")
    return definition


def _name(definition: dict[str, Any]) -> str:
    """By content, not by the file's own `name`, and by the Python it is built with."""
    content = {key: value for key, value in definition.items() if key != "name"}
    python = f"{platform.python_implementation()} {sys.version_info.major}.{sys.version_info.minor}"
    return hashlib.sha256(json.dumps([content, python], sort_keys=True).encode()).hexdigest()[:16]


def _is_whole(home: Path) -> bool:
    """A build that was cut short has no such file."""
    return (home / "complete").exists() and python_in(home).exists()


def _build(home: Path, lines: list[str], progress: Progress, way: Way) -> None:
    """In its final place, since the scripts in `bin` carry the path; `complete` is written last."""
    if home.exists():
        progress(f"{home.name}: an earlier build was cut short; starting again")
        shutil.rmtree(home)
    progress(f"{home.name}: creating a virtual environment with Python {platform.python_version()}")
    means = installer.chosen()
    environment = means.environment()
    _run(means.create(home, bare=not lines), progress, environment, way)  # as conda: no pip unless asked for
    requirements = home / "requirements.txt"
    requirements.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if lines:
        progress(f"{home.name}: installing {len(lines)} requirements")
        hashes = ["--require-hashes"] if any("--hash=" in line for line in lines) else []
        for command in (means.add_pip(home), means.install(home, *hashes, "-r", str(requirements))):
            if command:
                _run(command, progress, environment, way)
    (home / "complete").touch()
    progress(f"{home.name}: ready")


def _run(command: list[str], progress: Progress, environment: dict[str, str], way: Way) -> None:
    last: list[str] = []
    try:
        for line in way.lines(command, environment):
            progress(line)
            last = [*last[-14:], line]
    except subprocess.CalledProcessError as cause:
        raise EnvironmentFailed(
            f"{' '.join(command[:5])} ended with {cause.returncode}:\n" + "\n".join(last)
        ) from cause


def conda_text(file: Path) -> str:
    """Of a conda file, or of an Azure ML environment file that names or holds one."""
    text = file.read_text(encoding="utf-8")
    held = _definition(text).get("conda_file")
    if held is None:
        return text
    return (file.parent / held).read_text(encoding="utf-8") if isinstance(held, str) else yaml.safe_dump(held)


def main(arguments: list[str] | None = None) -> int:
    """Builds one file's environment, with progress on stdout and its interpreter on the last line."""
    parser = argparse.ArgumentParser(prog="localazure environment", description=__doc__)
    parser.add_argument("file", type=Path, help="conda file, or Azure ML environment file (YAML)")
    parser.add_argument(
        "--environments", type=Path, default=program.home() / "environments",
        help="folder that holds the built ones (default: the user's cache, as of `localazure workspace`)",
    )  # fmt: skip
    given = parser.parse_args(arguments)
    try:
        python = Environments(given.environments.resolve()).interpreter(
            conda_text(given.file), lambda line: print(line, flush=True)
        )
    except (EnvironmentFailed, OSError) as problem:
        print(f"{given.file}: {problem}", file=sys.stderr)
        return 1
    print(python, flush=True)
    return 0
