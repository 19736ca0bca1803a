"""Mini-batches: each shard of the file worked on once, in order, in as many processes as there are cores."""

from __future__ import annotations

import json
import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pipelines.scoring import minibatches
from pipelines.scoring.minibatches import WrongSource
from shared.domain.batches.plan import BatchPlan
from shared.domain.batches.shard_plan import ShardPlan, plan_shards
from tests.unit.domain.clients import CONTRACTS, NAMES, rows, written

FILE = written([row[:-1] for row in rows(120, seed=9)], names=NAMES[:-1])


def planned(*, every: int = 2000, data: bytes = FILE) -> BatchPlan:
    cut = plan_shards(lambda start, end: data[start:end], len(data), CONTRACTS, shard_bytes=every)
    assert isinstance(cut, ShardPlan)
    return BatchPlan(
        batch="clients-1", name="clients.csv", etag="0x1", endpoint="campanha-bank", deployment="model-3",
        version=3, since="2026-01-01T00:00:00Z", cut=cut,
    )  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "clients.csv").write_bytes(FILE)
    return tmp_path / "clients.csv"


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> Any:
    def have(count: int) -> None:
        monkeypatch.setattr(minibatches, "cores", lambda: count)

    return have


def square(number: int) -> int:
    return number * number


def slow_to_begin(number: int) -> tuple[int, int]:
    """The first shards take longest, so that the last are done first."""
    time.sleep(0.2 if number == 0 else 0)
    return number, os.getpid()


def broken(number: int) -> int:
    if number == 1:
        raise WrongSource("the file changed")
    return number


def first_fails(begun: Path, number: int) -> None:
    (begun / str(number)).touch()
    if number == 0:
        raise WrongSource("the file changed")
    time.sleep(0.1)


def test_all_shards_together_are_all_rows_of_the_file(source: Path) -> None:
    plan = planned()
    assert len(plan.cut.shards) > 3
    read = [minibatches.read_rows(source, plan, number) for number in range(len(plan.cut.shards))]
    assert sum(map(minibatches.rows_to_score, read)) == 120
    assert min(len(piece) for pieces in read for piece in pieces) > 0


def test_the_model_is_asked_about_good_rows_only(tmp_path: Path) -> None:
    faulty = written([row[:-1] for row in rows(40, seed=9)], names=NAMES[:-1]).replace(b"married", b"unknown")
    (tmp_path / "clients.csv").write_bytes(faulty)
    plan = planned(data=faulty, every=10_000)
    read = minibatches.read_rows(tmp_path / "clients.csv", plan, 0)
    assert sum(map(len, read)) == 40
    assert 0 < minibatches.rows_to_score(read) < 40


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / minibatches.PLAN).write_text(json.dumps(planned().to_json()))
    assert minibatches.read_plan(tmp_path) == planned()


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\n", lambda data: b""])
def test_a_file_of_another_size_is_refused_before_a_row_is_read(source: Path, change: Any) -> None:
    source.write_bytes(change(FILE))
    with pytest.raises(WrongSource, match=rf"{len(change(FILE))} bytes, its plan says {len(FILE)}; drop"):
        minibatches.read_rows(source, planned(), 0)


@pytest.mark.parametrize("count", [1, 2])
def test_what_was_done_comes_in_the_shards_order(cores: Any, count: int) -> None:
    cores(count)
    plan = planned()
    assert list(minibatches.each_shard(square, plan)) == [n * n for n in range(len(plan.cut.shards))]


def test_one_that_takes_longer_holds_its_place_and_another_process_goes_on(cores: Any) -> None:
    cores(2)
    numbers, processes = zip(*minibatches.each_shard(slow_to_begin, planned()), strict=True)
    assert list(numbers) == list(range(len(numbers)))
    assert 1 < len(set(processes)) <= 2
    assert os.getpid() not in processes


def test_a_single_shard_takes_no_process_of_its_own(cores: Any) -> None:
    cores(8)
    ((_, process),) = minibatches.each_shard(slow_to_begin, planned(every=1_000_000))
    assert process == os.getpid()


@pytest.mark.parametrize("count", [1, 2])
def test_what_a_shard_raises_ends_the_step(cores: Any, count: int) -> None:
    cores(count)
    done = minibatches.each_shard(broken, planned())
    assert next(done) == 0
    with pytest.raises(WrongSource, match="the file changed"):
        list(done)


def test_shards_that_wait_are_not_begun_when_one_has_failed(cores: Any, tmp_path: Path) -> None:
    """A run that is lost anyway ends soon, and does not first work through the rest of a large file."""
    cores(2)
    plan = planned(every=200)
    assert len(plan.cut.shards) > 40
    with pytest.raises(WrongSource):
        list(minibatches.each_shard(partial(first_fails, tmp_path), plan))
    assert len(list(tmp_path.iterdir())) < 20


def test_cores_are_those_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = {0: {3, 5, 6}}  # 0 is this process, whatever its number
    monkeypatch.setattr(os, "sched_getaffinity", mine.__getitem__, raising=False)
    assert minibatches.cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert minibatches.cores() == 1


def test_the_streams_of_a_folder_sort_as_their_shards() -> None:
    names = [minibatches.stream(Path("x"), number).name for number in (0, 9, 10, 99_999)]
    assert names == sorted(names) == ["00000.arrow", "00009.arrow", "00010.arrow", "99999.arrow"]
