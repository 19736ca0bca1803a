"""The state of one stack in one folder: its ports, keys and processes (stack.json), and the addresses made of them."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands import ROOT
from commands.setup.lock import only_one
from commands.stack import ports
from commands.stack.errors import StackError
from commands.stack.processes import Process
from localazure.private import private_folder
from localazure.storage.account import Ports, connection_string

SCOPES = ("reader", "operator", "admin")


@dataclass(frozen=True)
class Packed:
    """An unpacked package that the host runs in place of this checkout."""

    app: Path
    python: Path
    """Of an environment that holds the host's own libraries, and none of the app's."""


class Stack:
    """Reads and writes STATE/stack.json. Safe to make when nothing runs: it starts nothing by itself."""

    subscription = "00000000-0000-0000-0000-000000000000"
    resource_group = workspace = "campanha"

    def __init__(self, state: Path, root: Path = ROOT) -> None:
        self.state, self.root = state.resolve(), root
        self._file = self.state / "stack.json"
        self._stored: dict[str, Any] = self._read()

    # --- addresses ------------------------------------------------------------------------------------------

    @property
    def ports(self) -> dict[str, int]:
        stored: dict[str, int] = self._stored["ports"]
        return stored

    @property
    def event_key(self) -> str:
        return str(self._stored["event_key"])

    @property
    def keys(self) -> dict[str, str]:
        """What opens the app's HTTP API: a key for each scope."""
        if "keys" not in self._stored:
            raise StackError(f"{self._file} holds no keys yet: `./dev up` makes them.")
        stored: dict[str, str] = self._stored["keys"]
        return stored

    @property
    def connection_string(self) -> str:
        """By the account's key. With roles it is that of what lies behind the fronts, which no app is given: with it
        containers and queues are made, as Azure Resource Manager makes them."""
        before = "azurite_" if self.roles else ""
        names = ("blob", "queue", "table")
        return connection_string(Ports(**{name: self.ports[f"{before}{name}"] for name in names}))

    @property
    def resource_group_id(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"

    @property
    def workspace_id(self) -> str:
        provider = "Microsoft.MachineLearningServices/workspaces"
        return f"{self.resource_group_id}/providers/{provider}/{self.workspace}"

    @property
    def host_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['host']}"

    def answers_at(self, url: str) -> bool:
        """Whether the address is that of this stack's app, running or not."""
        return "ports" in self._stored and url.rstrip("/") == self.host_url

    @property
    def workspace_url(self) -> str:
        return f"https://127.0.0.1:{self.ports['workspace']}"

    def topic_url(self, topic: str) -> str:
        scheme = "https" if self.roles else "http"  # tokens travel by TLS only
        return f"{scheme}://127.0.0.1:{self.ports['events']}/topics/{topic}/api/events"

    @property
    def subscriptions_file(self) -> Path:
        return self.state / "subscriptions.json"

    @property
    def settings_file(self) -> Path:
        return self.state / "settings.json"

    def settings_file_of(self, app: str) -> Path:
        """Of one of the two apps; without roles one host is both."""
        return self.settings_file.with_stem(f"settings-{app}") if self.roles else self.settings_file

    @property
    def access_file(self) -> Path:
        """Identities, roles and assignments, of a stack with roles."""
        return self.state / "access.json"

    def log(self, part: str) -> Path:
        return self.state / "logs" / f"{part}.log"

    def written_by(self, part: str, name: str) -> str:
        """A secret the part made for itself, in STATE/<part>/<name>."""
        file = self.state / part / name
        try:
            return file.read_text(encoding="utf-8").strip()
        except FileNotFoundError as cause:
            raise StackError(f"{file} is missing: {part} writes it when it starts (`./dev up`).") from cause

    # --- what is stored --------------------------------------------------------------------------------------

    @property
    def chosen_settings(self) -> dict[str, str]:
        """App settings given by the user, which outlive a restart."""
        stored: dict[str, str] = self._stored.get("settings", {})
        return stored

    @property
    def strict(self) -> list[str]:
        """In what its embedded Azure is as unkind as Azure: names of `localazure.strict`."""
        stored: list[str] = self._stored.get("strict", [])
        return stored

    def be_strict(self, names: Iterable[str]) -> bool:
        """From the next start of its parts on; whether that is something else than it was."""
        before, self._stored["strict"] = self.strict, sorted(names)
        self._write()
        return before != self.strict

    @property
    def packed(self) -> Packed | None:
        """None where the host runs this checkout."""
        stored = self._stored.get("packed")
        return Packed(app=Path(stored["app"]), python=Path(stored["python"])) if stored else None

    @property
    def roles(self) -> bool:
        """Whether identities sign in and their roles count."""
        return "identities" in self._stored

    @property
    def identity_secrets(self) -> dict[str, str]:
        """The IDENTITY_HEADER of each identity."""
        stored: dict[str, str] = self._stored["identities"]
        return stored

    @property
    def signing_key(self) -> str:
        """What tokens are signed with."""
        return str(self._stored["signing_key"])

    def use_roles(self, identities: Mapping[str, str]) -> None:
        """For good. identities: by name, what each shows to be given its tokens

        raises: StackError when parts run that know of no roles
        """
        with self.alone():
            self.prepare()
            if self.roles:
                return
            if any(self.process(part) for part in self._stored.get("parts", {})):
                raise StackError(f"what runs in {self.state} was started without roles: `./dev down` first.")
            self._stored["ports"] |= ports.choose(ports.OF_ROLES)
            self._stored |= {"identities": dict(identities), "signing_key": secrets.token_urlsafe(48)}
            self._write()

    @property
    def faults(self) -> bool:
        """Whether a front lies before each part, by which calls can be made to fail."""
        return bool(self._stored.get("faults"))

    def use_faults(self, *, wanted: bool) -> None:
        """From the next start of all parts on.

        raises: StackError when parts run that were started otherwise
        """
        with self.alone():
            self.prepare()
            if self.faults == wanted:
                return
            if any(self.process(part) for part in self._stored.get("parts", {})):
                how = "without" if wanted else "with"
                raise StackError(f"what runs in {self.state} was started {how} faults: `./dev down` first.")
            missing = [name for name in ports.OF_FAULTS if name not in self.ports]
            self._stored["ports"] |= ports.choose(missing)
            self._stored["faults"] = wanted
            self._write()

    def listens(self, name: str) -> int:
        """Where a part listens itself: its port, unless a front has that."""
        return self.ports[f"{ports.BEHIND}{name}" if self.faults else name]

    def move_to(self, chosen: Mapping[str, int]) -> None:
        """Other ports, for a copy of another stack's state."""
        self._stored["ports"] = dict(chosen)
        self._write()

    def run_packed(self, packed: Packed) -> None:
        """From the next start of the host on."""
        with self.alone():
            self.prepare()
            self._stored["packed"] = {"app": str(packed.app), "python": str(packed.python)}
            self._write()

    def prepare(self, settings: Mapping[str, str] | None = None) -> None:
        """Choose ports and keys at the first start; remember `settings` for the app."""
        if "ports" not in self._stored:
            self._stored = {
                "ports": ports.choose(),
                "event_key": base64.b64encode(secrets.token_bytes(32)).decode(),
                "parts": {},
            }
        self._stored.setdefault("keys", {scope: secrets.token_urlsafe(32) for scope in SCOPES})
        if settings:
            self._stored["settings"] = {**self.chosen_settings, **settings}
        self._write()

    def process(self, part: str) -> Process | None:
        """The part's process when it runs."""
        stored = self._stored.get("parts", {}).get(part)
        process = Process(pid=stored["pid"], born=stored["born"]) if stored else None
        return process if process and process.is_alive() else None

    def started(self, part: str, process: Process, *, begins: int | None = None) -> None:
        """Remember the part's process, so that later commands find it.

        begins: where in its log it will say that it serves; nobody has read that yet
        """
        known = {"pid": process.pid, "born": process.born}
        self._stored.setdefault("parts", {})[part] = known | ({} if begins is None else {"begins": begins})
        self._write()

    def begins(self, part: str) -> int | None:
        """Where the log of a part begins that was started and has not been seen to serve; None for others."""
        begins: int | None = self._stored.get("parts", {}).get(part, {}).get("begins")
        return begins

    def serves(self, part: str) -> None:
        """It has been seen to."""
        self._stored["parts"][part].pop("begins", None)
        self._write()

    def stopped(self, parts: Iterable[str]) -> None:
        """Forget the processes of these parts."""
        known = self._stored.get("parts", {})
        if [name for name in parts if known.pop(name, None)]:
            self._write()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Two commands do not start or stop the same stack at once."""
        private_folder(self.state, may_be_anothers=True)
        with only_one(self.state / "stack.lock", waiting_for=f"another ./dev is busy with {self.state}"):
            self._stored = self._read()
            yield

    def _read(self) -> dict[str, Any]:
        try:
            stored: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as cause:
            raise StackError(f"{self._file} is damaged ({cause}): `./dev reset` starts afresh.") from cause
        return stored

    def _write(self) -> None:
        private_folder(self.state, may_be_anothers=True)
        written = self._file.with_suffix(".new")
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._stored, file, indent=1)
        os.replace(written, self._file)
