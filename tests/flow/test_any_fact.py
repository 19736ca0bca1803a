"""Any fact that a message can carry, true or not, at any time: its step leads to what the table names, and to nothing else.

Messages are written by this app, by older and newer versions of it, and by whoever has a key to the queue.
"""

from __future__ import annotations

import itertools
import json
from collections import deque
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from functools import cache
from unittest import mock

import pytest
from flow.any_fact import facts_of
from flow.season import lived
from flow.world import World, bank_rows, golden
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.delivery import fact_in, receive
from shared import flow, wiring
from shared.domain import names
from shared.domain.facts import (
    FACTS,
    BatchDue,
    DatasetRegistered,
    Fact,
    ReadmissionRefused,
    ReadmissionRequested,
    ReleaseDue,
    RunDue,
    ShardsScored,
)
from shared.errors import Refused, Transient, UnreadableMessage
from shared.kinds import KINDS
from shared.ledger.claims import Outcome
from shared.procedures.run_slot import SLOT
from tests.http.asking import VERSION, app_over, client_of

RULES = {fact.__name__: (fact, rule.leads_to) for rule in flow.FLOW for fact in rule.when}
DOCUMENTED: dict[str, tuple[type[Exception], ...]] = {
    "replay_events": (Refused,),  # of a subscriber that is set up no more: a person is told
    "begin_operation": (UnreadableMessage,),
    "score_shard": (Refused,),
}
"""What a step may raise beside `Transient`, as its docstring says."""
MOST_STEPS = 60
"""What one fact leads to is followed so far."""


@cache
def season() -> World:
    """One in which much has happened, and in which somebody dropped files that nobody was told of."""
    world = lived(World())
    clients = "\n".join(line.rsplit(";", 1)[0] for line in bank_rows(9, start=7000).splitlines()) + "\n"
    world.files.write("scoring", "unseen.csv", clients.encode())
    world.drop("unseen.csv", bank_rows(9, start=8000))
    return world


def copy_of(world: World) -> World:
    """The same world again, so that each example begins with it."""
    copy = World(policy=world.policy, time=world.time)
    for mine, other in ((copy.table, world.table), (copy.present, world.present)):
        mine._rows = dict(other._rows)
        mine._partitions = {name: set(rows) for name, rows in other._partitions.items()}
        mine._etags = itertools.count(1_000_000)
    copy.files._blobs, copy.files._etags = dict(world.files._blobs), itertools.count(1_000_000)
    copy.files._blocks = {name: dict(blocks) for name, blocks in world.files._blocks.items()}
    copy.workspace = deepcopy(world.workspace)
    for pipeline, known in ((copy.pipeline, world.pipeline), (copy.scoring_pipeline, world.scoring_pipeline)):
        pipeline.workspace, pipeline.submissions = copy.workspace, list(known.submissions)
    copy.published = set(world.published)
    return copy


def led_to(fact: Fact, world: World) -> tuple[Fact, ...]:
    """By the fact's step alone, whether or not it was done before; () where it is to be tried again."""
    step = flow.STEPS[type(fact)]
    try:
        return Outcome.of(step(fact, world.services)).facts
    except (Transient, *DOCUMENTED.get(step.__name__, ())):
        return ()


def deliver(fact: Fact, world: World) -> None:
    """As a message in its queue, with all that it leads to."""
    waiting = deque([fact])
    with mock.patch.object(wiring, "services", return_value=world.services):
        for _ in range(MOST_STEPS):
            if not waiting:
                return
            due = waiting.popleft()
            step = flow.STEPS.get(type(due))
            with suppress(Transient, *DOCUMENTED.get(step.__name__ if step else "", ())):
                receive("steps", due.to_json().encode(), fact_in, expected=due.key in world.published)
            led = world.bus.take()
            world.published |= {one.key for one in led}
            waiting += led


