"""Scoring, step 2, prepare: each shard validated against the contract; of the good rows, the model's features."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from pipelines.scoring.minibatches import (
    COUNTS,
    each_shard,
    read_plan,
    read_profile,
    read_rows,
    rows_to_score,
    stream,
)
from shared.domain.models.arrow_wire import packed


def prepare_shard(number: int, *, retrieved: Path, source: Path, prepared: Path) -> tuple[int, int]:
    """How many rows it has, and how many of them the model scores.

    Only the model's columns are written, those of the list with them, in the very stream that would go to the
    endpoint. The lines themselves are read once more when they are put out: that takes less time than storing and
    fetching them, taken apart.
    """
    rows = read_rows(source, read_plan(retrieved), number)
    read = list(read_profile(retrieved).features_of(rows, number))
    features = [piece.features for piece in read if piece.features.num_rows]
    if features:
        stream(prepared, number).write_bytes(packed(features))
    return sum(map(len, read)), rows_to_score(read)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--retrieved", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True, help="the file of clients")
    parser.add_argument("--prepared", type=Path, required=True)
    given = parser.parse_args(arguments)
    given.prepared.mkdir(parents=True, exist_ok=True)
    plan = read_plan(given.retrieved)
    work = partial(prepare_shard, retrieved=given.retrieved, source=given.source, prepared=given.prepared)
    counts = list(each_shard(work, plan))
    (given.prepared / COUNTS).write_text(json.dumps([good for _, good in counts]), encoding="utf-8")
    rows, good = (sum(column) for column in zip(*counts, strict=True))
    print(f"{plan.batch}: {rows} rows, {rows - good} of them rejected")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
