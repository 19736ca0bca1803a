"""Fixtures of every suite that needs storage: one Azurite for the whole session, and ports nobody uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localazure.ports import lasting_port
from localazure.storage.account import Ports
from localazure.storage.supervisor import Azurite


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Call it for a free port."""
    return lasting_port


@pytest.fixture(scope="session")
def azurite_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """One in-memory Azurite for the session, with its access log. Name containers and queues uniquely."""
    state: Path = tmp_path_factory.mktemp("azurite")
    ports = Ports(blob=lasting_port(), queue=lasting_port(), table=lasting_port())
    with Azurite(state=state, ports=ports, in_memory=True) as service:
        yield service


@pytest.fixture(scope="session")
def azurite(azurite_service: Azurite) -> str:
    """The connection string of the session's Azurite."""
    return azurite_service.connection_string
