"""Collection of a batch run: a cluster's output checked against the batch's plan, then described by its manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from shared.domain import names
from shared.domain.batches.manifest import batch_manifest
from shared.domain.batches.plan import BatchPlan
from shared.domain.batches.run_output import Mismatch, check_sizes, read_shards
from shared.domain.batches.unscored import too_many_unscored
from shared.domain.facts import BatchRefused, BatchRunDue, BatchRunFinished, BatchScored, Fact
from shared.domain.json_text import in_lines
from shared.domain.kinds.kind import Change
from shared.procedures.file_version import GONE_MEANWHILE
from shared.procedures.open_batches import BATCH_RUN, progress, read_plan
from shared.procedures.scored_before import note_scored
from shared.services import Services

MOST_ATTEMPTS = 2
"""A cluster loses a machine now and then; what fails twice fails for a reason."""


def collect_batch_run(fact: BatchRunFinished, services: Services) -> Iterable[Fact | Change]:
    """Writes the manifest of a run whose output is as planned: the same one as if the shards had gone
    through the endpoint. A run that failed is made once more, then the batch is refused with the reason."""
    plan = read_plan(fact.batch, services)
    outcome: list[Fact | Change]
    if fact.status != "Completed":
        outcome = [_failed(fact, plan, fact.reason or f"it ended as {fact.status}")]
    elif not _is_as_planned(plan, services):
        outcome = [BatchRefused(batch=plan.batch, name=plan.name, reason=GONE_MEANWHILE)]
    else:
        outcome = _collected(fact, plan, services)
    _close(names.batch_run_name(fact.batch, fact.attempt), services)
    return outcome


def _is_as_planned(plan: BatchPlan, services: Services) -> bool:
    """A run reads the file by its address. Since no version comes back, one that is the planned one now has been
    it all the time."""
    source = services.files.stat(names.SCORING, plan.name)
    return source is not None and source.etag == plan.etag


def _collected(fact: BatchRunFinished, plan: BatchPlan, services: Services) -> list[Fact | Change]:
    try:
        shards = _checked(plan, services)
    except Mismatch as problem:
        return [_failed(fact, plan, str(problem)), _judged(fact.run, "refused", reason=str(problem))]
    fault = too_many_unscored(shards, services.policy.most_unscored_share)
    if fault:
        refused = BatchRefused(batch=plan.batch, name=plan.name, reason=fault)
        return [refused, _judged(fact.run, "refused", reason=fault)]
    manifest = batch_manifest(plan, shards)
    blob = names.batch_manifest_blob(plan.batch)
    services.files.write(names.SCORED, blob, in_lines(manifest))
    note_scored(plan, services)
    so_far = {"shards": len(shards), "rows": manifest["rows"], "bytes": plan.cut.size}
    values = progress(plan, so_far, services.now())
    scored = BatchScored(
        batch=plan.batch,
        rows=manifest["rows"],
        rejected=manifest["rejected_rows"],
        deciles=manifest["decile_counts"],
        mended=manifest["mended"],
    )
    return [scored, Change(kind="batch", id=plan.batch, values=values), _judged(fact.run, "accepted")]


def _checked(plan: BatchPlan, services: Services) -> list[dict[str, Any]]:
    """The run's shards, when every file they name is there; raises: Mismatch

    Every size is compared, but of the bytes only those of the first and the last shard: a file that was written out
    of place or cut off shows there, and reading it all would take as long as scoring it.
    """
    shards = read_shards(services.files.content(names.SCORED, names.batch_shards_blob(plan.batch)), plan)
    folder = services.files.list(names.SCORED, prefix=names.batch_folder(plan.batch))
    check_sizes(plan, shards, {blob.name: blob.size for blob in folder})
    for number in sorted({0, len(shards) - 1}):
        _check_bytes(plan, shards, number, services)
    return shards


def _check_bytes(plan: BatchPlan, shards: Sequence[dict[str, Any]], number: int, services: Services) -> None:
    start = sum(shard["csv_bytes"] for shard in shards[:number])
    end = start + shards[number]["csv_bytes"]
    whole = services.files.stat(names.SCORED, names.scored_blob(plan.batch))
    lines = services.files.read_range(whole, start, end) if whole and end > start else b""
    table = services.files.content(names.SCORED, names.parquet_blob(plan.batch, number)) or b""
    for what, data in (("csv_sha256", lines), ("parquet_sha256", table)):
        if hashlib.sha256(data).hexdigest() != shards[number][what]:
            raise Mismatch(f"shard {number} has other bytes than the run described ({what})")


def _failed(fact: BatchRunFinished, plan: BatchPlan, reason: str) -> Fact:
    if fact.attempt < MOST_ATTEMPTS and fact.status != "Canceled":  # what a person ended is not begun again
        return BatchRunDue(batch=fact.batch, attempt=fact.attempt + 1)
    said = f"the run {fact.run} did not score it: {reason}; mend that, then drop the file again"
    return BatchRefused(batch=fact.batch, name=plan.name, reason=said[:1000])


def _judged(run: str, state: str, **values: Any) -> Change:
    return Change(kind="run", id=run, state=state, values=values)


def _close(run: str, services: Services) -> None:
    """From now on no reconciliation polls it."""
    opened = services.ledger.documents.read(BATCH_RUN, run)
    if opened is not None:
        services.ledger.documents.delete(BATCH_RUN, opened)
