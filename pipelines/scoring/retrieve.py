"""Scoring, step 1, retrieve: the plan, the registered model it pins and the file of clients, each verified."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipelines import workspace
from pipelines.scoring.minibatches import MODEL, PLAN, PROFILE, check_size
from serving.model import load
from shared.domain.batches.plan import BatchPlan


def retrieve(plan: Path, profile: Path, source: Path, model: str, retrieved: Path) -> BatchPlan:
    """Leaves plan, profile and model. The file stays where it is: the steps that need it read their shards out of it."""
    planned = BatchPlan.from_json(plan.read_bytes())
    if planned.model != model:
        raise SystemExit(
            f"the run was started with {model}, the plan of {planned.batch} says {planned.model}"
        )
    check_size(source, planned)
    retrieved.mkdir(parents=True, exist_ok=True)
    (retrieved / PLAN).write_bytes(plan.read_bytes())
    (retrieved / PROFILE).write_bytes(profile.read_bytes())
    name, _, version = model.partition(":")
    workspace.download_model(name, version, retrieved / MODEL)
    found = load(retrieved / MODEL)
    if f"{found.name}:{found.version}" != model:
        raise SystemExit(f"the model registered as {model} calls itself {found.name}:{found.version}")
    return planned


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="the batch's plan.json")
    parser.add_argument("--profile", type=Path, required=True, help="the batch's profile.json")
    parser.add_argument("--source", type=Path, required=True, help="the file of clients")
    parser.add_argument("--model", required=True, help="name:version")
    parser.add_argument("--retrieved", type=Path, required=True)
    given = parser.parse_args(arguments)
    plan = retrieve(given.plan, given.profile, given.source, given.model, given.retrieved)
    print(f"{plan.batch}: {plan.cut.size} bytes in {len(plan.cut.shards)} shards, for {plan.model}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
