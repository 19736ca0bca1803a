"""One embedded Azure with the app in it: its ports, keys and processes, written down in one state folder."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from commands import ports, processes
from commands.parts import PARTS, STAGES, Part
from commands.processes import Process
from commands.setup.lock import only_one
from localazure.storage.account import Ports, connection_string

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 90.0
SCOPES = ("reader", "operator", "admin")

Said = Callable[[str, float, bool], None]
"""Called with a part's name, the seconds it took, and whether it was started now."""


class StackError(Exception):
    """What was asked of the stack cannot be done; the message says why and what to do."""


class Stack:
    """Reads and keeps STATE/stack.json. Safe to make when nothing runs: it starts nothing by itself."""

    subscription = "00000000-0000-0000-0000-000000000000"
    resource_group = workspace = "campanha"

    def __init__(self, state: Path, root: Path = ROOT) -> None:
        self.state, self.root = state.resolve(), root
        self._file = self.state / "stack.json"
        self._kept: dict[str, Any] = self._read()

    # --- addresses ------------------------------------------------------------------------------------------

    @property
    def ports(self) -> dict[str, int]:
        kept: dict[str, int] = self._kept["ports"]
        return kept

    @property
    def event_key(self) -> str:
        return str(self._kept["event_key"])

    @property
    def keys(self) -> dict[str, str]:
        """What opens the app's HTTP API: a key for each scope."""
        if "keys" not in self._kept:
            raise StackError(f"{self._file} holds no keys yet: `./dev up` makes them.")
        kept: dict[str, str] = self._kept["keys"]
        return kept

    @property
    def connection_string(self) -> str:
        return connection_string(Ports(**{name: self.ports[name] for name in ("blob", "queue", "table")}))

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

    @property
    def workspace_url(self) -> str:
        return f"https://127.0.0.1:{self.ports['workspace']}"

    def topic_url(self, topic: str) -> str:
        return f"http://127.0.0.1:{self.ports['events']}/topics/{topic}/api/events"

    @property
    def subscriptions_file(self) -> Path:
        return self.state / "subscriptions.json"

    @property
    def settings_file(self) -> Path:
        return self.state / "settings.json"

    def log(self, part: str) -> Path:
        return self.state / "logs" / f"{part}.log"

    def written_by(self, part: str, name: str) -> str:
        """A secret the part made for itself, in STATE/<part>/<name>."""
        file = self.state / part / name
        try:
            return file.read_text(encoding="utf-8").strip()
        except FileNotFoundError as cause:
            raise StackError(f"{file} is missing: {part} writes it when it starts (`./dev up`).") from cause

    # --- what is kept ---------------------------------------------------------------------------------------

    @property
    def chosen_settings(self) -> dict[str, str]:
        """App settings given by the user, which outlive a restart."""
        kept: dict[str, str] = self._kept.get("settings", {})
        return kept

    def prepare(self, settings: Mapping[str, str] | None = None) -> None:
        """Choose ports and keys at the first start; remember `settings` for the app."""
        if "ports" not in self._kept:
            self._kept = {
                "ports": ports.choose(),
                "event_key": base64.b64encode(secrets.token_bytes(32)).decode(),
                "parts": {},
            }
        self._kept.setdefault("keys", {scope: secrets.token_urlsafe(32) for scope in SCOPES})
        if settings:
            self._kept["settings"] = {**self.chosen_settings, **settings}
        self._write()

    def process(self, part: str) -> Process | None:
        """The part's process when it runs."""
        kept = self._kept.get("parts", {}).get(part)
        process = Process(**kept) if kept else None
        return process if process and process.is_alive() else None

    def is_up(self) -> bool:
        return all(self.process(name) for name in PARTS)

    def _read(self) -> dict[str, Any]:
        try:
            kept: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as cause:
            raise StackError(f"{self._file} is damaged ({cause}): `./dev reset` starts afresh.") from cause
        return kept

    def _write(self) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        written = self._file.with_suffix(".new")
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._kept, file, indent=1)
        os.replace(written, self._file)

    # --- starting and stopping ------------------------------------------------------------------------------

    def up(self, said: Said, settings: Mapping[str, str] | None = None) -> None:
        """Start what does not run, in order, and return when all serve.

        raises: StackError with the end of the log of the part that did not start
        """
        with self._alone():
            self._up(said, settings)

    def _up(self, said: Said, settings: Mapping[str, str] | None) -> None:
        from commands.layout import create_storage_layout, write_subscriptions
        from commands.settings import write_app_settings

        self.prepare(settings)
        write_subscriptions(self.subscriptions_file)
        for stage in STAGES:
            if "host" in (part.name for part in stage) and write_app_settings(self):
                self.stop_parts(["host"])  # its settings are no longer what it was started with
            self._start_stage(stage, said)
            if any(part.name == "storage" for part in stage):
                create_storage_layout(self.connection_string)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Two commands do not start or stop the same stack at once."""
        self.state.mkdir(parents=True, exist_ok=True)
        with only_one(self.state / "stack.lock", waiting_for=f"another ./dev is busy with {self.state}"):
            self._kept = self._read()
            yield

    def down(self) -> list[str]:
        """Stop everything; the names of the parts that had to be killed."""
        with self._alone():
            return self.stop_parts(PARTS)

    def stop_parts(self, names: Iterable[str]) -> list[str]:
        """Stop these parts, last started first; the names of those that had to be killed."""
        killed = []
        for name in reversed([name for name in PARTS if name in set(names)]):
            process = self.process(name)
            if process and not process.stop(seconds=PARTS[name].stop_seconds):
                killed.append(name)
            if self._kept.get("parts", {}).pop(name, None):
                self._write()
        return killed

    def _start_stage(self, stage: tuple[Part, ...], said: Said) -> None:
        started = time.monotonic()
        begun = {part: self._begin(part) for part in stage if not self.process(part.name)}
        for part in stage:
            if part in begun:
                self._await_ready(part, begun[part])
            said(part.name, time.monotonic() - started, part in begun)

    def _begin(self, part: Part) -> int:
        """Start a part; returns where in its log its own lines begin."""
        for name in part.ports:
            if not ports.becomes_free(self.ports[name]):
                raise StackError(
                    f"port {self.ports[name]} ({name}) is taken by another program: end that one, or start a"
                    " stack with other ports by `--state OTHERDIR` (`./dev reset` chooses new ones here)."
                )
        log = self.log(part.name)
        from commands.settings import app_settings

        # In a host the environment wins over the settings file, so what the file settles is not passed on.
        settled = app_settings(self) if part.name == "host" else {}
        env = {**{k: v for k, v in os.environ.items() if k not in settled}, "PYTHONUNBUFFERED": "1"}
        for name in ("NO_PROXY", "no_proxy"):
            env[name] = ",".join(filter(None, [env.get(name), "127.0.0.1", "localhost"]))
        begins = processes.log_end(log)
        process = processes.start(part.command(self), directory=self.root, log=log, env=env)
        self._kept.setdefault("parts", {})[part.name] = {"pid": process.pid, "born": process.born}
        self._write()
        return begins

    def _await_ready(self, part: Part, begins: int) -> None:
        log, deadline = self.log(part.name), time.monotonic() + START_SECONDS
        while True:
            with log.open("rb") as opened:
                opened.seek(begins)
                said = opened.read()
            if b"\nready: " in b"\n" + said:
                return
            if self.process(part.name) is None or time.monotonic() > deadline:
                tail = said.decode(errors="replace")[-2000:]
                with contextlib.suppress(StackError):
                    self.stop_parts([part.name])
                raise StackError(f"{part.name} did not start.\n{tail}\nAll of it: {log}")
            time.sleep(processes.LOOK_SECONDS)
