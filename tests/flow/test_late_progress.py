"""A worker dies between settling a shard and recording how far the batch is: recorded after the end, it changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flow.engine import release
from flow.world import POLICY, World, bank_rows

from shared.domain.facts import BatchScored, ScoringDue
from shared.domain.kinds.kind import Change
from shared.procedures import shard_progress
from shared.steps import score_shard


def test_progress_that_is_recorded_after_the_end_is_late_news(monkeypatch: pytest.MonkeyPatch) -> None:
    world, late = World(policy=replace(POLICY, shard_bytes=600)), list[Change]()

    def shown(so_far: Any, plan: Any, services: Any) -> list[Change]:
        late.extend(shard_progress.shown(replace(so_far, to_be_shown=True), plan, services))
        return []

    monkeypatch.setattr(score_shard, "shown", shown)
    release(world, 1)
    clients = [line.rsplit(";", 1)[0] for line in bank_rows(60).splitlines()]
    world.files.write("scoring", "clients.csv", "\n".join([*clients, ""]).encode())
    world.tell(ScoringDue(tick="1"))
    assert world.told(BatchScored)
    (batch,) = world.ledger.newest("batch")
    assert late[0].values["rows"] < batch.values["rows"] == len(clients) - 1
    world.ledger.records.apply([late[0]], cause="a shard")
    (after,) = world.ledger.newest("batch")
    assert (after.state, after.values["rows"]) == ("scored", len(clients) - 1)
    assert (
        after.values.get("shards_scored") == batch.values.get("shards_scored")
        or batch.values.get("shards_scored") is None
    )
