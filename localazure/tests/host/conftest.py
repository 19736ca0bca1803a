"""A running host for each test that asks for one, with queues of its own in the session's Azurite."""

from __future__ import annotations

import textwrap
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from localazure.ports import lasting_port
from running_azure.host import HEAD, Hosted, Pipe


@pytest.fixture
def hosted(azurite: str, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Hosted]:
    """Not started yet."""
    made = Hosted(folder=tmp_path, port=free_port(), storage=azurite, prefix=f"h{uuid.uuid4().hex[:10]}")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def shared_host(
    azurite: str, tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[Hosted]:
    """One running host for all the tests of a module."""
    folder = tmp_path_factory.mktemp("host")
    made = Hosted(folder=folder, port=free_port(), storage=azurite, prefix=f"h{uuid.uuid4().hex[:10]}")
    made.start(**{"AzureWebJobs.d_off.Disabled": "true"})
    yield made
    made.stop()


@pytest.fixture
def queue(azurite: str, hosted: Hosted) -> Callable[[str], Pipe]:
    """The test's queue with that ending."""
    return lambda name: Pipe(azurite, f"{hosted.prefix}-{name}")


Apps = Callable[..., Hosted]


@pytest.fixture
def hosted_app(azurite: str, tmp_path: Path) -> Iterator[Apps]:
    """Call it with the text of a function_app.py (and of a host.json): a host on that app, not started yet."""
    with _apps(azurite, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def lasting_app(azurite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apps]:
    """The same, for a host that serves all the tests of a module."""
    with _apps(azurite, tmp_path_factory.mktemp("host")) as made:
        yield made


@contextmanager
def _apps(azurite: str, folder: Path) -> Iterator[Apps]:
    made: list[Hosted] = []

    def hosted(text: str, host_json: str = '{"version": "2.0"}') -> Hosted:
        app = folder / "app"
        app.mkdir(exist_ok=True)
        (app / "function_app.py").write_text(HEAD + textwrap.dedent(text))
        (app / "host.json").write_text(host_json)
        prefix = f"h{uuid.uuid4().hex[:10]}"
        host = Hosted(folder=folder, port=lasting_port(), storage=azurite, prefix=prefix, app=app)
        made.append(host)
        return host

    yield hosted
    for host in made:
        host.stop()
