"""Mini-batches: a batch's shards worked on side by side in a process pool, and what the scoring steps share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from shared.domain.batches.batch_profile import BatchProfile
from shared.domain.batches.plan import BatchPlan
from shared.domain.batches.shard_rows import ShardRows, read_shard

PLAN, PROFILE, MODEL = "plan.json", "profile.json", "model"
"""What `retrieve` leaves: plan and profile as they were written, and the folder in which the model's files are."""
COUNTS = "counts.json"
"""What `prepare` and `predict` leave beside their shards: how many rows each sends to the model."""

Done = TypeVar("Done")


class WrongSource(Exception):
    """The file of clients is not the one that was planned; drop it again, and it has a plan of its own."""


@lru_cache(maxsize=1)
def read_plan(retrieved: Path) -> BatchPlan:
    return BatchPlan.from_json((retrieved / PLAN).read_bytes())


@lru_cache(maxsize=1)
def read_profile(retrieved: Path) -> BatchProfile:
    return BatchProfile.from_json((retrieved / PROFILE).read_bytes())


def check_size(source: Path, plan: BatchPlan) -> None:
    """raises: WrongSource"""
    size = source.stat().st_size
    if size != plan.cut.size:
        raise WrongSource(f"{plan.name} has {size} bytes, its plan says {plan.cut.size}; drop the file again")


def read_rows(source: Path, plan: BatchPlan, number: int) -> list[ShardRows]:
    """A shard's records, checked against the contract; raises: WrongSource"""
    return list(read_shard(read_bytes(source, plan, number), plan.cut))


def read_bytes(source: Path, plan: BatchPlan, number: int) -> bytes:
    """A shard's bytes of the file; raises: WrongSource"""
    check_size(source, plan)
    shard = plan.cut.shards[number]
    with source.open("rb") as file:
        file.seek(shard.start)
        return file.read(shard.end - shard.start)


def rows_to_score(read: list[ShardRows]) -> int:
    """How many of the records the model scores: those that fit the contract."""
    return sum(piece.features.num_rows for piece in read)


def stream(folder: Path, number: int) -> Path:
    """The Arrow stream of a shard: what the model is to score, or its answers. None of a shard without a good row."""
    return folder / f"{number:05d}.arrow"


def each_shard(work: Callable[[int], Done], plan: BatchPlan) -> Iterator[Done]:
    """Has every shard worked on, over all cores, a process each; what was done comes in the shards' order.

    Processes, since Python's threads would take turns at what is not Arrow or numpy; started afresh rather than
    forked, since the libraries' own threads do not survive a fork.
    """
    count = len(plan.cut.shards)
    processes = min(cores(), count)
    if processes == 1:
        yield from (_released(work, number) for number in range(count))
        return
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    try:
        yield from pool.map(_released, [work] * count, range(count))
    finally:
        pool.shutdown(cancel_futures=True)


def cores() -> int:
    """Those this process may use: on a shared machine not all there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _released(work: Callable[[int], Done], number: int) -> Done:
    """Arrow pools what it frees for the next use; between shards a process is better small."""
    done = work(number)
    pa.default_memory_pool().release_unused()
    return done
