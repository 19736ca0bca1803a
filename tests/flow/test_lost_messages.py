"""A worker dies, or is misled, at any call of the fact an event told it of, and its message is lost: nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flow.test_crashes import Fuse, Killed, Wired
from flow.world import World, bank_rows

from shared.domain.facts import ReconcileDue
from shared.errors import Conflict, Transient

PORTS = ("table", "present", "files", "bus")


class Retried(Fuse):
    """Storage does a write whose answer is lost, and the client, which asks once more, is told that it cannot be done."""

    def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if method.__name__ not in ("insert", "replace", "commit"):
            return method(*args, **kwargs)
        self.calls += 1
        result = method(*args, **kwargs)
        if self.calls == self.at:
            raise Conflict
        return result


def dropped(fuse: Fuse) -> World:
    """A file was dropped, its event was delivered over the fuse, and the reconciler looked for some minutes."""
    world = World()
    arrived = world.drop("may.csv", bank_rows(10))
    bare = {name: getattr(world, name) for name in PORTS}
    for name, port in bare.items():
        setattr(world, name, Wired(port, fuse))
    try:
        world.deliver(arrived)
    except (Killed, Transient):
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
        "events": sorted((event["type"], event["data"]["id"]) for event in events),
        "tally": dict(world.ledger.present().sums.tally),
        "open": {name: n for name, n in world.ledger.outbox.counted().open.items() if n},
    }


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    seen = outcome(dropped(Fuse()))
    assert seen["uploads"] == [("registered", 10)]
    return seen


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_upload_whose_worker_and_message_are_lost_is_found(expected: dict[str, Any], after: bool) -> None:
    fuse = Fuse()
    dropped(fuse)
    assert fuse.calls > 10
    assert differing(expected, *(Fuse(at, after=after) for at in range(1, fuse.calls + 1))) == {}


def test_a_write_that_storage_did_and_refused_to_do_again_is_done_once(expected: dict[str, Any]) -> None:
    fuse = Retried()
    dropped(fuse)
    assert fuse.calls > 5
    assert differing(expected, *(Retried(at) for at in range(1, fuse.calls + 1))) == {}


def differing(expected: dict[str, Any], *fuses: Fuse) -> dict[int | None, dict[str, Any]]:
    """What came otherwise than expected, by the call at which the fuse was set."""
    seen = {fuse.at: outcome(dropped(fuse)) for fuse in fuses}
    return {
        at: {name: end[name] for name in end if end[name] != expected[name]}
        for at, end in seen.items()
        if end != expected
    }
