"""Have a large batch scored on a cluster: start the published scoring pipeline, once."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain import names
from shared.domain.batches.plan import BatchPlan
from shared.domain.facts import BatchRefused, BatchRunDue, BatchRunStarted, Fact
from shared.errors import Refused
from shared.ledger import Versioned
from shared.ports import ScoringRequest
from shared.procedures.model_folders import folder_of
from shared.procedures.open_batches import BATCH_RUN, BatchRun, read_plan
from shared.procedures.submission import submit_once
from shared.services import Services


def start_batch_run(fact: BatchRunDue, services: Services) -> Iterable[Fact]:
    """POSTs to the published pipeline endpoint, once per attempt. A definite no refuses the batch: that the endpoint
    should take a file too large for it is the owner's to decide."""
    plan = read_plan(fact.batch, services)
    intent = _intend(fact, services)
    if intent.value.state == "submitted":
        return [_started(intent.value.run, fact, plan)]
    try:
        request = _request(intent.value, plan, services)
        sent = submit_once(
            services.scoring_pipeline,
            request,
            document=BATCH_RUN,
            part=request.name,
            intent=intent,
            services=services,
        )
    except Refused as no:
        services.ledger.documents.delete(BATCH_RUN, intent)
        reason = f"no run could be started for it: {no}; then drop the file again"
        return [BatchRefused(batch=fact.batch, name=plan.name, reason=reason[:1000])]
    if sent.run is None:
        return [_retry_later(fact, sent.intent.value, sent.wait_seconds)]
    return [_started(sent.run, fact, plan)]


def _intend(fact: BatchRunDue, services: Services) -> Versioned[BatchRun]:
    run = names.batch_run_name(fact.batch, fact.attempt)
    known = services.ledger.documents.read(BATCH_RUN, run)
    intent = BatchRun(state="intended", run=run, batch=fact.batch)
    return known or services.ledger.documents.write(BATCH_RUN, run, intent, over=None)


def _request(intent: BatchRun, plan: BatchPlan, services: Services) -> ScoringRequest:
    """raises: Refused"""
    dataset = plan.cut.contract.dataset
    return ScoringRequest(
        name=intent.run,
        dataset=dataset,
        model=plan.model,
        model_url=folder_of(dataset, plan.version, services.workspace.model_folders(dataset)),
        profile_url=services.files.url(names.SCORED, names.batch_profile_blob(plan.batch)),
        plan_url=services.files.url(names.SCORED, names.batch_plan_blob(plan.batch)),
        source_url=services.files.url(names.SCORING, plan.name),
        output=names.batch_folder(plan.batch),
    )


def _started(run: str, fact: BatchRunDue, plan: BatchPlan) -> BatchRunStarted:
    dataset, version = plan.cut.contract.dataset, plan.version
    return BatchRunStarted(batch=fact.batch, run=run, dataset=dataset, version=version, attempt=fact.attempt)


def _retry_later(fact: BatchRunDue, intent: BatchRun, seconds: int) -> BatchRunDue:
    cause = names.digest(f"{fact.key}/{intent.posted}/{seconds}")
    return BatchRunDue(batch=fact.batch, attempt=fact.attempt, cause=cause, after_seconds=seconds)
