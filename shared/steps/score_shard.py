"""Scoring of a shard: one byte range of a batch goes through the deployed model; its lines are staged as a block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from shared.domain import names
from shared.domain.facts import BatchRefused, Fact, ShardDue, ShardsScored
from shared.domain.kinds.kind import Change
from shared.domain.tables.unreadable import UnreadableFile, each_read
from shared.errors import Superseded, Transient
from shared.ports import DeploymentPlan
from shared.procedures.file_version import GONE_MEANWHILE
from shared.procedures.open_batches import close_batch, read_plan, read_profile, read_shard_bytes
from shared.procedures.release import smoke_test
from shared.procedures.shard_progress import shard_done, shown
from shared.services import Services

if TYPE_CHECKING:
    from shared.domain.batches.plan import BatchPlan
    from shared.domain.batches.scored_file import ScoredRows
    from shared.domain.batches.shard_rows import ShardRows


def score_shard(fact: ShardDue, services: Services) -> Iterable[Fact | Change]:
    """Reads just the shard's bytes, scores them by the model the batch is pinned to, and stages the output.

    The block's id is the shard's number: scoring a shard twice writes the same block twice. Rows that break the
    contract come out with what is wrong with them. The last shard's worker returns `ShardsScored`: the batch can be
    sealed.
    raises: Transient, Refused as the endpoint answers; Transient also while the model fails on its golden rows
    """
    from shared.domain.batches.scored_file import write_shard
    from shared.domain.batches.shard_rows import read_shard

    plan = read_plan(fact.batch, services)
    if not 0 <= fact.number < len(plan.cut.shards):
        raise Transient(f"batch {fact.batch} has no shard {fact.number}: it has {len(plan.cut.shards)}")
    shard = plan.cut.shards[fact.number]
    profile = read_profile(fact.batch, services)
    try:
        data = read_shard_bytes(plan, shard, services)
        read = profile.features_of(each_read(read_shard(data, plan.cut)), fact.number)
        answered = _answered(read, plan, services)
        scored = write_shard(answered, plan.cut.header, number=fact.number, source=data, control=plan.control)
    except Superseded:
        return _refused(plan, GONE_MEANWHILE, services)
    except UnreadableFile as fault:
        return _refused(plan, str(fault), services)
    services.files.stage(names.SCORED, names.scored_blob(fact.batch), fact.number, scored.lines)
    services.files.write(names.SCORED, names.parquet_blob(fact.batch, fact.number), scored.table)
    described = scored.facts
    del scored, answered, data
    _give_memory_back()
    so_far = shard_done(described, plan, services)
    done = [ShardsScored(batch=fact.batch)] if so_far.complete else []
    return [*done, *shown(so_far, plan, services)]


def _refused(plan: BatchPlan, reason: str, services: Services) -> list[Fact | Change]:
    close_batch(plan.batch, services)
    return [BatchRefused(batch=plan.batch, name=plan.name, reason=reason)]


def _give_memory_back() -> None:
    """Arrow's pool holds freed memory for its next allocation; returned, so that a worker between shards is small."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _answered(read: Iterator[ShardRows], plan: BatchPlan, services: Services) -> Iterator[ScoredRows]:
    """Each piece with one answer for each good row, by as many requests as the endpoint's payload limit needs."""
    from shared.domain.batches.request_split import row_by_row, sized
    from shared.domain.batches.scored_file import ScoredRows
    from shared.domain.models.answers import Answers

    deployed = DeploymentPlan(
        endpoint=plan.endpoint,
        deployment=plan.deployment,
        model=plan.cut.contract.dataset,
        version=plan.version,
    )

    def demand_health() -> None:
        fault = smoke_test(deployed, services)
        if fault:
            raise Transient(
                f"the model fails on its golden rows too, so the clients' are not at fault: {fault}"
            )

    def score(rows: Any) -> Answers:
        scores = services.endpoint.score(plan.endpoint, plan.deployment, rows)
        if scores.model_version != str(plan.version):
            raise Transient(
                f"model {scores.model_version} answered for deployment {plan.deployment}; the batch is pinned to"
                f" model {plan.version}"
            )
        return scores.answers

    for piece in read:
        requests = sized(piece.features, most_bytes=services.policy.request_bytes)
        answers = Answers.joined([row_by_row(rows, score, demand_health) for rows in requests])
        yield ScoredRows(read=piece, answers=answers, model_version=str(plan.version))
