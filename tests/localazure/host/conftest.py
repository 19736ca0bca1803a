"""A running host for each test that asks for one, with queues of its own in the session's Azurite."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.localazure.host.running import Hosted, Pipe


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
