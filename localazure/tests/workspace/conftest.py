"""One running workspace for this folder's tests, and the unmodified SDK pointed at it by variables alone."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from running_azure.workspace import GROUP, NAME, SUBSCRIPTION, Server, Topic


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The SDK warns about its own internals (experimental classes, deprecated imports): not ours to mend."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:.*"))


@pytest.fixture(scope="session")
def topic() -> Iterator[Topic]:
    made = Topic()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="session")
def new_server(
    azurite: str, free_port: Callable[[], int], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Server]:
    """Call it for a workspace that is not started yet, with a state folder of its own."""

    def make(**more: Any) -> Server:
        return Server(
            state=tmp_path_factory.mktemp("workspace"),
            port=free_port(),
            identity_port=free_port(),
            storage=azurite,
            **more,
        )

    return make


@pytest.fixture(scope="session")
def server(new_server: Callable[..., Server], topic: Topic) -> Iterator[Server]:
    made = new_server(events=topic.url)
    made.start()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def _variables(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The four variables, and nothing else, make the SDK talk to this workspace."""
    for name, value in server.variables.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def _made_once() -> dict[str, Any]:
    return {}


@pytest.fixture
def client(_variables: None, _made_once: dict[str, Any]) -> Any:
    """The production constructor; called once, since each client reads all authorities again."""
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    if "client" not in _made_once:
        _made_once["client"] = MLClient(DefaultAzureCredential(), SUBSCRIPTION, GROUP, NAME)
    return _made_once["client"]


@pytest.fixture
def name() -> str:
    """A name nobody has used."""
    return f"t{uuid.uuid4().hex[:10]}"
