"""Ports of 127.0.0.1 for one stack, chosen once and kept: addresses stand in what the stack has stored."""

from __future__ import annotations

import os
import random
import socket
import time

NAMES = ("blob", "queue", "table", "workspace", "identity", "events", "host")
# Below the range from which systems take ports for outgoing connections, so that none is taken meanwhile.
RANGE = range(15000, 32000)


def choose(taken: frozenset[int] = frozenset()) -> dict[str, int]:
    """A free port for each name."""
    ports: dict[str, int] = {}
    while len(ports) < len(NAMES):
        port = random.choice(RANGE)  # noqa: S311
        if port not in taken and port not in ports.values() and is_free(port):
            ports[NAMES[len(ports)]] = port
    return ports


def is_free(port: int) -> bool:
    """True when nothing listens there. Without SO_REUSEADDR, closed connections would count for a minute."""
    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def becomes_free(port: int, *, seconds: float = 2.0) -> bool:
    """Waits a little: the last threads of a program that was just killed may still hold what it listened on."""
    deadline = time.monotonic() + seconds
    while not is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
