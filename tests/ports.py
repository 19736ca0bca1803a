"""Ports for tests that start a server, and may start it again on the same one."""

from __future__ import annotations

import secrets

from commands.stack.ports import RANGE, is_free


def lasting_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago, and that no outgoing connection will take."""
    while not is_free(port := secrets.choice(RANGE)):
        continue
    return port
