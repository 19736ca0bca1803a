"""What many tests need: one Azurite for the whole session, and ports nobody uses."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localazure.storage.account import Ports
from localazure.storage.program import NotInstalled
from localazure.storage.supervisor import Azurite


def choose_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Call it for a free port."""
    return choose_port


@pytest.fixture(scope="session")
def azurite_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """One in-memory Azurite for the session, with its access log. Name containers and queues uniquely."""
    state: Path = tmp_path_factory.mktemp("azurite")
    ports = Ports(blob=choose_port(), queue=choose_port(), table=choose_port())
    service = Azurite(state=state, ports=ports, in_memory=True)
    try:
        service.start()
    except NotInstalled as missing:
        if os.environ.get("CAMPANHA_REQUIRE_SERVICES"):
            raise
        pytest.skip(str(missing))
    try:
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="session")
def azurite(azurite_service: Azurite) -> str:
    """The connection string of the session's Azurite."""
    return azurite_service.connection_string
