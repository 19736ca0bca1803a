"""The embedded Azure as a target: the package is unpacked into the state folder, and the hosts start again with it."""

from __future__ import annotations

import json
import platform
import shutil
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from commands import ROOT
from commands.client.status_api import Client
from commands.packaging import libraries
from commands.packaging.manifest import APPS, Manifest
from commands.setup import locks, venv
from commands.setup.process_environment import settle
from commands.stack import parts, progress, supervisor
from commands.stack.data_account import blob_service
from commands.stack.errors import StackError
from commands.stack.state import Packed, Stack

UNPACKED = 2
"""Folders that stay: what runs, and what ran before."""
ADMIN_SECONDS = 30


class OnTheStack:
    """A stack of this machine; it has to run."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def install(self, manifest: Manifest, package: Path) -> None:
        if sys.platform != "linux" or platform.machine() != "x86_64":
            raise StackError(
                "a package runs on Linux on x86-64 only: its libraries are for Azure's machines."
            )
        if manifest.python != libraries.THIS_PYTHON:
            raise StackError(
                f"the package is for Python {manifest.python}; this machine's is {libraries.THIS_PYTHON}:"
                f" CAMPANHA_PYTHON={libraries.THIS_PYTHON} ./dev package"
            )
        settle(ROOT)
        home = self._stack.state / "releases"
        app, host = home / manifest.sha256[:12], self._stack.state / "package" / "host"
        if not app.exists():
            beside = app.with_name(f"{app.name}.new")
            shutil.rmtree(beside, ignore_errors=True)
            with ZipFile(package) as archive:
                archive.extractall(beside)
            beside.rename(app)
        app.touch()
        if not venv.is_ready(host, ROOT / locks.HOST):
            venv.install(host, ROOT / locks.HOST, label="the embedded host's own libraries")
        self._stack.run_packed(Packed(app=app, python=venv.python_in(host)))
        with self._stack.alone():
            supervisor.stop_parts(self._stack, [each.name for each in parts.of(self._stack) if each.app])
        supervisor.up(self._stack, progress.on_stderr(self._stack))
        for old in sorted(home.iterdir(), key=lambda one: one.stat().st_mtime)[:-UNPACKED]:
            shutil.rmtree(old)

    def functions(self) -> dict[str, set[str]]:
        """Without roles one host is both apps."""
        if not self._stack.roles:
            return dict.fromkeys(APPS, self._listed("host", self._stack.state))
        return {
            "api": self._listed("host", self._stack.state),
            "work": self._listed("work", self._stack.state / "work"),
        }

    def client(self) -> Client:
        return Client.of(self._stack, "reader")

    def storage(self) -> Any:
        return blob_service(self._stack)

    def _listed(self, port: str, state: Path) -> set[str]:
        """As its host tells it to whoever has the master key."""
        import requests

        kept = json.loads((state / "host" / "keys.json").read_text(encoding="utf-8"))
        answer = requests.get(
            f"http://127.0.0.1:{self._stack.ports[port]}/admin/functions",
            headers={"x-functions-key": kept["masterKey"]},
            timeout=ADMIN_SECONDS,
        )
        answer.raise_for_status()
        return {each["name"] for each in answer.json()}
