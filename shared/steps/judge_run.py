"""A run is over: does its model deserve to answer?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.domain.facts import Fact, ModelAccepted, ModelRefused, ModelUndecided, RunFailed, RunFinished
from shared.domain.kinds.kind import Change
from shared.domain.models import promotion
from shared.domain.models.promotion import Verdict
from shared.domain.names import dataset_id
from shared.errors import Refused
from shared.procedures.released_model import RELEASED
from shared.services import Services

MOST_TOLD = 20
"""Versions whose doubts are noted in their records, the newest; a trial looks at fewer new ones."""


def judge_run(fact: RunFinished, services: Services) -> Iterable[Fact | Change]:
    """Reads what the run's own evaluation found and records the verdict with its figures."""
    if fact.status != "Completed":
        reason = fact.reason or f"the run ended as {fact.status}"
        return [RunFailed(run=fact.run, dataset=fact.dataset, version=fact.version, reason=reason)]
    evaluation = services.workspace.model_documents(fact.dataset, fact.version).get("evaluation")
    champion = services.ledger.documents.read(RELEASED, fact.dataset)
    serving = champion.value.version if champion else None
    try:
        verdict = promotion.judge(evaluation, serving=serving)
    except Refused as no:
        return [RunFailed(run=fact.run, dataset=fact.dataset, version=fact.version, reason=str(no))]
    found = Change(
        kind="model",
        id=dataset_id(fact.dataset, fact.version),
        state=verdict.outcome,
        values={**verdict.figures, "accepted": verdict.outcome == "accepted"},
    )
    return [
        _outcome(fact, verdict),
        found,
        *_repeats(fact, evaluation or {}),
        *_doubted(fact, verdict, services),
    ]


def _outcome(fact: RunFinished, verdict: Verdict) -> Fact:
    run, dataset, version, reason = fact.run, fact.dataset, fact.version, verdict.reason
    if verdict.outcome == "accepted":
        return ModelAccepted(run=run, dataset=dataset, version=version, reason=reason)
    if verdict.outcome == "refused":
        return ModelRefused(run=run, dataset=dataset, version=version, reason=reason)
    more = verdict.rows_needed
    return ModelUndecided(run=run, dataset=dataset, version=version, reason=reason, rows_needed=more)


def _doubted(fact: RunFinished, verdict: Verdict, services: Services) -> Iterable[Change]:
    """What the run doubts, in the records of the versions that the rows came in with; earlier runs' doubts are there."""
    by_version: dict[int, list[Mapping[str, Any]]] = {}
    for doubt in verdict.figures.get("doubts", ()):
        by_version.setdefault(doubt["version"], []).append(doubt)
    for version in sorted(by_version)[-MOST_TOLD:]:
        id_ = dataset_id(fact.dataset, version)
        known = services.ledger.find("dataset", id_)
        if known is not None and "doubted_because" not in known.values:
            why = by_version[version]
            values = {
                "doubted_because": "; ".join(each["reason"] for each in why),
                "remedy": why[0]["remedy"],
            }
            yield Change(kind="dataset", id=id_, values=values)


def _repeats(fact: RunFinished, evaluation: Mapping[str, Any]) -> Iterable[Change]:
    """How many rows of the version, and of its uploads, repeat earlier ones exactly."""
    if "repeated_rows" in evaluation:
        values = {"repeated_rows": evaluation["repeated_rows"]}
        yield Change(kind="dataset", id=dataset_id(fact.dataset, fact.version), values=values)
    for repeated in evaluation.get("repeats", ()):
        yield Change(kind="upload", id=repeated["upload"], values={"repeated_rows": repeated["rows"]})
