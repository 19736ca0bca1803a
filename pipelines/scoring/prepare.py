"""Scoring, step 2, prepare: each shard validated against the contract; of the good rows, what the model is asked."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from pipelines.scoring.minibatches import COUNTS, each_shard, read_plan, read_rows, rows_asked, stream
from shared.domain.models.arrow_wire import packed


def prepare_shard(number: int, *, retrieved: Path, source: Path, prepared: Path) -> tuple[int, int]:
    """Its rows, and those the model is asked about.

    Only the model's columns are kept, in the very stream that would go to the endpoint. The lines themselves are read
    once more when they are put out: reading them takes less time than keeping and fetching them, taken apart.
    """
    read = read_rows(source, read_plan(retrieved), number)
    asked = [piece.features for piece in read if piece.features.num_rows]
    if asked:
        stream(prepared, number).write_bytes(packed(asked))
    return sum(map(len, read)), rows_asked(read)


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
    (given.prepared / COUNTS).write_text(json.dumps([asked for _, asked in counts]), encoding="utf-8")
    rows, asked = (sum(column) for column in zip(*counts, strict=True))
    print(f"{plan.batch}: {rows} rows, {rows - asked} of them break the contract")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
