"""Starts and stops the parts of a stack in order, as a process supervisor would; a part is up once its log says ready."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Mapping

from commands.stack import ports, processes
from commands.stack.access import write_access
from commands.stack.errors import StackError
from commands.stack.layout import create_storage_layout, write_subscriptions
from commands.stack.parts import PARTS, STAGES, STRICT_PARTS, Part
from commands.stack.settings import app_settings, write_app_settings
from commands.stack.state import Stack
from localazure.proxies import without_proxy

START_SECONDS = 90.0

Announce = Callable[[str, float, bool], None]
"""Called with a part's name, the seconds it took, and whether it was started now."""


def up(stack: Stack, announce: Announce, settings: Mapping[str, str] | None = None) -> None:
    """Start what does not run, in order, and return when all serve.

    settings: app settings, stored for later starts

    raises: StackError with the end of the log of the part that did not start
    """
    with stack.alone():
        stack.prepare(settings)
        write_subscriptions(stack.subscriptions_file)
        if stack.roles:
            write_access(stack)
        for stage in STAGES:
            hosts = [part.name for part in stage if part.app]
            if hosts and write_app_settings(stack):
                stop_parts(stack, hosts)  # their settings are no longer what they were started with
            _start_stage(stack, stage, announce)
            if any(part.name == "storage" for part in stage):
                create_storage_layout(stack.connection_string)


def up_storage(stack: Stack) -> None:
    """Storage alone, with its containers, queues and tables: nothing works on it yet."""
    with stack.alone():
        for stage in STAGES:
            _start_stage(stack, stage, lambda part, seconds, now: None)
            if any(part.name == "storage" for part in stage):
                break
        create_storage_layout(stack.connection_string)


def be_strict(stack: Stack, names: Iterable[str]) -> None:
    """Have the embedded Azure be as unkind as Azure in these ways and no others, from its next start on."""
    with stack.alone():
        stack.prepare()
        if stack.be_strict(names):
            stop_parts(stack, [part.name for part in STRICT_PARTS])


def down(stack: Stack) -> list[str]:
    """Stop everything; the names of the parts that had to be killed."""
    with stack.alone():
        return stop_parts(stack, PARTS)


def stop_parts(stack: Stack, names: Iterable[str]) -> list[str]:
    """Stop these parts, last started first; the names of those that had to be killed."""
    killed = []
    stopping = [name for name in reversed(PARTS) if name in set(names)]
    for name in stopping:
        process = stack.process(name)
        if process and not process.stop(seconds=PARTS[name].stop_seconds):
            killed.append(name)
    stack.stopped(
        stopping
    )  # at the end: on a full disk it cannot be written, and all are stopped all the same
    return killed


def _start_stage(stack: Stack, stage: tuple[Part, ...], announce: Announce) -> None:
    started = time.monotonic()
    wanted = [part for part in stage if part.is_wanted(stack)]
    begun = [part for part in wanted if not stack.process(part.name)]
    for part in begun:
        _begin(stack, part)
    for part in wanted:
        begins = stack.begins(part.name)
        if begins is not None:  # begun now, or by one that was interrupted since
            _await_ready(stack, part, begins)
            stack.serves(part.name)
        announce(part.name, time.monotonic() - started, part in begun)


def _begin(stack: Stack, part: Part) -> None:
    for name, port in part.listens_on(stack).items():
        if not ports.becomes_free(port):
            raise StackError(
                f"port {port} ({name}) is taken by another program: end that one, or start a"
                " stack with other ports by `--state OTHERDIR` (`./dev reset` chooses new ones here)."
            )
    log = stack.log(part.name)
    # In a host the environment wins over the settings file, so what the file settles is not passed on.
    settled = app_settings(stack, part.app) if part.app else {}
    env = {**{k: v for k, v in os.environ.items() if k not in settled}, "PYTHONUNBUFFERED": "1"}
    env |= without_proxy({**os.environ, **settled})
    env |= part.environment(stack)
    begins = processes.log_end(log)
    process = processes.start(part.command(stack), directory=stack.root, log=log, env=env)
    stack.started(part.name, process, begins=begins)


def _await_ready(stack: Stack, part: Part, begins: int) -> None:
    log, deadline = stack.log(part.name), time.monotonic() + START_SECONDS
    while True:
        with log.open("rb") as opened:
            opened.seek(begins)
            said = opened.read()
        if b"\nready: " in b"\n" + said:
            return
        if stack.process(part.name) is None or time.monotonic() > deadline:
            tail = said.decode(errors="replace")[-2000:]
            with contextlib.suppress(StackError):
                stop_parts(stack, [part.name])
            raise StackError(f"{part.name} did not start.\n{tail}\nAll of it: {log}")
        time.sleep(processes.LOOK_SECONDS)
