"""The limit: one process reads the blob, predicts with the model in its own memory, and writes the same output.

No queue, no host, no endpoint, no ledger, nothing that survives a crash: what is left is reading, the model and
writing, by the same code and to the same storage. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from azure.storage.blob import BlobServiceClient

from bench.own_stack import CONNECTION, process_memory
from serving.arrow import _encoded
from serving.features import blank
from serving.model import SINGLE, Model
from serving.trusted import ready
from shared.adapters.blobs import AzureFiles
from shared.adapters.contracts import load_contracts
from shared.domain.batches.scored_file import ScoredRows, write_shard
from shared.domain.batches.shard_plan import ShardPlan, ShardRange, plan_shards
from shared.domain.batches.shard_rows import ShardRows, read_shard
from shared.domain.models.answers import Answers
from shared.ports import Blob

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Batch:
    files: AzureFiles
    blob: Blob
    plan: ShardPlan
    model: Model
    output: str

    def score(self, shard: ShardRange) -> tuple[int, str]:
        """Rows, and the SHA-256 of the lines."""
        data = self.files.read_range(self.blob, shard.start, shard.end)
        pieces = (self._scored(rows) for rows in read_shard(data, self.plan))
        out = write_shard(pieces, self.plan.header, number=shard.number, source=data)
        self.files.stage("scored", f"{self.output}/scored.csv", shard.number, out.lines)
        self.files.write("scored", f"{self.output}/parquet/{shard.number:05d}.parquet", out.table)
        return out.facts["rows"], out.facts["csv_sha256"]

    def _scored(self, rows: ShardRows) -> ScoredRows:
        scores = self.model.scores(_matrix(self.model, rows.features))
        answers = Answers.checked(
            scores.probability, scores.decile, _named(scores.call), rows=rows.features.num_rows
        )
        return ScoredRows(read=rows, answers=answers, model_version=self.model.version)


def _matrix(model: Model, features: Any) -> Any:
    """The booster's numbers, straight from the columns: no wire in between."""
    matrix = blank(features.num_rows, model.features)
    for at, feature in enumerate(model.features):
        matrix[:, at] = _encoded(feature, features.column(feature.name))
    return matrix


def _named(calls: Any) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(calls.astype(np.int8)), pa.array(["skip", "call"]))


def main() -> int:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--source", required=True, help="blob in the container scoring")
    made.add_argument("--output", required=True, help="folder in the container scored")
    made.add_argument("--model", type=Path, required=True)
    made.add_argument("--shard-bytes", type=int, required=True)
    made.add_argument("--threads", type=int, required=True)
    given = made.parse_args()
    files = AzureFiles(BlobServiceClient.from_connection_string(os.environ[CONNECTION]))
    model = ready(given.model)
    contracts = load_contracts(ROOT / "contracts")

    began = time.perf_counter()
    blob = files.stat("scoring", given.source)
    assert blob is not None
    plan = plan_shards(
        lambda start, end: files.read_range(blob, start, end),
        blob.size,
        contracts,
        shard_bytes=given.shard_bytes,
    )
    assert isinstance(plan, ShardPlan)
    batch = Batch(files, blob, plan, model, given.output)
    with ThreadPoolExecutor(given.threads) as pool:
        done = list(pool.map(batch.score, plan.shards))
    files.seal("scored", f"{given.output}/scored.csv", len(plan.shards))
    seconds = time.perf_counter() - began
    said = {
        "rows": sum(rows for rows, _ in done),
        "seconds": round(seconds, 3),
        "sha256": [digest for _, digest in done],
        "compiled": model.variants[SINGLE].compiled,
        "peakMib": process_memory(os.getpid(), "VmHWM"),
    }
    print(json.dumps(said))
    return 0


if __name__ == "__main__":
    sys.exit(main())
