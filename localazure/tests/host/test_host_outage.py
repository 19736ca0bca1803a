"""The host outlives its storage: it says once that it is gone, and goes on when it is back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localazure.storage.account import Ports
from localazure.storage.supervisor import Azurite
from running_azure.host import Hosted, Pipe
from running_azure.waiting import until


@pytest.fixture
def storage(azurite_service: Azurite, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Azurite]:
    """An Azurite on disk, to be stopped and started (the session's shows that one is installed)."""
    made = Azurite(
        state=tmp_path / "storage", ports=Ports(blob=free_port(), queue=free_port(), table=free_port())
    )
    made.start()
    yield made
    made.stop()


def test_messages_flow_again_when_the_storage_is_back(
    storage: Azurite, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    host = Hosted(folder=tmp_path, port=free_port(), storage=storage.connection_string, prefix="out")
    host.start()
    try:
        queue = Pipe(storage.connection_string, "out-work")
        queue.send(b"before")
        host.await_notes("work")
        storage.stop()
        until(lambda: "out-work cannot be read" in host.log.read_text(), "the warning")
        storage.start()
        queue.send(b"after")
        told = host.await_notes("work", 2)
        assert [one["text"] for one in told] == ["before", "after"]
        assert "out-work answers again" in host.log.read_text()
        assert host.log.read_text().count("out-work cannot be read") == 1
    finally:
        host.stop()
