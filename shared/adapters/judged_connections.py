"""Connections that are judged by where they lead, once they are there and before anything is sent.

A name is resolved anew for each connection, by whoever owns it: what it led to when it was looked at says nothing of
where it leads now (DNS rebinding). Behind a proxy it is the proxy that connects, and judges.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from shared.adapters.http_client import Connections
from shared.domain.network_reach import Reach
from shared.errors import Refused


def judged_connections(reach: Reach) -> Connections:
    """Those that lead nowhere beyond `reach`, with TLS or without. raises, when they are used: Refused"""
    made = Connections()
    for scheme in ("https://", "http://"):
        made.mount(scheme, JudgedAdapter(reach))
    return made


class JudgedAdapter(HTTPAdapter):
    """Refuses connections that lead beyond `reach`. raises: Refused"""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        super().__init__()

    def init_poolmanager(self, *given: Any, **more: Any) -> None:
        super().init_poolmanager(*given, **more)
        self.poolmanager.pool_classes_by_scheme = _pools(self._judged)

    def _judged(self, connection: socket.socket) -> socket.socket:
        address = ip_address(connection.getpeername()[0].partition("%")[0])
        fault = self._reach.fault(address)
        if fault:
            connection.close()
            raise Refused(f"its name leads to an address that {fault}")
        return connection


def _pools(judged: Callable[[socket.socket], socket.socket]) -> dict[str, Any]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return judged(super()._new_conn())

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return judged(super()._new_conn())

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
