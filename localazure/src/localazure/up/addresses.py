"""Where the parts listen and what they are called: chosen at the first start, kept in STATE/up.json."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from localazure.ports import is_free, lasting_port
from localazure.proxies import without_proxy
from localazure.storage import account, program
from localazure.workspace.settings import Settings

USUAL = {"blob": 10000, "queue": 10001, "table": 10002, "events": 7100, "workspace": 18443, "identity": 18080}
"""What each part takes alone; with these, `UseDevelopmentStorage=true` is the storage account."""
EXAMPLE_TOPIC = "example"


class PortTaken(Exception):
    """Another program listens where a part is to, or another part will; end it, or give the part another port."""


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Ports and names of one `localazure up`."""

    state: Path
    ports: Mapping[str, int]
    subscription: str
    resource_group: str
    workspace: str

    @property
    def storage(self) -> str:
        """The connection string of the storage account."""
        return account.connection_string(
            account.Ports(**{name: self.ports[name] for name in ("blob", "queue", "table")})
        )

    @property
    def events(self) -> str:
        return f"http://127.0.0.1:{self.ports['events']}"

    @property
    def topic_key(self) -> str:
        """Of every topic; Event Grid makes it at its first start."""
        return (self.state / "events" / "topic.key").read_text(encoding="utf-8").strip()

    @property
    def workspace_settings(self) -> Settings:
        return Settings(
            state=self.state,
            port=self.ports["workspace"],
            identity_port=self.ports["identity"],
            storage=self.storage,
            environments=program.home() / "environments",
            subscription=self.subscription,
            resource_group=self.resource_group,
            workspace=self.workspace,
        )

    def topic(self, name: str) -> str:
        """The address that takes a topic's events."""
        return f"{self.events}/topics/{name}/api/events"

    def environment(self) -> dict[str, str]:
        """The variables by which the unmodified SDKs, and programs written for Azure, find all of this."""
        secret = (self.state / "workspace" / "identity-header").read_text(encoding="utf-8").strip()
        return {
            "AZURE_STORAGE_CONNECTION_STRING": self.storage,
            "AzureWebJobsStorage": self.storage,
            "AZURE_SUBSCRIPTION_ID": self.subscription,
            "AZURE_RESOURCE_GROUP": self.resource_group,
            "AZUREML_WORKSPACE_NAME": self.workspace,
            **self.workspace_settings.client_environment(secret),
            "EVENTGRID_TOPIC_ENDPOINT": self.topic(EXAMPLE_TOPIC),
            "EVENTGRID_TOPIC_KEY": self.topic_key,
            **without_proxy(os.environ),
        }

    def write_environment(self, variables: Mapping[str, str]) -> Path:
        """The same as a file to `source`, for its owner's eyes only."""
        file = self.state / "environment"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
            written.writelines(exports(variables))
        return file


def exports(variables: Mapping[str, str]) -> list[str]:
    """A line of shell for each variable."""
    return [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]


def choose(state: Path, given: Mapping[str, int | None]) -> dict[str, int]:
    """A port for each part: the given one, that of the last start, the usual one if it is free, or any other.

    raises: PortTaken when a given or kept one is not free, or is that of two parts: what is stored names addresses, so
    none is changed silently
    """
    file = state / "up.json"
    kept: dict[str, int] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    ports: dict[str, int] = {}
    for name in USUAL:
        if port := given.get(name) or kept.get(name):
            _refuse_taken(name, port, ports)
            ports[name] = port
    for name, usual in USUAL.items():
        if name not in ports:
            ports[name] = _usual_or_other(usual, ports.values())
    ports = {name: ports[name] for name in USUAL}
    file.write_text(json.dumps(ports, indent=1), encoding="utf-8")
    return ports


def _refuse_taken(name: str, port: int, ports: Mapping[str, int]) -> None:
    for other, others in ports.items():
        if port == others:
            raise PortTaken(f"port {port} is that of {other} and of {name}: choose another by --{name}-port")
    if not is_free(port):
        raise PortTaken(
            f"port {port} ({name}) is taken by another program, or by another `localazure up`: "
            f"end that one, or choose another by --{name}-port"
        )


def _usual_or_other(usual: int, taken: Collection[int]) -> int:
    port = usual
    while port in taken or not is_free(port):
        port = lasting_port()
    return port
