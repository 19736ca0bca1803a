"""The last shard is scored: make the blocks the output, in one call, and say what it holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from shared.domain import names
from shared.domain.facts import BatchScored, Fact, ShardScored
from shared.domain.records import Change
from shared.errors import Conflict
from shared.ports import Row
from shared.services import Services
from shared.steps.batch_plan import BatchPlan, read_plan


def seal_batch(fact: ShardScored, services: Services) -> Iterable[Fact]:
    """Counts the shard in, and seals when none is missing. Two shards may both see themselves as the last:
    sealing twice commits the same blocks in the same order."""
    with suppress(Conflict):  # counted by an earlier delivery
        services.ledger.put(f"shards-{fact.batch}", f"{fact.number:08d}", asdict(fact), over=None)
    plan = read_plan(fact.batch, services)
    scored = services.ledger.documents(f"shards-{fact.batch}")
    services.ledger.record([Change(kind="batch", id=fact.batch, values={"shards_scored": len(scored)})])
    if len(scored) < len(plan.cut.shards):
        return []
    services.files.seal(names.SCORED, names.scored_blob(fact.batch), len(scored))
    manifest = _manifest(fact.batch, plan, scored)
    blob = names.batch_manifest_blob(fact.batch)
    services.files.write(names.SCORED, blob, json.dumps(manifest, indent=1).encode())
    return [BatchScored(batch=fact.batch, rows=manifest["rows"], refused=manifest["refused_rows"])]


def _manifest(batch: str, plan: BatchPlan, scored: list[Row]) -> dict[str, Any]:
    counts = [{name: row.value[name] for name in ("number", "rows", "refused")} for row in scored]
    return {
        "batch": batch,
        "source": {"container": names.SCORING, "name": plan.name, "etag": plan.etag},
        "output": names.scored_blob(batch),
        "model": {
            "dataset": plan.cut.contract.dataset,
            "version": plan.version,
            "deployment": plan.deployment,
        },
        "rows": sum(count["rows"] for count in counts),
        "refused_rows": sum(count["refused"] for count in counts),
        "shards": counts,
    }
