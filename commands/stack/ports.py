"""Ports of 127.0.0.1 for one stack, chosen once and for good: addresses stand in what the stack has stored."""

from __future__ import annotations

import time

from localazure.ports import is_free, lasting_port

NAMES = ("blob", "queue", "table", "workspace", "identity", "events", "host")


def choose() -> dict[str, int]:
    """A free port for each name."""
    ports: dict[str, int] = {}
    while len(ports) < len(NAMES):
        port = lasting_port()
        if port not in ports.values():
            ports[NAMES[len(ports)]] = port
    return ports


def becomes_free(port: int, *, seconds: float = 2.0) -> bool:
    """Waits a little: the last threads of a program that was just killed may still hold what it listened on."""
    deadline = time.monotonic() + seconds
    while not is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
