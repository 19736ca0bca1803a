"""A new model compared on a batch whose rows were scored with columns of their list: it is asked what the old one was."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flow.test_lists_of_clients import BANK, table
from flow.world import POLICY, World, bank_rows

from shared.adapters.memory import MemoryEndpoint
from shared.domain import names
from shared.domain.batches import shard_rows
from shared.domain.facts import BatchScored, ScoringDue
from shared.domain.models.answers import feature_table
from shared.errors import Unanswerable
from shared.ports import Scores

LISTED = [one.to_json() for one in BANK.list_columns]
OTHER = {"name": "list_retired", "share_of": "job", "values": ["retired"]}


@dataclass
class Reading(MemoryEndpoint):
    """Its answer is of all that a row says, of its list too; and it remembers what it was asked."""

    heard: dict[str, list[Any]] = field(default_factory=dict)
    """By deployment the clients."""
    odd: set[int] = field(default_factory=set)
    """Balances of clients on whom it fails."""

    def score(self, endpoint: str, deployment: str, rows: Any) -> Scores:
        if rows.num_columns == 1:  # golden
            return super().score(endpoint, deployment, rows)
        asked = rows.to_pylist()
        if any(row["balance"] in self.odd for row in asked):
            raise Unanswerable("it divides by nothing")
        self.heard.setdefault(deployment, []).extend(asked)
        whole = feature_table(["row"], [[repr(row)] for row in asked])
        return super().score(endpoint, deployment, whole)


def _world(**endpoint: Any) -> World:
    """Model 1 has scored a list in shards, with columns of the list; model 2's run is under way."""
    made = World(
        policy=replace(POLICY, shard_bytes=700, drift_rows=0),
        endpoint=Reading(**endpoint),
        list_columns=LISTED,
    )
    made.tell(made.drop("may.csv", bank_rows(30)))
    made.finish_run("bank-v1-a1")
    made.files.write("scoring", "clients.csv", table(60))
    made.tell(ScoringDue(tick="1"))
    assert made.told(BatchScored)
    made.tell(made.drop("june.csv", bank_rows(30, start=1000)))
    return made


def _compared_world(**endpoint: Any) -> World:
    made = _world(**endpoint)
    made.finish_run("bank-v2-a1")
    return made


@pytest.fixture
def world() -> World:
    return _world()


def _heard(world: World, deployment: str) -> dict[int, dict[str, Any]]:
    """By balance, which no two of the clients share."""
    assert isinstance(world.endpoint, Reading)
    return {row["balance"]: row for row in world.endpoint.heard.get(deployment, ())}


def _model(world: World) -> dict[str, Any]:
    record = world.ledger.find("model", "bank:2")
    assert record is not None
    return dict(record.values)


@pytest.mark.parametrize("most", [2000, 9])
@pytest.mark.parametrize("piece_bytes", [300, 1 << 20])
@pytest.mark.parametrize("shard_bytes", [700, 1 << 20])
def test_it_is_asked_what_the_serving_model_was_asked_of_the_whole_list(
    world: World, shard_bytes: int, piece_bytes: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard_rows, "PIECE_BYTES", piece_bytes)
    world.policy = replace(world.policy, shard_bytes=shard_bytes, release_shadow_rows=most)
    world.files.write("scoring", "clients.csv", table(59))
    world.tell(ScoringDue(tick="2"))
    world.finish_run("bank-v2-a1")
    shadow, old, new = _model(world)["shadow"], _heard(world, "model-1"), _heard(world, "model-2")
    assert shadow["rows"] == len(new) == min(most, len(new))
    assert len(new) == 9 if most == 9 else len(new) > 20
    assert {place: old[place] for place in new} == new
    assert len({row["list_day_clients"] for row in new.values()}) > 1
    assert (shadow["mean_absolute_difference"], shadow["decisions_differing"]) == (0.0, 0.0)


def test_a_client_whom_the_serving_model_could_not_score_still_stands_on_the_list() -> None:
    odd, sound = _compared_world(odd={100 + 37 * 4}), _compared_world()
    old, new = _heard(odd, "model-1"), _heard(odd, "model-2")
    assert _model(odd)["shadow"]["rows"] == len(new) == len(_heard(sound, "model-2")) - 1
    assert {place: old[place] for place in new} == new


@pytest.mark.parametrize("asked", [[], LISTED[1:]], ids=["none", "some"])
def test_one_that_asks_for_less_of_a_list_is_given_that(world: World, asked: list[dict[str, Any]]) -> None:
    world.list_columns = asked
    world.finish_run("bank-v2-a1")
    assert _model(world)["shadow"]["rows"] > 20
    listed = {one["name"] for one in LISTED}
    for row in _heard(world, "model-2").values():
        assert row.keys() & listed == {one["name"] for one in asked}


@pytest.mark.parametrize(
    "other", [OTHER, {**LISTED[-1], "above": 3}], ids=["of another name", "of the same name"]
)
def test_where_it_asks_for_what_was_not_counted_that_is_said(world: World, other: dict[str, Any]) -> None:
    world.list_columns = [*LISTED[:-1], other]
    world.finish_run("bank-v2-a1")
    assert _model(world).get("shadow") is None
    assert f"it reads {other['name']} of a list, which nobody counted" in _model(world)["shadow_skipped"]
    assert not _heard(world, "model-2")
    assert world.state("model", "bank:2") == "released"


@pytest.mark.parametrize("what", ["gone", "of other rows"])
def test_a_profile_that_is_not_the_batchs_any_more_holds_no_release_up(world: World, what: str) -> None:
    (batch,) = world.ledger.newest("batch")
    place = names.batch_profile_blob(batch.id)
    if what == "gone":
        del world.files._blobs["scored", place]
    else:
        told = (world.files.content("scored", place) or b"").replace(b'"rows": ', b'"rows": 1')
        world.files.write("scored", place, told)
    world.finish_run("bank-v2-a1")
    why = "which nobody counted" if what == "gone" else "no row can be compared"
    assert why in _model(world)["shadow_skipped"]
    assert world.state("model", "bank:2") == "released"
