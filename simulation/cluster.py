"""The scoring pipeline in memory: does to a batch what the real one's scripts do, with the memory endpoint's model."""

from __future__ import annotations

import json
from typing import Any

from shared.adapters.memory import MemoryEndpoint, MemoryFiles
from shared.domain import names
from shared.domain.batches.batch_profile import BatchProfile
from shared.domain.batches.plan import BatchPlan
from shared.domain.batches.run_output import describe
from shared.domain.batches.scored_file import with_answers, write_shard
from shared.domain.batches.shard_rows import read_shard
from shared.domain.models.answers import Answers
from shared.ports import ScoringRequest


def score(request: ScoringRequest, files: MemoryFiles) -> None:
    """Puts out what a run of this request puts out."""
    plan = BatchPlan.from_json(_at(request.plan_url, files))
    profile = BatchProfile.from_json(_at(request.profile_url, files))
    source = _at(request.source_url, files)
    whole, shards = b"", list[dict[str, Any]]()
    for shard in plan.cut.shards:
        data = source[shard.start : shard.end]
        read = list(profile.features_of(read_shard(data, plan.cut), shard.number))
        asked = [piece.features for piece in read]
        answers = [MemoryEndpoint().score("", f"model-{plan.version}", rows).answers for rows in asked]
        scored = write_shard(
            with_answers(read, Answers.joined(answers), str(plan.version)),
            plan.cut.header,
            number=shard.number,
            source=data,
            control=plan.control,
        )
        whole += scored.lines
        files.write(names.SCORED, names.parquet_blob(plan.batch, shard.number), scored.table)
        shards.append({**scored.facts, "parquet_bytes": len(scored.table)})
    files.write(names.SCORED, names.scored_blob(plan.batch), whole)
    write_told(files, plan.batch, describe(plan, shards))


def write_told(files: MemoryFiles, batch: str, body: dict[str, Any]) -> None:
    files.write(names.SCORED, names.batch_shards_blob(batch), json.dumps(body).encode())


def _at(url: str, files: MemoryFiles) -> bytes:
    container, _, name = url.removeprefix("memory://").partition("/")
    found = files.content(container, name)
    assert found is not None, url
    return found
