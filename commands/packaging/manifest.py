"""What a package is: which release, of which commit, and its digest; written beside the zip when it is packed.

The release is named by the package's content, so that no two packages share a name, and stands inside it too: what
runs can say which one it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from commands.packaging.archive import sha256, write_zip
from commands.setup.console import SetupError
from commands.stack.errors import StackError
from shared.package_data import RELEASE_FILE

APPS = ("work", "api")
"""The two apps that one package is deployed to."""
NAMED_BY = 12
"""Hexadecimal digits of the content's hash in a release's name."""
LISTING = "import function_app as f; print(*(one.get_function_name() for one in f.app.get_functions()))"
BY_CHOICE = "EXPERIMENT_SCHEDULE"
"""A setting that adds a function: what it adds is not missed where it is not set."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A package, as whoever deploys it has to know it."""

    release: str
    sha256: str
    """Of the zip."""
    size: int
    """Of the zip, in bytes."""
    python: str
    commit: str
    changed: tuple[str, ...]
    """Files that were not as they were committed."""
    functions: dict[str, tuple[str, ...]]
    """By app: what it has to have where it runs."""

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """raises: StackError where the text is no manifest"""
        try:
            told: dict[str, Any] = json.loads(text)
            functions = {app: tuple(names) for app, names in told["functions"].items()}
            return cls(**{**told, "changed": tuple(told["changed"]), "functions": functions})
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise StackError(f"no manifest of a package: {fault!r}. `./dev package` writes one.") from fault

    @classmethod
    def read(cls, file: Path) -> Self:
        """raises: StackError where there is none"""
        try:
            return cls.parse(file.read_bytes())
        except FileNotFoundError:
            raise StackError(f"{file} is missing: `./dev package` writes it, beside the zip.") from None

    def write(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def check(self, package: Path) -> None:
        """raises: StackError where the zip is not the one that was packed"""
        try:
            found = sha256(package)
        except FileNotFoundError:
            raise StackError(f"{package} is missing: `./dev package` packs it.") from None
        if found != self.sha256:
            raise StackError(f"{package} has the digest {found}; the one packed has {self.sha256}.")


def seal(app: Path, target: Path, *, python: str, commit: str, changed: Sequence[str]) -> Manifest:
    """Names the release that lies in a folder, zips it, and describes the zip in a file beside it.

    raises: SetupError where the app in the folder cannot be loaded
    """
    (app / RELEASE_FILE).unlink(missing_ok=True)
    release = content_digest(app)[:NAMED_BY]
    named = {"release": release, "commit": commit, "python": python}
    (app / RELEASE_FILE).write_text(json.dumps(named) + "\n", encoding="utf-8")
    functions = {name: functions_of(app, name) for name in APPS}
    manifest = Manifest(
        release=release,
        sha256=write_zip(app, target),
        size=target.stat().st_size,
        python=python,
        commit=commit,
        changed=tuple(changed),
        functions=functions,
    )
    manifest.write(target.with_suffix(".json"))
    return manifest


def content_digest(folder: Path) -> str:
    """SHA-256 over the names and the content of all files."""
    found = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(f"{file.relative_to(folder).as_posix()}\0{sha256(file)}\n".encode())
    return found.hexdigest()


def functions_of(app: Path, serves: str) -> tuple[str, ...]:
    """The names of the functions that one of the two apps has, as its host finds them."""
    settled = {name: value for name, value in os.environ.items() if name != BY_CHOICE}
    env = {**settled, "SERVES": serves, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LISTING], cwd=app, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SetupError(f"the app `{serves}` cannot be loaded from the package:\n{done.stderr[-2000:]}")
    return tuple(sorted(done.stdout.split()))
