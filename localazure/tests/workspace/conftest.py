"""One running workspace for this folder's tests, and the unmodified SDK pointed at it by variables alone."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localazure.workspace.routes import ROUTES
from running_azure.workspace import GROUP, NAME, ROUTES_CALLED, SUBSCRIPTION, Server, Topic

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The SDK warns about its own internals (experimental classes, deprecated imports): not ours to mend."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:.*"))


@pytest.fixture(scope="session", autouse=True)
def _every_route_is_called(request: pytest.FixtureRequest, _ran: set[Path]) -> Iterator[None]:
    """Made before any server and so ended after all of them, whichever test came last: no route is without a test."""
    yield
    options = request.config.option
    some = options.keyword or any("::" in argument for argument in request.config.args)
    left_out = [file for file in HERE.glob("test_*.py") if file not in _ran]
    if some or any("mark.slow" not in file.read_text(encoding="utf-8") for file in left_out):
        return  # says something only where the whole folder ran, in this very process
    uncalled = [route for one in ROUTES if (route := f"{one.method} {one.path}") not in ROUTES_CALLED]
    if uncalled:
        pytest.fail("no test of the workspace calls:\n" + "\n".join(uncalled), pytrace=False)


@pytest.fixture(scope="session")
def _ran() -> set[Path]:
    """The files of which a test ran."""
    return set()


@pytest.fixture(autouse=True)
def _runs(request: pytest.FixtureRequest, _ran: set[Path]) -> None:
    _ran.add(request.path)


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
