"""The shortest ways to the worst that once happened, through the app's own handlers: each ends as it should.

One more, rows that a model knew and was judged by, is the training's own: tests/unit/pipelines/training/test_overlap.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from shared.domain import names
from shared.domain.facts import ScoringDue
from shared.errors import Transient, Unanswerable
from shared.ports import Blob, Scores
from simulation import determinism
from simulation.bank import bank_rows
from simulation.oracles import Run, records, rows_in, rows_out
from simulation.processes import DIED_AFTER, DIED_BEFORE, OPTIONS
from simulation.scenarios import drops, ticks
from simulation.world import Clock, Happens, LoggedTable, Numbers, World

ENDPOINT = "campanha-bank"
CLIENTS = "\n".join(line.rpartition(";")[0] for line in bank_rows(30, start=40).splitlines()) + "\n"
JUNE = bank_rows(25, start=300)


@pytest.fixture(autouse=True, scope="module")
def _installed() -> Iterator[None]:
    with determinism.installed():
        yield


def day(*happens: tuple[float, Any], deviations: dict[int, int] | None = None, noting: bool = False) -> World:
    """A model is trained on a first file; then comes what the case is about."""
    world = World(deviations or {}, noting=noting)
    for at, act in ((0, drops(names.INCOMING, "may.csv", bank_rows(30))), *happens):
        world.later(at, Happens(act))
    for at in range(120, 2400, 120):
        world.later(at, Clock())
    return world


def of_kind(world: World, kind: str) -> dict[str, dict[str, Any]]:
    return {
        value["values"].get("name", id_): value for (of, id_), value in records(world).items() if of == kind
    }


def test_a_blob_in_the_archive_keeps_no_other_from_being_scored_and_a_person_is_told() -> None:
    world = day(
        *((300, drops(names.SCORING, name, CLIENTS.replace("20;", f"{age};", 1)))
          for name, age in (("a.csv", 21), ("old.csv", 22), ("z.csv", 23))),
        (301, ticks(ScoringDue(tick="1"))),
    )  # fmt: skip
    read = world.files.read_range

    def archived(blob: Blob, start: int, end: int) -> bytes:
        if blob.name == "old.csv":
            raise Transient("blob storage, at scoring/old.csv, answered 409 BlobArchived")
        return read(blob, start, end)

    world.files.read_range = archived  # type: ignore[method-assign]
    world.run()
    states = {name: batch["state"] for name, batch in of_kind(world, "batch").items()}
    assert (states["a.csv"], states["z.csv"]) == ("scored", "scored")
    [failure] = of_kind(world, "failure").values()
    assert (failure["state"], "old.csv" in failure["values"]["reason"]) == ("dead-lettered", True)


def _at(world: World, label: str, nth: int = 1) -> int:
    """The number of the choice point that has this label, as often as that before it."""
    world.run()
    assert world.choices.noted is not None
    found = [at for at, point in enumerate(world.choices.noted, 1) if point.label == label]
    return found[nth - 1]


def test_rows_whose_worker_died_before_its_part_was_written_come_in_by_the_file_that_is_sent_again() -> None:
    happens = (
        (600, drops(names.INCOMING, "june.csv", JUNE)),
        (605, drops(names.INCOMING, "june-again.csv", JUNE)),
    )
    writes = _at(day(happens[0], noting=True), "files.write_once", 2)  # the first is may.csv's part
    died = OPTIONS["write_once"].index(DIED_BEFORE) + 1
    world = day(*happens, deviations={writes: died})
    world.run()
    assert [taken.label for taken in world.choices.taken] == ["files.write_once"]
    assert list(rows_in(Run(world, None))) == []
    uploads = of_kind(world, "upload")
    assert sorted(uploads[name]["state"] for name in ("june.csv", "june-again.csv")) == [
        "duplicate",
        "registered",
    ]
    assert of_kind(world, "dataset")["bank:2"]["values"]["rows"] == 55


def test_a_model_that_got_the_traffic_as_its_worker_died_and_then_fails_its_test_does_not_keep_it() -> None:
    second = (600, drops(names.INCOMING, "june.csv", JUNE))
    switches = _at(day(second, noting=True), "workspace.set_traffic", 2)
    world = day(second, deviations={switches: OPTIONS["set_traffic"].index(DIED_AFTER) + 1})
    score = world.endpoint.score

    def fails_once_it_has_answered(endpoint: str, deployment: str, rows: Any) -> Scores:
        if deployment == "model-2" and "model-2" in str(world.workspace.log):
            raise Unanswerable("deployment model-2 answered 424: said the server")
        return score(endpoint, deployment, rows)

    world.endpoint.score = fails_once_it_has_answered  # type: ignore[method-assign]
    world.run()
    assert [taken.label for taken in world.choices.taken] == ["workspace.set_traffic"]
    assert world.workspace.traffic_of(ENDPOINT) == {"model-1": 100}
    assert of_kind(world, "model")["bank:2"]["state"] == "rolled-back"


def test_an_outage_of_the_endpoint_costs_no_row_its_score() -> None:
    world = day((300, drops(names.SCORING, "clients.csv", CLIENTS)), (301, ticks(ScoringDue(tick="1"))))
    score, until = world.endpoint.score, 301_000 + 10_000

    def out(endpoint: str, deployment: str, rows: Any) -> Scores:
        if 301_000 <= world.scheduler.clock < until:
            raise Unanswerable("deployment model-1 answered 424: said the server")
        return score(endpoint, deployment, rows)

    world.endpoint.score = out  # type: ignore[method-assign]
    world.run()
    batch = of_kind(world, "batch")["clients.csv"]
    assert (batch["state"], batch["values"]["rows"], batch["values"]["rejected_rows"]) == ("scored", 30, 0)
    assert list(rows_out(Run(world, None))) == []
    assert world.problems  # it was out


def test_another_ledger_with_other_files_overwrites_and_releases_nothing_of_the_first() -> None:
    first = day()
    first.run()
    manifest = first.files.content(names.DATASETS, names.manifest_blob("bank", 1))
    fresh = [LoggedTable(now=first.scheduler.now, _etags=Numbers()) for _ in range(2)]
    for table in fresh:
        table.log = []
    del first.files._blobs[names.INCOMING, "may.csv"]
    world = World({}, saved=replace(first.saved(), table=fresh[0], present=fresh[1]))
    world.later(1, Happens(drops(names.INCOMING, "other.csv", JUNE)))
    world.later(600, Clock())
    world.run()
    assert world.files.content(names.DATASETS, names.manifest_blob("bank", 1)) == manifest
    assert (of_kind(world, "dataset"), of_kind(world, "model")) == ({}, {})
    assert "another ledger uses this storage" in str(of_kind(world, "failure").values())
