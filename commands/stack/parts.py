"""The parts of a running stack: how each is started, and what it leaves in its log when it serves."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from commands.setup.localazure import SOURCES
from commands.stack.ports import OF_ROLES
from commands.stack.state import Stack
from localazure.faults.kinds import FRONTS
from shared.resources.identities import API, WORK


@dataclass(frozen=True, kw_only=True)
class Part:
    """One process of the stack."""

    name: str
    ports: tuple[str, ...]
    arguments: Callable[[Stack], list[str]]
    stop_seconds: float = 15.0
    program: str = ""
    """Of localazure; the part's name, by default."""
    app: str = ""
    """Which of the two apps it hosts where there are two; empty for what is no host."""
    is_wanted: Callable[[Stack], bool] = lambda stack: True

    def listens_on(self, stack: Stack) -> dict[str, int]:
        """The ports that it takes itself, by name."""
        behind = () if self.name == "faults" else FRONTS
        return {name: stack.listens(name) if name in behind else stack.ports[name] for name in self.ports}

    def command(self, stack: Stack) -> list[str]:
        python = stack.packed.python if stack.packed and self.app else sys.executable
        return [str(python), "-m", "localazure", self.program or self.name, *self.arguments(stack)]

    def environment(self, stack: Stack) -> dict[str, str]:
        """Beside what all have. An unpacked package's host has nothing of this checkout but localazure."""
        if not (stack.packed and self.app):
            return {}
        return {"PYTHONPATH": str(stack.root / SOURCES), "PYTHONNOUSERSITE": "1"}


def _storage(stack: Stack) -> list[str]:
    names = ("blob", "queue", "table", *OF_ROLES[:3]) if stack.roles else ("blob", "queue", "table")
    listens = {name: stack.listens(name) if name in FRONTS else stack.ports[name] for name in names}
    ports = [f"--{name.replace('_', '-')}-port={port}" for name, port in listens.items()]
    return ["--state", str(stack.state), *ports, *_access(stack), *_strict(stack)]


def _faults(stack: Stack) -> list[str]:
    secure = FRONTS if stack.roles else ("workspace",)
    fronts = [
        f"--front={name}={stack.ports[name]}:{stack.listens(name)}{':tls' * (name in secure and name != 'identity')}"
        for name in FRONTS
    ]
    return ["serve", "--state", str(stack.state), f"--control-port={stack.ports['faults']}", *fronts]


def _listens(stack: Stack, name: str, prefix: str = "") -> list[str]:
    return [f"--{prefix}listen-port={stack.listens(name)}"] if stack.faults else []


def _access(stack: Stack) -> list[str]:
    return ["--access", str(stack.access_file)] if stack.roles else []


def _events(stack: Stack) -> list[str]:
    return [
        "--state", str(stack.state), "--port", str(stack.ports["events"]),
        "--storage", stack.connection_string, "--subscriptions", str(stack.subscriptions_file),
        f"--key={stack.event_key}", "--resource-group", stack.resource_group_id,
        "--system-topic", f"workspace={stack.workspace_id}", "--retry-scale", "0.01",
        *_listens(stack, "events"), *_access(stack), *_strict(stack),
    ]  # fmt: skip


def _workspace(stack: Stack) -> list[str]:
    environments = stack.root / ".environments"
    return [
        "--state", str(stack.state), "--port", str(stack.ports["workspace"]),
        "--identity-port", str(stack.ports["identity"]), "--storage", stack.connection_string,
        "--events", stack.topic_url("workspace"), f"--events-key={stack.event_key}",
        "--environments", str(environments), "--subscription", stack.subscription,
        "--resource-group", stack.resource_group, "--workspace", stack.workspace,
        *_listens(stack, "workspace"), *_listens(stack, "identity", "identity-"), *_access(stack), *_strict(stack),
    ]  # fmt: skip


def _strict(stack: Stack) -> list[str]:
    return [f"--strict={','.join(stack.strict)}"] if stack.strict else []


def _host(stack: Stack) -> list[str]:
    return [
        "--app", str(stack.packed.app if stack.packed else stack.root), "--port", str(stack.ports["host"]),
        "--settings", str(stack.settings_file_of(API.name)), "--state", str(stack.state),
    ]  # fmt: skip


def _work(stack: Stack) -> list[str]:
    """The app that faces nobody: queues and clocks."""
    return [
        "--app", str(stack.packed.app if stack.packed else stack.root), "--port", str(stack.ports["work"]),
        "--settings", str(stack.settings_file_of(WORK.name)), "--state", str(stack.state / WORK.name),
    ]  # fmt: skip


FAULTS = Part(
    name="faults",
    ports=("faults", *FRONTS),
    arguments=_faults,
    stop_seconds=5,
    is_wanted=lambda stack: stack.faults,
)
STORAGE = Part(name="storage", ports=("blob", "queue", "table"), arguments=_storage, stop_seconds=25)
EVENTS = Part(name="events", ports=("events",), arguments=_events)
WORKSPACE = Part(name="workspace", ports=("workspace", "identity"), arguments=_workspace)
HOST = Part(name="host", ports=("host",), arguments=_host, stop_seconds=10, app=API.name)
WORKER = Part(
    name="work",
    ports=("work",),
    arguments=_work,
    stop_seconds=10,
    program="host",
    app=WORK.name,
    is_wanted=lambda stack: stack.roles,
)
"""What it is at when it is stopped is delivered again, so nothing is gained by waiting for a long step's end."""

PARTS = {part.name: part for part in (FAULTS, STORAGE, EVENTS, WORKSPACE, HOST, WORKER)}
STAGES = ((FAULTS,), (STORAGE,), (EVENTS, WORKSPACE), (HOST, WORKER))
"""What may start at the same time; each stage needs the ones before it."""
STRICT_PARTS = (STORAGE, EVENTS, WORKSPACE)
"""Those that can be as unkind as Azure."""


def of(stack: Stack) -> tuple[Part, ...]:
    """What this stack consists of."""
    return tuple(part for part in PARTS.values() if part.is_wanted(stack))
