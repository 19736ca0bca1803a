"""What goes otherwise than it should, and mends itself, is counted exactly as often, and shown."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

from flow.exported import Exported
from flow.world import POLICY, World, bank_rows

from shared.domain.facts import ReconcileDue, RunDue
from shared.errors import Transient
from shared.ledger.outbox import FENCE_WAIT, FOUND_OPEN, LOST_RACE, Outbox
from tests.http.asking import app_over, client_of


def _counted(world: World) -> Counter[str]:
    shown = client_of(app_over(world)).get("/api/status").json()["mendedCounts"]
    assert Counter(shown) == world.ledger.present().counted.mended
    return Counter(shown)


def test_where_all_goes_well_nothing_is_counted() -> None:
    world = World()
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    assert _counted(world) == Counter()


def test_lost_events_are_counted_by_kind_and_once_each() -> None:
    world = World()
    for name in ("may.csv", "june.csv"):
        world.drop(name, bank_rows(3, start=len(name) * 100))
    world.pass_time(120)
    for tick in range(3):
        world.tell(ReconcileDue(tick=f"{tick}"), within=1)
    assert _counted(world)["UploadArrived"] == 2


def test_a_file_whose_worker_died_is_no_event_that_did_not_come() -> None:
    world = World()
    arrived = world.drop("may.csv", bank_rows(3))
    claim = world.ledger.claims.claim(arrived)
    world.ledger.outbox.begin(arrived, (), claim=claim)
    world.pass_time(world.policy.claim_seconds + 1)
    world.tell(ReconcileDue(tick="1"), within=1)
    assert world.state("upload", arrived.key) == "admitted"
    assert _counted(world) == {FOUND_OPEN: 1}


def test_a_version_that_waits_for_its_budget_is_found_once() -> None:
    world = World(policy=replace(POLICY, run_least_new_rows=500))
    world.tell(world.drop("may.csv", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    world.tell(world.drop("june.csv", bank_rows(30, start=1000)))
    assert world.state("dataset", "bank:2") == "waiting"
    world.pass_time(world.policy.claim_seconds + 1)
    for tick in range(10):
        world.pass_time(60)
        world.tell(ReconcileDue(tick=f"{tick}"), within=1)
    assert _counted(world) == {"RunDue": 1}
    assert len([fact for fact in world.bus.published if isinstance(fact, RunDue)]) == 1


def test_nothing_is_lost_by_races_nor_counted_twice() -> None:
    world = World()
    first, second = world.ledger.outbox, world.ledger.outbox
    first.expect([RunDue(dataset="bank", version=1, cause="a")])
    second.expect([RunDue(dataset="bank", version=2, cause="a")])
    started = threading.Barrier(2)

    def many(outbox: Outbox, of: str) -> None:
        started.wait()
        for version in range(20):
            outbox.expect([RunDue(dataset=of, version=version, cause="b")])

    threads = [threading.Thread(target=many, args=(box, of)) for box, of in ((first, "x"), (second, "y"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted = world.ledger.present().counted
    assert counted.open["RunDue"] == 42
    assert counted.mended.keys() <= {LOST_RACE}


def test_a_race_that_is_lost_is_counted(exported: Exported) -> None:
    world = World()
    slow, quick = world.ledger.outbox, world.ledger.outbox
    slow._counter_row = quick._counter_row
    for version in range(4):
        (slow, quick)[version % 2].expect([RunDue(dataset="bank", version=version, cause="a")])
    lost = world.ledger.present().counted.mended[LOST_RACE]
    assert lost >= 2
    assert exported.totals()["campanha.lost_races",] == lost
    assert world.ledger.present().counted.open["RunDue"] == 4


def test_a_submission_without_an_answer_waits_and_that_is_counted(exported: Exported) -> None:
    world = World()
    submit = world.pipeline.submit

    def unanswered(request: object) -> str:
        world.pipeline.submit = submit  # type: ignore[method-assign]
        raise Transient("no answer")

    world.pipeline.submit = unanswered  # type: ignore[method-assign,assignment]
    world.tell(world.drop("may.csv", bank_rows(30)))
    assert _counted(world)[FENCE_WAIT] == exported.totals()["campanha.fence_waits",] == 1
    assert world.state("run", "bank-v1-a1") == "started"


def test_a_row_that_counted_less_is_read() -> None:
    world = World()
    world.tell(world.drop("may.csv", bank_rows(3)), within=1)
    for row in list(world.present.rows("now", after="count-", before="count-~")):
        world.present.replace(row, {name: value for name, value in row.value.items() if name != "mended"})
    world.tell()
    assert _counted(world) == Counter()
