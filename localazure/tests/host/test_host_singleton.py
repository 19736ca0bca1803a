"""Two hosts with the same id: one ticks, and the other takes over when the first lets go or dies."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from azure.storage.blob import BlobClient

from localazure.host import owner
from localazure.ports import lasting_port
from running_azure.host import Hosted
from running_azure.waiting import until

EVERY_SECOND = "* * * * * *"


@pytest.fixture
def two(azurite: str, tmp_path: Path) -> Iterator[tuple[Hosted, Hosted]]:
    """Two hosts of one app and one id, each with its own notes; not started yet."""
    prefix = f"h{uuid.uuid4().hex[:10]}"
    made = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        made.append(Hosted(folder=folder, port=lasting_port(), storage=azurite, prefix=prefix))
    yield made[0], made[1]
    for host in made:
        host.stop()


def waits(host: Hosted) -> bool:
    return "on_tick waits for its turn: another host ticks it." in host.log.read_text()


def test_one_ticks_and_the_other_waits_for_its_turn(two: tuple[Hosted, Hosted]) -> None:
    first, second = two
    first.start(TICK=EVERY_SECOND)
    first.await_notes("tick")
    second.start(TICK=EVERY_SECOND)
    until(lambda: waits(second), "the log line")
    first.await_notes("tick", len(first.notes("tick")) + 2)
    assert second.notes("tick") == []
    first.terminate()
    assert first.ended() == 0
    second.await_notes("tick")


def test_a_killed_host_does_not_keep_the_lock(two: tuple[Hosted, Hosted], azurite: str) -> None:
    """Its lease has most of a minute to go; that its process is gone is seen at once."""
    first, second = two
    first.start(TICK=EVERY_SECOND)
    first.await_notes("tick")
    lock = f"locks/{first.prefix}/Host.Functions.on_tick.Listener"
    blob = BlobClient.from_connection_string(azurite, "azure-webjobs-hosts", lock)
    assert blob.get_blob_properties().lease.state == "leased"
    first.kill()
    assert blob.get_blob_properties().lease.state == "leased"
    second.start(TICK=EVERY_SECOND)
    second.await_notes("tick", seconds=20)


def test_another_ones_lock_that_breaks_is_taken(
    hosted: Hosted, azurite: str, free_port: Callable[[], int]
) -> None:
    """A holder on another machine is waited for, and nothing ticks meanwhile."""
    hosted.start(TICK=EVERY_SECOND)
    hosted.await_notes("tick")
    hosted.terminate()
    assert hosted.ended() == 0
    lock = f"locks/{hosted.prefix}/Host.Functions.on_tick.Listener"
    blob = BlobClient.from_connection_string(azurite, "azure-webjobs-hosts", lock)
    blob.set_blob_metadata({"owner": "elsewhere/1/1"})
    lease = blob.acquire_lease(60)
    before = len(hosted.notes("tick"))
    hosted.start(TICK=EVERY_SECOND)
    until(lambda: waits(hosted), "the log line")
    assert len(hosted.notes("tick")) == before
    lease.release()
    hosted.await_notes("tick", before + 1)


@pytest.mark.skipif(sys.platform == "win32", reason="cannot be known there")
def test_who_is_gone_and_who_is_not() -> None:
    mine = owner.this_process()
    machine, pid, _ = mine.rsplit("/", 2)
    assert pid == str(os.getpid())
    assert not owner.is_gone(mine)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert owner.is_gone(f"{machine}/{ended.pid}/1")
    for unknown in ("", "x", f"elsewhere/{ended.pid}/1", f"{machine}/x/1"):
        assert not owner.is_gone(unknown)
    if sys.platform == "linux":
        assert owner.is_gone(f"{machine}/{pid}/1"), "another process with the same pid"
