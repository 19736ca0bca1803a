"""Scoring, step 1, retrieve: the plan, the model it pins and the file of clients, each verified."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from pipelines.scoring.minibatches import MODEL, PLAN, PROFILE, check_size
from serving.model import load
from shared.domain.batches.plan import BatchPlan


def retrieve(plan: Path, profile: Path, source: Path, model: Path, retrieved: Path) -> BatchPlan:
    """Leaves plan, profile and model. The file stays where it is: the steps that need it read their shards out of it."""
    planned = BatchPlan.from_json(plan.read_bytes())
    check_size(source, planned)
    found = load(model)
    if f"{found.name}:{found.version}" != planned.model:
        raise SystemExit(
            f"the run was given the model {found.name}:{found.version}, the plan of {planned.batch} says"
            f" {planned.model}"
        )
    retrieved.mkdir(parents=True, exist_ok=True)
    (retrieved / PLAN).write_bytes(plan.read_bytes())
    (retrieved / PROFILE).write_bytes(profile.read_bytes())
    shutil.copytree(model, retrieved / MODEL, dirs_exist_ok=True)
    return planned


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="the batch's plan.json")
    parser.add_argument("--profile", type=Path, required=True, help="the batch's profile.json")
    parser.add_argument("--source", type=Path, required=True, help="the file of clients")
    parser.add_argument("--model", type=Path, required=True, help="folder of the model")
    parser.add_argument("--retrieved", type=Path, required=True)
    given = parser.parse_args(arguments)
    plan = retrieve(given.plan, given.profile, given.source, given.model, given.retrieved)
    print(f"{plan.batch}: {plan.cut.size} bytes in {len(plan.cut.shards)} shards, for {plan.model}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
