"""Scoring, step 3, predict: batch inference of each shard, with the code and in the form of the endpoint."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from functools import lru_cache, partial
from pathlib import Path

import pyarrow as pa

from pipelines.scoring.minibatches import COUNTS, MODEL, each_shard, read_plan, stream
from serving.arrow_answer import arrow_answer
from serving.model import Model
from serving.trusted import ready

model_of = lru_cache(maxsize=1)(ready)
"""Loaded and compiled once a process."""


def predict_shard(number: int, *, model: Path, prepared: Path, predicted: Path) -> int:
    """How many rows it answered."""
    features = stream(prepared, number)
    if not features.exists():
        return 0
    answering: Model = model_of(model)
    said = arrow_answer(answering, features.read_bytes())
    stream(predicted, number).write_bytes(said)
    with pa.ipc.open_stream(said) as answers:
        return int(answers.read_all().num_rows)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--retrieved", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--predicted", type=Path, required=True)
    given = parser.parse_args(arguments)
    given.predicted.mkdir(parents=True, exist_ok=True)
    plan = read_plan(given.retrieved)
    model = given.retrieved / MODEL
    work = partial(predict_shard, model=model, prepared=given.prepared, predicted=given.predicted)
    answered = list(each_shard(work, plan))
    expected = json.loads((given.prepared / COUNTS).read_text(encoding="utf-8"))
    if answered != expected:
        raise SystemExit(
            f"{sum(expected)} rows were to be scored and {sum(answered)} were; run the step again"
        )
    shutil.copyfile(given.prepared / COUNTS, given.predicted / COUNTS)
    print(f"{plan.batch}: {sum(answered)} rows answered by {plan.model}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
