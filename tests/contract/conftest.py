"""The embedded Azure ML workspace, one process for the whole session, and the variables that lead the SDKs to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.localazure.workspace.running import Server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The SDK warns about its own internals (experimental classes, deprecated imports): not ours to mend."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:.*"))


@pytest.fixture(scope="session")
def workspace_process(
    azurite: str, free_port: Callable[[], int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    server = Server(
        state=tmp_path_factory.mktemp("contract-workspace"),
        port=free_port(),
        identity_port=free_port(),
        storage=azurite,
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture
def embedded(workspace_process: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The running workspace, with this test's environment pointing at it."""
    for name, value in workspace_process.variables.items():
        monkeypatch.setenv(name, value)
    return workspace_process
