"""Free ports of 127.0.0.1, for servers that may be started again on the same one."""

from __future__ import annotations

import os
import secrets
import socket

RANGE = range(15000, 32000)
"""Below those that systems take for outgoing connections, so that none is taken meanwhile."""
_given: set[int] = set()
"""By this process: whoever asks for several, and starts servers only then, gets different ones."""


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


def lasting_port() -> int:
    """A port that was free a moment ago, and that no outgoing connection will take."""
    while (port := secrets.choice(RANGE)) in _given or not is_free(port):
        continue
    _given.add(port)
    return port
