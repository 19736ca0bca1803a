"""The story of a large file: the host is up, real clients are dropped, a run on the workspace scores them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.story.running import Running, bank, running, without_answer

ROUNDS = 4
"""The real rows so many times over: several shards, and more than one process to score them."""
SETTINGS = {"ENGINE_BYTES": "100000", "SHARD_BYTES": "150000"}


@pytest.mark.slow
def test_a_run_scores_a_large_file_byte_for_byte_as_the_endpoint_does(tmp_path: Path) -> None:
    """The same clients twice: by a run, and, under a name that no command line may hold, through the endpoint."""
    header, rows = bank()
    clients = without_answer([header, *rows * ROUNDS])
    faults = {7: b"not a row", 500: clients[500].replace(b",", b",x", 1), 9000: clients[9000] + b",,"}
    for number, line in faults.items():
        clients[number] = line
    with running(tmp_path, **SETTINGS) as story:
        story.drop("incoming", "all.csv", [header, *rows])
        assert story.model_of("all.csv")["model"]["state"] == "released"
        story.drop("scoring", "by-run.csv", clients)
        story.drop("scoring", "by endpoint.csv", clients)
        by_endpoint = story.batch_of("by endpoint.csv")
        by_run = story.batch_of("by-run.csv")
        _same(story, by_run, by_endpoint)
        assert (by_run["rows"], by_run["rejectedRows"]) == (len(clients) - 1, len(faults))
        _shows_its_run(story, by_run)


def _same(story: Running, by_run: dict[str, Any], by_endpoint: dict[str, Any]) -> None:
    assert (by_run["state"], by_endpoint["state"]) == ("scored", "scored"), (by_run, by_endpoint)
    assert by_run["shards"] > 3
    manifests = [json.loads(story.blob(batch["manifest"])) for batch in (by_run, by_endpoint)]
    assert story.blob(by_run["output"]) == story.blob(by_endpoint["output"])
    for one, other in zip(*(manifest["parquet"] for manifest in manifests), strict=True):
        assert story.blob(f"scored/{one}") == story.blob(f"scored/{other}")
    for manifest in manifests:  # what is the file's own
        for name in ("batch", "output", "parquet", "source"):
            del manifest[name]
    assert manifests[0] == manifests[1]


def _shows_its_run(story: Running, batch: dict[str, Any]) -> None:
    run = story.get(f"runs/{batch['run']}")
    assert (run["state"], run["batch"]) == ("accepted", batch["id"])
    steps = [(step["name"], step["status"]) for step in batch["steps"]]
    assert sorted(steps) == [(name, "Completed") for name in ("predict", "prepare", "publish", "retrieve")]
