"""The scoring pipeline in memory: does to a batch what the real one's scripts do, with the memory endpoint's model."""

from __future__ import annotations

import json
from typing import Any

from flow.world import World

from shared.adapters.memory import MemoryEndpoint, MemoryFiles
from shared.domain import names
from shared.domain.batches.batch_profile import BatchProfile
from shared.domain.batches.plan import BatchPlan
from shared.domain.batches.run_output import describe
from shared.domain.batches.scored_file import with_answers, write_shard
from shared.domain.batches.shard_rows import read_shard
from shared.domain.facts import RunMoved
from shared.domain.models.answers import Answers
from shared.ports import RunView, ScoringRequest, StepView
from shared.procedures.released_model import RELEASED, ReleasedModel

STEPS = ("retrieve", "prepare", "predict", "publish")


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


def end(world: World, name: str, *, status: str = "Completed", error: str = "") -> None:
    """The workspace ends a run and says so."""
    request = next(asked for asked in world.scoring_pipeline.submissions if asked.name == name)
    if status == "Completed":
        score(request, world.files)
    steps = tuple(StepView(name=step, status=status) for step in STEPS)
    world.workspace.runs[name] = RunView(name=name, status=status, error=error, steps=steps)
    world.tell(RunMoved(run=name))


def release(world: World, version: int, dataset: str = "bank") -> None:
    """As if a model had been judged and released."""
    world.workspace.documents.setdefault((dataset, version), {})
    over = world.ledger.documents.read(RELEASED, dataset)
    value = ReleasedModel(
        version=version,
        deployment=f"model-{version}",
        previous="",
        endpoint="campanha-bank",
        since=world.now().isoformat(),
    )
    world.ledger.documents.write(RELEASED, dataset, value, over=over)


def output(world: World) -> dict[str, bytes]:
    """All blobs a reader is promised, by their names within the batch's folder."""
    found = {blob.name.partition("/")[2]: blob for blob in world.files.list("scored")}
    unlike = ("plan.json", "shards.json")  # the time of the plan; what only a run leaves
    return {name: b"".join(world.files.read(blob)) for name, blob in found.items() if name not in unlike}


def _at(url: str, files: MemoryFiles) -> bytes:
    container, _, name = url.removeprefix("memory://").partition("/")
    found = files.content(container, name)
    assert found is not None, url
    return found
