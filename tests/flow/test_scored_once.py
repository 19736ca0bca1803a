"""A batch under everything at once: deaths, doubles, another order, a model that misbehaves; the bytes are the same."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib import import_module
from io import StringIO
from typing import Any

import numpy as np
import pytest
from flow.engine import release
from flow.test_crashes import MESSAGE_LEASE, Fuse, Killed, Wired
from flow.world import POLICY, World, bank_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.adapters import model_server as wrong
from unit.adapters.model_server import ModelServer, model_server, status

from shared.adapters import scoring
from shared.adapters.memory import MemoryFiles
from shared.adapters.scoring import RestEndpoint
from shared.domain import names
from shared.domain.batches import request_split as requests
from shared.domain.batches import scored_file, shard_plan, shard_rows
from shared.domain.batches.scored_file import ScoredShard
from shared.domain.facts import Fact, ReconcileDue, ScoringDue
from shared.domain.models.answers import DECISIONS, Answers, feature_table
from shared.errors import CampanhaError, InProgress, Transient, Unanswerable
from shared.ledger.claims import Claims
from shared.procedures import shard_progress
from shared.procedures.open_batches import read_plan
from shared.procedures.released_model import RELEASED

ROWS = 60
POISON = {22, 33, 44, 55, 66, 77}
"""The model fails on clients of these ages, always."""
PASSING = (
    status(429, Retry_After="0"),
    status(503),
    status(408),
    wrong.short,
    wrong.nan,
    wrong.no_arrow,
    wrong.hang_up,
    wrong.cut_off,
    wrong.drip,
)
FINE: dict[str, Any] = {
    "shard_bytes": 600,
    "request_bytes": 4400,
    "most_attempts": 1000,
    "most_unscored_share": 0.2,
}
MOST_MINUTES = 400
FIRST_MOMENT = "2026-11-24T08:00:00.000+00:00"
plan_batch, score_shard = (import_module(f"shared.steps.{name}") for name in ("plan_batch", "score_shard"))


def clients() -> bytes:
    """Good rows, rows that break the contract, quoted line ends, a stray quote, and rows the model fails on."""
    lines = [line.rsplit(";", 1)[0] for line in bank_rows(ROWS).splitlines()]
    lines[5] = lines[5].replace("technician", "astronaut")
    lines[9] = "1;2"
    lines[20] = '"' + lines[20]
    lines[31] = lines[31].replace("technician", '"tech\n' + "nician\n" * 90 + '"')
    return ("\r\n".join(lines) + "\r\n").encode()


@pytest.fixture(scope="module", autouse=True)
def small_pieces() -> Iterator[None]:
    """A shard is read in several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard_rows, "PIECE_BYTES", 250)
        yield


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server() as served:
        served.always = lambda rows: status(424) if POISON & set(rows.column("age").to_pylist()) else None
        yield served


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits: the order of things is drawn, not timed."""
    monkeypatch.setattr(scoring, "_pause", lambda reply, attempt: 0.0)
    monkeypatch.setattr(scoring, "REQUEST_SECONDS", 0.1)


@dataclass
class Night:
    """A batch on its way, and what is done to it."""

    server: ModelServer
    chance: random.Random
    calm: bool = False
    world: World = field(init=False)
    bare: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(policy=replace(POLICY, **FINE))
        self.world.endpoint = RestEndpoint(self.server.address, in_flight=4, patience=5)  # type: ignore[assignment]
        self._release(7)
        self.world.files.write("scoring", "clients.csv", clients())
        self.bare = {name: getattr(self.world, name) for name in ("table", "present", "files", "bus")}

    def _release(self, version: int) -> None:
        release(self.world, version)
        rows = feature_table(["age"], [[age] for age in sorted(set(range(20, 40)) - POISON)])
        documents = {
            "columns": ["age"],
            "rows": [list(row.values()) for row in rows.to_pylist()],
            "probability": wrong.scores(rows, str(version)),
        }
        self.world.workspace.documents["bank", version] = {"golden": documents}

    def scored(self) -> dict[str, bytes]:
        """Minute by minute until the batch is sealed, and on until nothing is left to do."""
        for minute in range(MOST_MINUTES):
            self.world.due += [
                (self.world.time, tick)
                for tick in (ScoringDue(tick=str(minute)), ReconcileDue(tick=str(minute)))
            ]
            if not self.calm and self._planned() and self.chance.random() < 0.3:
                self._release(8 + minute)
            end = self.world.time + timedelta(minutes=1)
            self._until(end)
            self.world.time = max(self.world.time, end)
            self._hold_to_the_promise()
            if self._sealed() and not [fact for _, fact in self.world.due if not fact.hint]:
                return self.output()
        raise AssertionError(f"the batch was not sealed in {MOST_MINUTES} minutes")

    def _until(self, end: Any) -> None:
        while ready := [item for item in self.world.due if item[0] <= end]:
            item = ready[0] if self.calm else self.chance.choice(ready)
            self.world.due.remove(item)
            self.world.time = max(self.world.time, item[0])
            self._deliver(item[1])

    def _deliver(self, fact: Fact) -> None:
        if self.calm:
            self.world.deliver(fact)
            return
        again = self.world.time + timedelta(seconds=self.chance.randrange(120))
        if not fact.hint and self.chance.random() < 0.2:
            self.world.due.append((again, fact))
        if self.chance.random() < 0.4:
            self.server.faults = [self.chance.choice(PASSING)]
        fuse = Fuse(self.chance.randrange(1, 25), after=self.chance.random() < 0.5)
        self._wire(fuse if self.chance.random() < 0.5 else Fuse())
        try:
            self.world.deliver(fact)
        except Killed:
            self.world.due += [(self.world.time, told) for told in self.bare["bus"].take()]
            if not fact.hint:
                self.world.due.append((self.world.time + MESSAGE_LEASE, fact))
        except CampanhaError:
            if not fact.hint:
                self.world.due.append((again, fact))
        finally:
            for name, port in self.bare.items():
                setattr(self.world, name, port)

    def _wire(self, fuse: Fuse) -> None:
        for name, port in self.bare.items():
            setattr(self.world, name, Wired(port, fuse))

    def _planned(self) -> bool:
        return any(blob.name.endswith("plan.json") for blob in self.world.files.list("scored"))

    def _sealed(self) -> bool:
        return any(record.state == "scored" for record in self.world.ledger.newest("batch"))

    def _hold_to_the_promise(self) -> None:
        """What a reader may rely on at any moment: a manifest means that all it speaks of is there."""
        names = {blob.name for blob in self.world.files.list("scored")}
        for name in names:
            if name.endswith("manifest.json"):
                assert {name.replace("manifest.json", "scored.csv")} <= names, "a manifest without its output"

    def output(self) -> dict[str, bytes]:
        """Every blob of the batch; the plan without the moment at which the model was chosen."""
        found = {blob.name: b"".join(self.world.files.read(blob)) for blob in self.world.files.list("scored")}
        (plan,) = [name for name in found if name.endswith("plan.json")]
        del found[plan]
        return found


@pytest.fixture(scope="module")
def calm(server: ModelServer) -> dict[str, bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "_pause", lambda reply, attempt: 0.0)
        return Night(server, random.Random(0), calm=True).scored()


def versions(output: dict[str, bytes]) -> set[str]:
    (lines,) = [data for name, data in output.items() if name.endswith("scored.csv")]
    return {
        row["model_version"] for row in csv.DictReader(StringIO(lines.decode(), newline=""), delimiter=";")
    }


def test_a_calm_night(calm: dict[str, bytes]) -> None:
    (lines,) = [data.decode() for name, data in calm.items() if name.endswith("scored.csv")]
    (manifest,) = [json.loads(data) for name, data in calm.items() if name.endswith("manifest.json")]
    assert len(manifest["shards"]) > 5
    # the job over many lines is as many broken records: no column of the contract may hold a line end
    assert manifest["rows"] == ROWS + 91
    assert manifest["rejected_rows"] == 3 + 92 + len(POISON)  # astronaut, 1;2, the stray quote
    assert lines.count("the model could not score this row") == len(POISON)
    assert versions(calm) == {"7", ""}


@given(st.integers(0, 2**32))
@settings(max_examples=4, deadline=None)
def test_whatever_happens_the_bytes_are_the_same(
    server: ModelServer, calm: dict[str, bytes], seed: int
) -> None:
    assert Night(server, random.Random(seed)).scored() == calm


# --- the test of the test: known ways to get this wrong, each of which must show ------------------------------

Plant = Callable[[pytest.MonkeyPatch], None]


def counts_each_telling(patch: pytest.MonkeyPatch) -> None:
    def count(shard: Any, plan: Any, services: Any) -> shard_progress.SoFar:
        before = services.ledger.documents.read(shard_progress.COUNTED, plan.batch)
        told = (before.value.rows if before else 0) + 1
        counted = shard_progress.Counted(done="0", rows=told, bytes=0, shown="")
        services.ledger.documents.write(shard_progress.COUNTED, plan.batch, counted, over=before)
        complete = told == len(plan.cut.shards)
        return shard_progress.SoFar(shards=told, rows=0, bytes=0, complete=complete, to_be_shown=True)

    patch.setattr(shard_progress, "_counted_in", count)


def takes_the_model_of_the_moment(patch: pytest.MonkeyPatch) -> None:
    def newest(batch: str, dataset: str, services: Any) -> Any:
        value = services.ledger.documents.read(RELEASED, dataset).value
        return plan_batch.PinnedModel(
            endpoint=value.endpoint, deployment=value.deployment, version=value.version, since=FIRST_MOMENT
        )

    written = plan_batch._written

    def dies_after_the_first(batch: str, blob: Any, cut: Any, model: Any, services: Any) -> Any:
        first = services.files.content("scored", names.batch_plan_blob(batch)) is None
        changes = written(batch, blob, cut, model, services)
        if first:
            raise Transient
        return changes

    patch.setattr(plan_batch, "_pinned", newest)
    patch.setattr(plan_batch, "_written", dies_after_the_first)


def asks_whoever_serves_now(patch: pytest.MonkeyPatch) -> None:
    def newest(batch: str, services: Any) -> Any:
        value = services.ledger.documents.read(RELEASED, "bank").value
        return replace(read_plan(batch, services), deployment=value.deployment, version=value.version)

    patch.setattr(score_shard, "read_plan", newest)


def writes_the_header_again(patch: pytest.MonkeyPatch) -> None:
    write = scored_file.write_shard

    def again(pieces: Any, header: Any, *, number: int, source: bytes) -> ScoredShard:
        scored = write(pieces, header, number=0, source=source)
        return replace(scored, facts={**scored.facts, "number": number})

    patch.setattr(scored_file, "write_shard", again)


def takes_any_answer(patch: pytest.MonkeyPatch) -> None:
    def unchecked(probability: Any, decile: Any, decision: Any, *, rows: int) -> Answers:
        places = np.asarray([DECISIONS.index(name) for name in decision.to_pylist()], np.int8)
        return Answers(probability=probability, decile=np.asarray(decile), decision=places)

    patch.setattr(Answers, "checked", unchecked)


def fills_up_short_answers(patch: pytest.MonkeyPatch) -> None:
    checked = Answers.checked

    def filled(probability: Any, decile: Any, decision: Any, *, rows: int) -> Answers:
        missing = rows - len(probability)
        values = [*probability.to_pylist(), *[0.0] * missing]
        tenths = [*decile.to_pylist(), *[1] * missing]
        return checked(values, tenths, [*decision.to_pylist(), *["skip"] * missing], rows=rows)

    patch.setattr(Answers, "checked", filled)


def joins_answers_in_the_order_they_came(patch: pytest.MonkeyPatch) -> None:
    joined = Answers.joined
    patch.setattr(Answers, "joined", lambda parts: joined(list(parts)[::-1]))


def drops_the_row_at_fault(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Answers, "none", lambda problem: Answers.joined([]))


def gives_the_request_up_with_its_odd_row(patch: pytest.MonkeyPatch) -> None:
    def whole(rows: Any, ask: Callable[[Any], Answers], _: Any) -> Answers:
        try:
            return ask(rows)
        except Unanswerable as no:
            problem = f"the model could not score this row: {no}"
            return Answers.joined([Answers.none(problem) for _ in range(rows.num_rows)])

    patch.setattr(requests, "row_by_row", whole)


def cuts_at_any_line_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(shard_plan, "stands_alone", lambda line, header: True)


def writes_the_manifest_first(patch: pytest.MonkeyPatch) -> None:
    def seal(files: MemoryFiles, container: str, name: str, count: int) -> None:
        files.write(container, name.replace("scored.csv", "manifest.json"), b"{}")

    patch.setattr(MemoryFiles, "seal", seal)


def numbers_blocks_as_they_come(patch: pytest.MonkeyPatch) -> None:
    stage = MemoryFiles.stage

    def next_free(files: MemoryFiles, container: str, name: str, number: int, data: bytes) -> None:
        stage(files, container, name, len(files._blocks.get((container, name), {})), data)

    patch.setattr(MemoryFiles, "stage", next_free)


def leaves_the_claims_of_the_dead(patch: pytest.MonkeyPatch) -> None:
    claim = Claims.claim

    def never_taken_over(claims: Claims, fact: Fact) -> Any:
        if claims.find(fact.key) and claim(claims, fact).outcome is None:
            raise InProgress
        return claim(claims, fact)

    patch.setattr(Claims, "claim", never_taken_over)


def takes_busy_for_broken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scoring, "BUSY", scoring.BUSY - {429, 503})
    patch.setattr(scoring, "ROWS_AT_FAULT", scoring.ROWS_AT_FAULT | {429, 503})


BUGS = (
    counts_each_telling,
    takes_the_model_of_the_moment,
    asks_whoever_serves_now,
    writes_the_header_again,
    takes_any_answer,
    fills_up_short_answers,
    joins_answers_in_the_order_they_came,
    drops_the_row_at_fault,
    gives_the_request_up_with_its_odd_row,
    cuts_at_any_line_end,
    writes_the_manifest_first,
    numbers_blocks_as_they_come,
    leaves_the_claims_of_the_dead,
    takes_busy_for_broken,
)


@pytest.mark.slow
@pytest.mark.parametrize("plant", BUGS, ids=lambda plant: plant.__name__)
def test_a_planted_bug_shows(server: ModelServer, calm: dict[str, bytes], plant: Plant) -> None:
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        assert any(_shows(server, calm, seed) for seed in range(120))


def _shows(server: ModelServer, calm: dict[str, bytes], seed: int) -> bool:
    try:
        return Night(server, random.Random(seed)).scored() != calm
    except Exception:  # noqa: BLE001  (whatever it is, nobody could miss it)
        return True
