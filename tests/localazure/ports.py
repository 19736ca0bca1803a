"""Ports for tests that stop a server and start it again on the same one."""

from __future__ import annotations

import random
import socket

RANGE = range(15000, 32000)
"""Below those that systems take for outgoing connections, which might take a port while nobody listens there."""


def lasting_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    while True:
        port = random.choice(RANGE)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
