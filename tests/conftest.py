"""What many tests need: one Azurite for the whole session, and ports nobody uses."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from localazure.storage.account import Ports
from localazure.storage.program import NotInstalled
from localazure.storage.supervisor import Azurite
from tests.ports import lasting_port

SHARE_A_SERVER = ("tests/conformance/", "tests/contract/", "tests/localazure/workspace/")
"""Folders of which all tests run in one worker, so that what their first one starts serves all of them."""


class WholeFiles(LoadScopeScheduling):
    """Each worker is given whole files, or whole folders."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in SHARE_A_SERVER if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WholeFiles:
    return WholeFiles(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers tell tests apart by their ids, and run one of each."""
    twice = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    if twice:
        raise pytest.UsageError(f"several tests have the id {twice[0]}: workers would run one of them")


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Call it for a free port."""
    return lasting_port


@pytest.fixture(scope="session")
def azurite_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """One in-memory Azurite for the session, with its access log. Name containers and queues uniquely."""
    state: Path = tmp_path_factory.mktemp("azurite")
    ports = Ports(blob=lasting_port(), queue=lasting_port(), table=lasting_port())
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