@pytest.mark.parametrize(("kind", "leads_to"), RULES.values(), ids=RULES)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_step_leads_to_what_the_table_names(
    kind: type[Fact], leads_to: tuple[type[Fact], ...], data: st.DataObject
) -> None:
    fact = data.draw(facts_of(season(), kind))
    found = led_to(fact, copy_of(season()))
    assert {type(one) for one in found} <= set(leads_to)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_messages_true_or_not_are_dealt_with_one_after_another(data: st.DataObject) -> None:
    world = copy_of(season())
    for fact in data.draw(st.lists(facts_of(season(), *FACTS.values()), min_size=1, max_size=4)):
        deliver(fact, world)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_and_whatever_they_said_the_api_answers(data: st.DataObject) -> None:
    world = copy_of(season())
    deliver(data.draw(facts_of(season(), *FACTS.values())), world)
    asking = client_of(app_over(world))
    for path in (
        "/api/status",
        *(f"/api/{kind.plural}" for kind in KINDS if kind.name not in ("operation", "work")),
    ):
        answer = asking.get(path, params=VERSION)
        assert answer.status_code == 200, path
        assert all("unreadable" not in record for record in answer.json().get("value", ())), path


# --- what this found ------------------------------------------------------------------------------------------


def test_a_release_that_was_polled_beyond_count_waits_no_longer_than_ever() -> None:
    """Two to the power of such a number fills all memory there is."""
    world = World()
    due = ReleaseDue(run="r", dataset="bank", version=1, poll=2**40, after_seconds=0)
    world.workspace.state_of_new_deployments = "Creating"
    world.workspace.documents["bank", 1] = {"golden": golden(1)}
    [again] = led_to(due, world)
    assert again.delay_seconds == world.policy.release_poll_seconds


def test_a_batch_is_not_sealed_before_all_its_shards_are_scored() -> None:
    world = copy_of(season())
    world.policy = replace(world.policy, engine_bytes=0, shard_bytes=1)
    blob = world.files.stat("scoring", "unseen.csv")
    assert blob is not None
    due = BatchDue(name=blob.name, etag=blob.etag)
    profile, *_ = flow.handle(due, world.services)
    first, *_ = flow.handle(profile, world.services)
    flow.handle(first, world.services)
    with pytest.raises(Transient, match="1 of the 9 shards"):
        flow.handle(ShardsScored(batch=due.batch), world.services)
    assert world.files.stat("scored", names.scored_blob(due.batch)) is None
    world.tell(*world.bus.take())
    assert world.state("batch", due.batch) == "scored"


def test_rows_that_were_readmitted_are_not_readmitted_again() -> None:
    world = copy_of(season())
    [readmitted] = [one.id for one in world.ledger.newest("upload") if one.id.startswith("readmitted/")]
    [kept] = led_to(ReadmissionRequested(upload=readmitted, operation="o"), world)
    assert isinstance(kept, ReadmissionRefused)
    assert "it was itself readmitted" in kept.reason


def test_a_decision_that_there_is_not_is_no_message() -> None:
    body = {"fact": "QuarantineDecided", "upload": "u", "by": "b", "reason": "", "decision": "held"}
    with pytest.raises(
        UnreadableMessage, match="its decision is no 'retried' or 'readmitted' or 'discarded'"
    ):
        Fact.from_json(json.dumps(body))
    assert Fact.from_json(json.dumps({**body, "decision": "retried"}))


@pytest.mark.parametrize(
    "due",
    [
        DatasetRegistered(dataset="bank", version=99, rows=1, uploads=1),
        RunDue(dataset="bank", version=99, cause="c"),
    ],
)
def test_a_version_that_nobody_made_holds_no_run_slot(due: Fact) -> None:
    """It would keep every real version below its number from being learned from."""
    world = World()
    with pytest.raises(Transient, match=r"bank/manifests/99.json is missing"):
        flow.handle(due, world.services)
    assert world.ledger.documents.read(SLOT, "bank") is None
    world.tell(world.drop("may.csv", bank_rows(30)))
    assert [one.version for one in world.pipeline.submissions] == [1]
