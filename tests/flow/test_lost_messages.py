"""A worker dies at any call of the fact an event told it of, and takes the message with it: the reconciler finds it."""

from __future__ import annotations

from typing import Any

import pytest
from flow.test_crashes import Fuse, Killed, Wired
from flow.world import World, bank_rows

from shared.domain.facts import ReconcileDue

PORTS = ("table", "present", "files", "bus")


def dropped(fuse: Fuse) -> World:
    """A file was dropped, its event was delivered over the fuse, and the reconciler looked for some minutes."""
    world = World()
    arrived = world.drop("may.csv", bank_rows(10))
    bare = {name: getattr(world, name) for name in PORTS}
    for name, port in bare.items():
        setattr(world, name, Wired(port, fuse))
    try:
        world.deliver(arrived)
    except Killed:
        world.due = []  # what it had published is in the outbox; whether it was sent is not known
    for name, port in bare.items():
        setattr(world, name, port)
    world.bus.take()
    world.tell(*(fact for _, fact in world.due))
    for minute in range(6):
        world.pass_time(60)
        world.tell(ReconcileDue(tick=str(minute)))
    return world


def outcome(world: World) -> dict[str, Any]:
    events = [entry.value for entry in world.ledger.events.newest(limit=1000)]
    uploads = world.ledger.newest("upload")
    return {
        "uploads": [(record.state, record.values["rows"]) for record in uploads],
        "datasets": dict(world.workspace.datasets),
        "submissions": [request.name for request in world.pipeline.submissions],
        "events": sorted((event["type"], event["of"]["id"]) for event in events),
        "tally": dict(world.ledger.present().sums.tally),
        "open": {name: n for name, n in world.ledger.outbox.counted().open.items() if n},
    }


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_upload_whose_worker_and_message_are_lost_is_found(after: bool) -> None:
    fuse = Fuse()
    expected = outcome(dropped(fuse))
    assert expected["uploads"] == [("registered", 10)]
    assert fuse.calls > 10
    differing = {}
    for at in range(1, fuse.calls + 1):
        seen = outcome(dropped(Fuse(at, after=after)))
        if seen != expected:
            differing[at] = {name: seen[name] for name in seen if seen[name] != expected[name]}
    assert differing == {}
