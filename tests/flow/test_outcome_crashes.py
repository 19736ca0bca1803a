"""A crash at any call, from the file of clients to its outcomes: the same call list, and the same figures, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flow.engine import release
from flow.test_crashes import Fuse, Wired, drain
from flow.test_outcomes import clients
from flow.world import World

from shared.domain.facts import ReconcileDue, ScoringDue

PORTS = ("table", "present", "files", "workspace", "bus")
CALLED = {"monday.csv": "row;y\n1;yes\n2;no\n3;perhaps\n", "tuesday.csv": "client;y\nC002;yes\nC004;no\n"}
"""Two files of outcomes, of which the second corrects the first."""


def lived_through(fuse: Fuse, *, lost: bool = False) -> World:
    """A file of clients is scored; as soon as it is, what the calls brought is dropped."""
    world = World()
    release(world, 1)
    world.files.write("scoring", "clients.csv", clients(12).encode())
    bare = {name: getattr(world, name) for name in PORTS}
    for name, port in bare.items():
        setattr(world, name, Wired(port, fuse))
    waiting = dict(CALLED)
    for minute in range(50):
        world.due += [
            (world.time, ReconcileDue(tick=str(minute))),
            (world.time, ScoringDue(tick=str(minute))),
        ]
        end = world.time + timedelta(minutes=1)
        drain(world, bare, until=end, lost=lost)
        world.time = end
        fuse.burning, burning = False, fuse.burning
        scored = [batch.id for batch in world.ledger.newest("batch") if batch.state == "scored"]
        if scored and waiting:
            name, text = waiting.popitem() if len(waiting) == 1 else ("monday.csv", waiting.pop("monday.csv"))
            bare["files"].write("outcomes", f"{scored[0]}/{name}", text.encode())
        fuse.burning = burning
    for name, port in bare.items():
        setattr(world, name, port)
    return world


def seen(world: World) -> dict[str, Any]:
    (batch,) = world.ledger.newest("batch")
    shown = {name: batch.values.get(name) for name in ("expected", "call_list", "outcomes")}
    shown["outcomes"] = {
        **(shown["outcomes"] or {}),
        "joined": None,
    }  # named by the files' ids, so by their ETags
    return {
        **shown,
        "list": world.files.content("scored", f"{batch.id}/call-list.csv"),
        "files": sorted((one.state, one.values.get("rows")) for one in world.ledger.newest("outcome")),
        "failures": len(world.ledger.newest("failure")),
        "unfinished": [fact.key for fact, _ in world.ledger.outbox.unfinished(older_than=timedelta(0))],
    }


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("every", [163, pytest.param(1, marks=pytest.mark.slow)])
def test_a_crash_at_any_call_changes_no_list_and_no_figure(after: bool, every: int) -> None:
    fuse = Fuse()
    expected = seen(lived_through(fuse))
    assert (expected["outcomes"]["rows"], expected["outcomes"]["corrected_rows"]) == (3, 1)
    assert expected["files"] == [("joined", 2), ("joined", 2)]
    assert (expected["failures"], expected["unfinished"]) == (0, [])
    differing = []
    for at in range(1, fuse.calls + 1, every):
        found = seen(lived_through(Fuse(at, after=after), lost=(at + after) % 2 == 0))
        if found != expected:
            differing.append((at, {name: found[name] for name in found if found[name] != expected[name]}))
    assert differing == []
