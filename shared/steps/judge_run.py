"""A run is over, or another champion serves: does its model deserve to answer?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from shared.domain.datasets.manifest import Manifest
from shared.domain.facts import (
    Fact,
    JudgementDue,
    ModelAccepted,
    ModelRefused,
    ModelUndecided,
    RunFailed,
    RunFinished,
)
from shared.domain.kinds.kind import Change
from shared.domain.models import promotion
from shared.domain.models.promotion import Verdict
from shared.domain.names import dataset_id
from shared.errors import Refused
from shared.procedures.data_decisions import trust_of, withdrawn_uploads
from shared.procedures.dataset_manifest import manifest_text
from shared.procedures.drift_evidence import leave_out
from shared.procedures.judgement import JUDGED_AGAIN
from shared.procedures.released_model import RELEASED
from shared.services import Services

MOST_TOLD = 20
"""Versions whose doubts one run notes in their records, the newest; a trial looks at fewer new ones."""

NOTHING = {"findings": None, "rows_needed": None}
"""What an earlier verdict may have said, and this one does not."""


def judge_run(fact: RunFinished | JudgementDue, services: Services) -> Iterable[Fact | Change]:
    """Reads what the run's own evaluation found and records the verdict with its figures; so again when another model
    serves than the one that it was compared with."""
    if isinstance(fact, JudgementDue):
        return _judged_again(fact, services)
    if fact.status != "Completed":
        reason = fact.reason or f"the run ended as {fact.status}"
        return [RunFailed(run=fact.run, dataset=fact.dataset, version=fact.version, reason=reason)]
    evaluation = _evaluation(fact, services)
    try:
        verdict = _verdict(fact, evaluation, services)
    except Refused as no:
        return [RunFailed(run=fact.run, dataset=fact.dataset, version=fact.version, reason=str(no))]
    return [
        _outcome(fact, verdict),
        _recorded(fact, verdict),
        *_repeats(fact, evaluation or {}),
        *_doubted(fact, verdict, services),
    ]


def _judged_again(fact: JudgementDue, services: Services) -> list[Fact | Change]:
    """Nothing where the model stays out, or has moved on. One that is accepted as before was kept from its release to be
    judged again, and is accepted anew."""
    model = services.ledger.find("model", dataset_id(fact.dataset, fact.version))
    if model is None or model.state not in ("accepted", *JUDGED_AGAIN):
        return []
    try:
        verdict = _verdict(fact, _evaluation(fact, services), services)
    except Refused:
        return []
    same = (verdict.outcome, verdict.reason) == (model.state, model.values.get("reason"))
    if same and model.state in JUDGED_AGAIN:
        return []
    return [_outcome(fact, verdict), _recorded(fact, verdict)]


def _evaluation(fact: RunFinished | JudgementDue, services: Services) -> Mapping[str, Any] | None:
    return services.workspace.model_documents(fact.dataset, fact.version).get("evaluation")


def _verdict(
    fact: RunFinished | JudgementDue, evaluation: Mapping[str, Any] | None, services: Services
) -> Verdict:
    """raises: Refused"""
    champion = services.ledger.documents.read(RELEASED, fact.dataset)
    return promotion.judge(evaluation, serving=champion.value.version if champion else None)


def _since_ms(fact: RunFinished | JudgementDue) -> int:
    return fact.since_ms if isinstance(fact, JudgementDue) else 0


def _recorded(fact: RunFinished | JudgementDue, verdict: Verdict) -> Change:
    return Change(
        kind="model",
        id=dataset_id(fact.dataset, fact.version),
        state=verdict.outcome,
        values={**NOTHING, **verdict.figures, "accepted": verdict.outcome == "accepted"},
        round=_since_ms(fact) or None,
    )


def _outcome(fact: RunFinished | JudgementDue, verdict: Verdict) -> Fact:
    about: dict[str, Any] = {
        "run": fact.run,
        "dataset": fact.dataset,
        "version": fact.version,
        "reason": verdict.reason,
        "since_ms": _since_ms(fact),
    }
    if verdict.outcome == "accepted":
        return ModelAccepted(**about)
    if verdict.outcome == "refused":
        return ModelRefused(**about)
    return ModelUndecided(**about, rows_needed=verdict.rows_needed)


def _doubted(fact: RunFinished, verdict: Verdict, services: Services) -> Iterable[Change]:
    """What the run doubts, in the records of the versions that the rows came in with: each waits for a person from then on.
    Earlier runs' doubts are there;
    one that comes back once a person has taken a part of the rows out is of the others."""
    by_version: dict[int, list[Mapping[str, Any]]] = {}
    for doubt in verdict.figures.get("doubts", ()):
        by_version.setdefault(doubt["version"], []).append(doubt)
    for version, round_ in islice(_untold(fact, sorted(by_version, reverse=True), services), MOST_TOLD):
        leave_out(fact.dataset, version, services)
        why = by_version[version]
        values = {
            "doubted_because": "; ".join(each["reason"] for each in why),
            "doubts": why,
            "remedy": why[0]["remedy"],
        }
        id_ = dataset_id(fact.dataset, version)
        yield Change(kind="dataset", id=id_, state="doubted", values=values, round=round_)


def _untold(
    fact: RunFinished, versions: Iterable[int], services: Services
) -> Iterator[tuple[int, int | None]]:
    """Those of the versions whose doubt is no news of before, each with the round of its record that begins with it."""
    for version in versions:
        known = services.ledger.find("dataset", dataset_id(fact.dataset, version))
        if known is not None and "doubted_because" not in known.values:
            yield version, None
        elif known is not None and known.state == "settled" and _is_of_the_rest(fact, version, services):
            yield version, known.round + 1


def _is_of_the_rest(fact: RunFinished, version: int, services: Services) -> bool:
    """Whether the run knew all that people have decided about the version's rows, and doubts those that are left."""
    if trust_of(fact.dataset, version, services):
        return False
    text = manifest_text(fact.dataset, fact.version, services)
    gone = {one.upload: one.version for one in Manifest.from_json(text).withdrawn}
    later = (
        services.ledger.find("upload", upload)
        for upload in withdrawn_uploads(fact.dataset, services)
        if upload not in gone
    )
    id_ = dataset_id(fact.dataset, version)
    return version in gone.values() and not any(
        one is not None and one.values.get("dataset_version") == id_ for one in later
    )


def _repeats(fact: RunFinished, evaluation: Mapping[str, Any]) -> Iterable[Change]:
    """How many rows of the version, and of its uploads, repeat earlier ones exactly."""
    if "repeated_rows" in evaluation:
        values = {"repeated_rows": evaluation["repeated_rows"]}
        yield Change(kind="dataset", id=dataset_id(fact.dataset, fact.version), values=values)
    for repeated in evaluation.get("repeats", ()):
        yield Change(kind="upload", id=repeated["upload"], values={"repeated_rows": repeated["rows"]})
