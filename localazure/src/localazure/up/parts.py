"""Storage, events and workspace as child processes: started in that order, watched, ended in the reverse one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from localazure.faults.kinds import FRONTS
from localazure.ports import lasting_port
from localazure.private import private_folder
from localazure.proxies import without_proxy
from localazure.storage import program
from localazure.up import examples
from localazure.up.addresses import Addresses
from localazure.workspace.processes.children import Processes, last_lines

START_SECONDS = 90.0
STOP_SECONDS = 25.0
"""Azurite has 20 to save what it holds."""
_LINES_IN_ERROR = 20
PROCESSES = "processes"
"""The folder of their records, in that of the state."""


class NotStarted(Exception):
    """A part ended before it served, or took too long; the message ends with its log."""


def reap(state: Path) -> None:
    """Ends the parts that an earlier `localazure up` of this folder left running; only for who has the folder alone."""
    Processes(state / PROCESSES).reap()


class Parts:
    """The running parts of one `localazure up`; none outlives this process for long, however it ends."""

    def __init__(self, addresses: Addresses, strict: Collection[str] = (), *, faults: bool = False) -> None:
        """strict: names of unkindnesses. faults: whether a front lies before all, by which calls can be made to fail"""
        self.faults = faults
        names = ("control", *FRONTS) if faults else ()
        self._behind = {name: lasting_port() for name in names}
        self.addresses, self._strict = addresses, sorted(strict)
        self._processes = Processes(addresses.state / PROCESSES)
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> Iterator[str]:
        """The name of each part, as it begins to serve; raises NotStarted."""
        for name in (*(["faults"] if self.faults else []), "storage", "events", "workspace"):
            self._start(name, self._options(name))
            if name == "storage":
                examples.make(self.addresses.storage)
            yield name

    def ended(self) -> str | None:
        """The name of a part that ended by itself."""
        return next((name for name, child in self._children.items() if child.poll() is not None), None)

    def stop(self) -> None:
        while self._children:
            _, child = self._children.popitem()
            self._processes.end(child, seconds=STOP_SECONDS)

    def log(self, name: str) -> Path:
        return self.addresses.state / "logs" / f"{name}.log"

    def _options(self, name: str) -> list[str]:
        of = self.addresses
        common = ["--state", str(of.state)]
        if self._strict:
            common.append(f"--strict={','.join(self._strict)}")
        if name == "faults":
            return self._fronts()
        if name == "storage":
            listens = {**of.ports, **self._behind}
            return [*common, *(f"--{one}-port={listens[one]}" for one in ("blob", "queue", "table"))]
        settings = of.workspace_settings
        if name == "events":
            group = settings.resource_id.partition("/providers/")[0]
            return [
                *common, f"--port={of.ports['events']}", "--storage", of.storage, "--resource-group", group,
                "--system-topic", f"workspace={settings.resource_id}",
                "--subscriptions", str(examples.subscriptions_file(of.state)), *self._listens("events", ""),
            ]  # fmt: skip
        return [
            *common, f"--port={settings.port}", f"--identity-port={settings.identity_port}",
            "--storage", of.storage, "--events", of.topic("workspace"), f"--events-key={of.topic_key}",
            "--environments", str(settings.environments), "--subscription", of.subscription,
            "--resource-group", of.resource_group, "--workspace", of.workspace,
            *self._listens("workspace", ""), *self._listens("identity", "identity-"),
        ]  # fmt: skip

    def _listens(self, name: str, prefix: str) -> list[str]:
        return [f"--{prefix}listen-port={self._behind[name]}"] if self.faults else []

    def _fronts(self) -> list[str]:
        ports, behind = self.addresses.ports, self._behind
        fronts = [f"--front={name}={ports[name]}:{behind[name]}" for name in FRONTS]
        fronts = [f"{front}:tls" if "=workspace=" in front else front for front in fronts]
        state = str(self.addresses.state)
        return ["serve", "--state", state, f"--control-port={behind['control']}", *fronts]

    def _start(self, name: str, options: list[str]) -> None:
        log = self.log(name)
        private_folder(log.parent)
        with log.open("wb") as written:
            child = self._processes.start(
                [sys.executable, "-m", "localazure", name, *options],
                directory=self.addresses.state,
                environment={
                    **os.environ,
                    **without_proxy(os.environ),
                    program.HOME: str(program.home()),  # as seen from here: a part runs in another folder
                    "PYTHONUNBUFFERED": "1",
                },
                log=written,
            )
        self._children[name] = child
        deadline = time.monotonic() + START_SECONDS
        while b"ready: " not in log.read_bytes():
            if child.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(
                    f"{name} did not start; {log} ends with:\n{last_lines(log, _LINES_IN_ERROR)}"
                )
            time.sleep(0.02)
