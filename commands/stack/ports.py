"""Ports of 127.0.0.1 for one stack, chosen once and for good: addresses stand in what the stack has stored."""

from __future__ import annotations

import time
from collections.abc import Sequence

from localazure.faults.kinds import FRONTS
from localazure.ports import is_free, lasting_port

NAMES = ("blob", "queue", "table", "workspace", "identity", "events", "host")
OF_ROLES = ("azurite_blob", "azurite_queue", "azurite_table", "work")
"""What a stack with roles has besides: Azurite behind its fronts, and the host of the app that faces nobody."""
BEHIND = "behind_"
OF_FAULTS = ("faults", *(f"{BEHIND}{name}" for name in FRONTS))
"""What a stack with faults has besides: the control address, and where the parts listen behind the fronts."""


def choose(names: Sequence[str] = NAMES) -> dict[str, int]:
    """A free port for each name."""
    ports: dict[str, int] = {}
    while len(ports) < len(names):
        port = lasting_port()
        if port not in ports.values():
            ports[names[len(ports)]] = port
    return ports


def becomes_free(port: int, *, seconds: float = 2.0) -> bool:
    """Waits a little: the last threads of a program that was just killed may still hold what it listened on."""
    deadline = time.monotonic() + seconds
    while not is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
