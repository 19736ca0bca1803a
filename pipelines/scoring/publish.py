"""Scoring, step 4, publish: each shard as CSV and Parquet, as it would be by the endpoint, and the whole as one CSV."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from pipelines.scoring.minibatches import each_shard, read_bytes, read_plan, rows_to_score, stream
from shared.domain import names
from shared.domain.batches.plan import BatchPlan
from shared.domain.batches.run_output import describe
from shared.domain.batches.scored_file import with_answers, write_shard
from shared.domain.batches.shard_rows import read_shard
from shared.domain.models.answers import Answers
from shared.domain.models.arrow_wire import unpacked

Facts = dict[str, Any]


def publish_shard(
    number: int, *, retrieved: Path, source: Path, predicted: Path, scored: Path, lines: Path
) -> Facts:
    """Writes its Parquet file, and its lines apart: their place in the whole is known when those before are written."""
    plan = read_plan(retrieved)
    data = read_bytes(source, plan, number)
    read = list(read_shard(data, plan.cut))
    answers = _answers(stream(predicted, number), rows_to_score(read), plan)
    pieces = with_answers(read, answers, str(plan.version))
    shard = write_shard(pieces, plan.cut.header, number=number, source=data, control=plan.control)
    (lines / str(number)).write_bytes(shard.lines)
    place(scored, names.parquet_blob(plan.batch, number), plan).write_bytes(shard.table)
    return {**shard.facts, "parquet_bytes": len(shard.table)}


def _answers(file: Path, rows: int, plan: BatchPlan) -> Answers:
    if not rows and not file.exists():
        return Answers.joined([])
    version, answers = unpacked(file.read_bytes(), rows=rows)
    if version != str(plan.version):
        raise ValueError(f"model {version} answered; the batch is pinned to model {plan.version}")
    return answers


def place(scored: Path, blob: str, plan: BatchPlan) -> Path:
    """Where in the output's folder a blob of the batch is written."""
    return scored / blob.removeprefix(names.batch_folder(plan.batch))


def appended(shards: Iterable[Facts], lines: Path, whole: IO[bytes]) -> Iterator[Facts]:
    """Puts each shard's lines behind those before, and passes on its facts."""
    for facts in shards:
        piece = lines / str(facts["number"])
        with piece.open("rb") as file:
            shutil.copyfileobj(file, whole)
        piece.unlink()
        yield facts


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--retrieved", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True, help="the file of clients")
    parser.add_argument("--predicted", type=Path, required=True)
    parser.add_argument("--scored", type=Path, required=True, help="the batch's folder")
    given = parser.parse_args(arguments)
    plan = read_plan(given.retrieved)
    place(given.scored, names.parquet_folder(plan.batch), plan).mkdir(parents=True, exist_ok=True)
    whole = place(given.scored, names.scored_blob(plan.batch), plan)
    with tempfile.TemporaryDirectory() as folder, whole.open("wb") as file:
        lines = Path(folder)
        work = partial(
            publish_shard,
            retrieved=given.retrieved,
            source=given.source,
            predicted=given.predicted,
            scored=given.scored,
            lines=lines,
        )
        shards = list(appended(each_shard(work, plan), lines, file))
    said = json.dumps(describe(plan, shards))  # last: it says that all of it is there
    place(given.scored, names.batch_shards_blob(plan.batch), plan).write_text(said, encoding="utf-8")
    rows, refused = (sum(shard[name] for shard in shards) for name in ("rows", "refused"))
    print(f"{plan.batch}: {rows} rows put out, {refused} of them without a score")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
