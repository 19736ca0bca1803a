"""A file to score as a whole: its list columns go to the model, and one that is implausible waits for a person."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from flow import engine
from flow.engine import output, release
from flow.test_crashes import Fuse, Killed, Wired
from flow.world import CONTRACTS, POLICY, World, bank_rows

from pipelines.training.drift import profile
from serving.features import Feature
from shared.adapters.memory import MemoryEndpoint
from shared.domain.batches.batch_profile import BatchProfile
from shared.domain.batches.shard_rows import ShardRows
from shared.domain.facts import BatchApproved, BatchHeld, BatchRefused, BatchScored, ReconcileDue, ScoringDue
from shared.domain.lists.list_values import list_values
from shared.errors import Transient
from shared.ports import Scores
from shared.procedures.held_batches import HELD
from shared.procedures.open_batches import deployments_in_use

(BANK,) = (contract for contract in CONTRACTS if contract.dataset == "bank")
NAME = "clients.csv"


def table(count: int, *, balance: int = 1, days: int = 3) -> bytes:
    """Clients called on runs of days; every fifth by telephone, every fourth known; some rows break the contract."""
    lines = [line.rsplit(";", 1)[0].split(";") for line in bank_rows(count).splitlines()]
    for place, cells in enumerate(lines[1:]):
        cells[5] = str((100 + 37 * place) * balance)
        cells[8] = "telephone" if place % 5 == 0 else "cellular"
        cells[9] = str(1 + place // 11 % days)
        cells[14] = "2" if place % 4 == 0 else "0"
        cells[1] = "astronaut" if place % 17 == 3 else cells[1]
    return ("\n".join(map(";".join, lines)) + "\n").encode()


def learned() -> dict[str, Any]:
    """The profile of a model that learned from such clients."""
    features = [Feature.from_json(column.to_json()) for column in BANK.features]
    rows = [line.split(";") for line in table(200).decode().splitlines()]
    columns = dict(zip(rows[0], zip(*rows[1:], strict=True), strict=True))
    matrix = np.array([_encoded(one, columns[one.name]) for one in features]).T
    return dict(json.loads(json.dumps(profile(features, matrix))))


def _encoded(feature: Feature, texts: Any) -> list[float]:
    if feature.type == "category":
        return list(feature.encode(list(texts)))
    return [float(text) for text in texts]


@dataclass
class Listening(MemoryEndpoint):
    """Remembers the rows it was asked for."""

    heard: list[Any] = field(default_factory=list)

    def score(self, endpoint: str, deployment: str, rows: Any) -> Scores:
        self.heard.append(rows)
        return super().score(endpoint, deployment, rows)


def world_of(file: bytes = b"", **policy: Any) -> World:
    made = World(policy=replace(POLICY, **{"shard_bytes": 700, **policy}), endpoint=Listening())
    release(made, 1)
    definitions = [one.to_json() for one in BANK.list_columns]
    made.workspace.documents["bank", 1] = {"model": {"list_columns": definitions}, "profile": learned()}
    made.files.write("scoring", NAME, file or table(60))
    return made


def batch_of(world: World) -> Any:
    return max(world.ledger.newest("batch"), key=lambda record: record.created)


def asked(world: World) -> Any:
    """All the rows the endpoint was asked for, in the order of the file."""
    rows = pa.Table.from_batches(world.endpoint.heard)  # type: ignore[attr-defined]
    return rows.sort_by("balance")


# --- list columns ----------------------------------------------------------------------------------------------------


def test_a_model_is_sent_what_the_list_says_as_a_whole_whatever_the_shards() -> None:
    world = world_of()
    world.tell(ScoringDue(tick="1"))
    assert world.told(BatchScored)
    found = asked(world)
    assert found.num_rows == 56
    assert batch_of(world).values["shards"] > 3
    expected = list_values(BANK.list_columns, found.select([one.name for one in BANK.features]))
    for name, values in expected.items():
        assert found.column(name).to_pylist() == values.tolist(), name
    assert len({*expected["list_day_clients"]}) > 1


def test_a_model_without_list_columns_is_sent_the_features_alone() -> None:
    world = world_of()
    world.workspace.documents["bank", 1] = {}
    world.tell(ScoringDue(tick="1"))
    assert asked(world).column_names == [one.name for one in BANK.features]


def test_a_run_is_given_the_same_profile() -> None:
    by_the_endpoint, by_a_run = world_of(), world_of(engine_bytes=1)
    by_the_endpoint.tell(ScoringDue(tick="1"))
    by_a_run.tell(ScoringDue(tick="1"))
    request = by_a_run.scoring_pipeline.submissions[0]
    told = by_a_run.files.content("scored", request.profile_url.removeprefix("memory://scored/"))
    assert told is not None
    assert BatchProfile.from_json(told).whole.rows == 56
    engine.end(by_a_run, request.name)
    assert output(by_a_run) == output(by_the_endpoint)


def test_other_rows_than_were_profiled_are_not_scored() -> None:
    world = world_of()
    world.tell(ScoringDue(tick="1"))
    told = world.files.content("scored", f"{batch_of(world).id}/profile.json")
    assert told is not None
    found = BatchProfile.from_json(told)
    (first, *_) = world.endpoint.heard  # type: ignore[attr-defined]
    piece = ShardRows(rows=None, good=None, features=first.slice(1), problems={}, mended=Counter())  # type: ignore[arg-type]
    with pytest.raises(Transient, match="other rows than were profiled"):
        list(found.features_of([piece], 0))


# --- held ------------------------------------------------------------------------------------------------------------


def held_world(**policy: Any) -> World:
    world = world_of(table(60, balance=1000), **policy)
    world.tell(ScoringDue(tick="1"))
    return world


def test_a_column_off_by_a_thousand_holds_the_file_before_a_row_is_scored() -> None:
    world = held_world()
    batch = batch_of(world)
    assert batch.state == "held"
    assert world.endpoint.requests == 0
    (held,) = world.told(BatchHeld)
    (column,) = held.columns
    assert (column["column"], column["rule"], column["share"]) == ("balance", "magnitude", 1.0)
    assert held.reason == batch.values["reason"]
    assert "100000 to 2.283e+06 here, 100 to 7463 there" in held.reason
    assert {"order": "3", "share": 0.0, "learned_share": 0.875} in column["orders"]
    assert deployments_in_use(world.services) == {"model-1"}


@pytest.mark.parametrize("engine_bytes", [0, 1])
def test_what_is_approved_of_is_scored_as_it_is(engine_bytes: int) -> None:
    world = held_world(engine_bytes=engine_bytes)
    calm = world_of(table(60, balance=1000), implausible_lists="score", engine_bytes=0)
    calm.tell(ScoringDue(tick="1"))
    for _ in "12":
        world.tell(BatchApproved(batch=batch_of(world).id, by="key:operator", reason="rebased"))
    for request in world.scoring_pipeline.submissions:
        engine.end(world, request.name)
    batch = batch_of(world)
    assert batch.state == "scored"
    assert (batch.values["approved_by"], batch.values["approved_because"]) == ("key:operator", "rebased")
    assert output(world) == output(calm)
    assert world.ledger.documents.read_all(HELD) == []
    assert len(world.told(BatchScored)) == 1


def test_a_mended_file_takes_the_place_of_the_held_one() -> None:
    world = held_world()
    first = batch_of(world).id
    world.files.write("scoring", NAME, table(60))
    world.pass_time(1)
    world.tell(ScoringDue(tick="2"))
    old, new = world.ledger.find("batch", first), batch_of(world)
    assert old is not None
    assert (old.state, old.values["replaced_by"], new.state) == ("replaced", new.id, "scored")
    assert world.ledger.documents.read_all(HELD) == []
    assert deployments_in_use(world.services) == set()


def test_a_held_file_that_is_gone_is_refused_when_it_is_approved_of() -> None:
    world = held_world()
    del world.files._blobs["scoring", NAME]
    world.tell(BatchApproved(batch=batch_of(world).id, by="key:operator", reason="rebased"))
    assert world.told(BatchRefused)
    assert batch_of(world).state == "refused"


def test_a_model_that_says_nothing_of_ranges_holds_nothing() -> None:
    world = world_of(table(60, balance=1000))
    for column in world.workspace.documents["bank", 1]["profile"]["columns"]:
        column.pop("orders", None)
    world.tell(ScoringDue(tick="1"))
    assert batch_of(world).state == "scored"


def test_how_far_each_column_and_the_scores_are_stands_in_the_record() -> None:
    world = world_of()
    world.tell(ScoringDue(tick="1"))
    values = batch_of(world).values
    assert {one["column"] for one in values["drift"]} == {one.name for one in BANK.features}
    assert values["score_drift"]["limit"] > 0.1
    furthest = values["drift"][0]
    assert furthest["psi"] >= values["drift"][-1]["psi"]


# --- deaths ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("balance", "ends_as"), [(1, "scored"), (1000, "held")])
def test_a_death_at_any_call_is_made_up_for(balance: int, ends_as: str) -> None:
    """At every third call; the sweep finds what was left undone."""
    calm = Fuse()
    expected = _lived_through(calm, balance)
    assert batch_of(expected).state == ends_as
    for at in range(1, calm.calls + 1, 3):
        world = _lived_through(Fuse(at, after=at % 2 == 0), balance)
        assert (batch_of(world).state, output(world)) == (ends_as, output(expected)), at


def _lived_through(fuse: Fuse, balance: int) -> World:
    world = world_of(table(20, balance=balance))
    ports = ("table", "present", "files", "bus", "workspace")
    bare = {name: getattr(world, name) for name in ports}
    for name, port in bare.items():
        setattr(world, name, Wired(port, fuse))
    with suppress(Killed):
        world.tell(ScoringDue(tick="1"))
    for name, port in bare.items():
        setattr(world, name, port)
    for minute in range(4):
        world.pass_time(world.policy.claim_seconds + 60)
        world.tell(ReconcileDue(tick=f"{minute}"), ScoringDue(tick=f"{minute + 2}"))
    return world
