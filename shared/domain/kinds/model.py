"""The kind `model`: one model version, from the verdict on it through its releases and roll-backs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain import names
from shared.domain.facts import (
    ModelAccepted,
    ModelRefused,
    ModelReleased,
    ModelUndecided,
    ReleaseHeld,
    ReleaseRolledBack,
)
from shared.domain.kinds.doubt import RowsInDoubt
from shared.domain.kinds.field import Moment, public
from shared.domain.kinds.kind import Change, Kind, Thing
from shared.domain.kinds.release import Baking, ReleaseDecision, ShadowComparison
from shared.domain.kinds.state import State, Tone
from shared.domain.kinds.waiting import APPROVAL, BAKING, NEW_DEPLOYMENT, RELEASE
from shared.domain.names import dataset_id


@dataclass(frozen=True, kw_only=True)
class ModelMetrics:
    """How good one model is on the held-out rows."""

    auc: float | None = public(
        "Area under the ROC curve; 0.5 is chance, 1 is perfect.", least=0, most=1, example=0.794
    )
    log_loss: float | None = public(
        "Mean negative log likelihood, lower is better.", unit="nats", least=0, example=0.2817
    )
    average_precision: float | None = public(
        "Precision averaged over recall, 0 to 1.", least=0, most=1, example=0.4605
    )
    calibration_error: float | None = public(
        "How far the share of positives is from what was said, the mean over tenths of rows, 0 to 1.",
        least=0,
        most=1,
        example=0.011,
    )
    profit: float | None = public(
        "What calling those worth a call would have brought.", unit="the currency of the costs", example=14326
    )
    calls: int | None = public("How many it would have had called.", least=0, example=1531)
    rows: int | None = public("Held-out rows it was judged on.", least=0, example=4940)


@dataclass(frozen=True, kw_only=True)
class BaselineMetrics:
    """What the base rate alone would have had."""

    log_loss: float = public(
        "Mean negative log likelihood of the base rate.", unit="nats", least=0, example=0.3568
    )
    log_loss_difference: float | None = public(
        "The model's minus the base rate's: below 0 the model is better.", unit="nats", example=-0.0423
    )
    low: float | None = public("Lower end of the difference's 95 % interval.", unit="nats", example=-0.0561)
    high: float | None = public("Upper end of the difference's 95 % interval.", unit="nats", example=-0.0301)
    probability_better: float | None = public(
        "The share of resamples in which the model is better, 0 to 1.", least=0, most=1, example=1.0
    )
    resamples: int | None = public("Resamples drawn.", least=1, example=1000)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Whether what a model says comes true as often as it says."""

    mean_probability: float = public("What it says on average, 0 to 1.", least=0, most=1, example=0.113)
    rate: float = public("The share of positives that came, 0 to 1.", least=0, most=1, example=0.118)
    error: float = public(
        "The calibration error on the held-out rows, 0 to 1.", least=0, most=1, example=0.011
    )
    error_by_chance: float = public(
        "What right probabilities would stay below 99 times in 100, 0 to 1.", least=0, most=1, example=0.019
    )


@dataclass(frozen=True, kw_only=True)
class GuardFinding:
    """What one guard objects to."""

    guard: str = public("The guard.", example="calibrated")
    reason: str = public(
        "What it found.", example="it is not calibrated: it says 0.310 on average where 0.118 came"
    )


@dataclass(frozen=True, kw_only=True)
class NewestComparison:
    """The two models on the newest version's held-out rows alone; differences are new minus serving."""

    version: int = public("The dataset version that these rows came in with.", least=1, example=3)
    rows: int = public("How many they are.", least=1, example=412)
    log_loss_difference: float = public("Below 0 the new one is better.", unit="nats", example=-0.0102)
    low: float = public("Lower end of the difference's 95 % interval.", unit="nats", example=-0.0193)
    high: float = public("Upper end of the difference's 95 % interval.", unit="nats", example=-0.0021)
    probability_better: float = public(
        "The share of resamples in which the new one is better, 0 to 1.", least=0, most=1, example=0.98
    )
    resamples: int = public("Resamples drawn.", least=1, example=1000)


@dataclass(frozen=True, kw_only=True)
class ModelComparison:
    """Two models on the same rows: a paired bootstrap; differences are new minus serving."""

    log_loss_difference: float = public("Below 0 the new one is better.", unit="nats", example=-0.0116)
    low: float = public("Lower end of the difference's 95 % interval.", unit="nats", example=-0.0168)
    high: float = public("Upper end of the difference's 95 % interval.", unit="nats", example=-0.0067)
    probability_better: float = public(
        "The share of resamples in which the new one is better, 0 to 1.", least=0, most=1, example=0.99
    )
    auc_difference: float | None = public("Above 0 the new one ranks better.", example=0.0081)
    profit_difference: float | None = public(
        "Above 0 the new one brings more.", unit="the currency of the costs", example=708
    )
    resamples: int = public("Resamples drawn.", least=1, example=1000)


@dataclass(frozen=True, kw_only=True)
class ColumnDrift:
    """How far one column has moved since the serving model learned."""

    column: str = public("The column.", example="euribor3m")
    psi: float = public(
        "Population stability index: from 0.1 on it moved, from 0.25 on it shifted.", least=0, example=0.187
    )


@dataclass(frozen=True, kw_only=True)
class VerdictHashes:
    """What a verdict is about, by content; each a SHA-256."""

    dataset: str | None = public(
        "Of all rows of the dataset version.", pattern=names.SHA256, example="9c1d" * 16
    )
    hold_out: str | None = public(
        "Of the rows that it was judged on.", pattern=names.SHA256, example="04be" * 16
    )
    model: str | None = public("Of what the model answers by.", pattern=names.SHA256, example="7f3a" * 16)
    champion: str | None = public(
        "Of what the serving model answers by.", pattern=names.SHA256, example="51e0" * 16
    )


@dataclass(frozen=True, kw_only=True)
class ModelVersion:
    """What is known of a model version."""

    dataset: str = public("The dataset it was trained on; the model has its name.", example="bank")
    version: int = public("The version of the Azure ML model, and of the dataset.", least=1, example=3)
    run: str | None = public("The run that made it.", pattern=names.RUN_NAME, example="bank-v3-a1")
    reason: str | None = public(
        "The verdict in a sentence, or why it was rolled back.",
        example="blend: log loss 0.3145, better than the base rate's 0.3568 by 0.0423 [0.0301, 0.0561]",
    )
    recipe: str | None = public("The recipe that it was made by.", example="blend")
    accepted: bool | None = public("Whether it passed every guard.", example=True)
    findings: list[GuardFinding] | None = public("What the guards object to; absent where none does.")
    doubts: list[RowsInDoubt] | None = public(
        "Rows left out as they are not plausible, of any version so far; absent where there are none."
    )
    rows_needed: int | None = public(
        "Of an undecided one: about how many more rows would decide it.", least=1, example=1900
    )
    endpoint: str | None = public("The endpoint it was put behind.", example="campanha-bank")
    deployment: str | None = public("Its deployment.", example="model-3")
    previous_deployment: str | None = public("The deployment it took the traffic from.", example="model-2")
    metrics: ModelMetrics | None = public("How good it is on the held-out rows.")
    champion: int | None = public("The version that served, which it was compared with.", least=1, example=2)
    champion_metrics: ModelMetrics | None = public("How good that one is on the same rows.")
    left_out_rows: int | None = public(
        "Held-out rows that the serving model had learned from, so that neither is judged on them.",
        least=0,
        example=12,
    )
    comparison: ModelComparison | None = public("The two on the same rows, and how sure the difference is.")
    newest: NewestComparison | None = public("The two on the newest version's rows alone.")
    calibration: Calibration | None = public("Whether what it says comes true as often as it says.")
    baseline: BaselineMetrics | None = public("What the base rate alone would have had on these rows.")
    hashes: VerdictHashes | None = public("The rows and the models that the verdict is about, by content.")
    drift: list[ColumnDrift] | None = public(
        "How far the data has moved since the serving model learned, by column."
    )
    shadow: ShadowComparison | None = public(
        "How its answers differ from the serving model's on the rows that one scored last."
    )
    shadow_skipped: str | None = public(
        "Why there was no such comparison.", example="model 2 has scored no batch yet"
    )
    baking: Baking | None = public("How it did with a share of the traffic, before it got all.")
    held_because: str | None = public(
        "Why its release waits for a person.", example="every release is approved by a person"
    )
    approval_due_at: Moment | None = public(
        "When its release is decided without one.", example="2026-11-25T08:02:40.300+00:00"
    )
    decisions: list[ReleaseDecision] | None = public("What was decided on its releases, the newest last.")
    retrain_asked_because: str | None = public(
        "Why drift asked for a retrain while it served; at most once for each model.",
        example="batch clients-csv-d7147bc7: by what came since, model 3 loses 412.60 [120.30, 733.90] on its 1,850"
        " clients",
    )
    retrain_asked_at: Moment | None = public("When it did.", example="2026-11-24T08:02:40.300+00:00")
    released_at: Moment | None = public(
        "When it last began to answer.", entered="released", example="2026-11-24T08:02:40.300+00:00"
    )
    rolled_back_at: Moment | None = public(
        "When it was last rolled back.", entered="rolled-back", example="2026-11-25T09:12:03.020+00:00"
    )


def _accepted(fact: ModelAccepted) -> Iterable[Change]:
    yield _judged(fact, "accepted")


def _refused(fact: ModelRefused) -> Iterable[Change]:
    yield _judged(fact, "refused")


def _undecided(fact: ModelUndecided) -> Iterable[Change]:
    yield _judged(fact, "undecided", rows_needed=fact.rows_needed)


def _judged(fact: ModelAccepted | ModelRefused | ModelUndecided, state: str, **more: Any) -> Change:
    values = {
        "dataset": fact.dataset,
        "version": fact.version,
        "run": fact.run,
        "reason": fact.reason,
        **more,
    }
    id_ = dataset_id(fact.dataset, fact.version)
    return Change(kind="model", id=id_, state=state, values=values, round=fact.since_ms or None)


def _released(fact: ModelReleased) -> Iterable[Change]:
    yield Change(
        kind="model",
        id=dataset_id(fact.dataset, fact.version),
        state="released",
        values={"deployment": fact.deployment, "previous_deployment": fact.previous or None},
        round=fact.requested_ms or None,
    )


def _held(fact: ReleaseHeld) -> Iterable[Change]:
    yield Change(
        kind="model",
        id=dataset_id(fact.dataset, fact.version),
        state="awaiting-approval",
        values={"held_because": fact.reason, "approval_due_at": fact.until},
        round=fact.requested_ms or None,
    )


def _rolled_back(fact: ReleaseRolledBack) -> Iterable[Change]:
    yield Change(
        kind="model",
        id=dataset_id(fact.dataset, fact.version),
        state="rolled-back",
        values={"reason": fact.reason},
        round=fact.requested_ms or None,
    )


def _links(model: Thing[ModelVersion]) -> Mapping[str, str | None]:
    it = model.values
    deployment = f"{it.endpoint}/{it.deployment}" if it.endpoint and it.deployment else None
    return {"dataset": dataset_id(it.dataset, it.version), "run": it.run, "deployment": deployment}


MODEL = Kind(
    name="model",
    plural="models",
    sentence="One model version: the verdict on it, and whether it answers.",
    id_pattern=names.DATASET_ID,
    id_example="bank:3",
    states=(
        State(name="accepted", tone=Tone.OK, sentence="passed every guard: accepted", waits_for=RELEASE),
        State(name="refused", tone=Tone.REST, sentence="is refused by a guard", final=True),
        State(
            name="undecided",
            tone=Tone.WARN,
            word="needs more rows",
            sentence="is undecided: more rows, or a person, must say",
            final=True,
        ),
        State(
            name="releasing",
            tone=Tone.RUN,
            sentence="is being put behind the endpoint",
            waits_for=NEW_DEPLOYMENT,
        ),
        State(
            name="awaiting-approval",
            tone=Tone.WARN,
            sentence="waits for a person to approve its release",
            needs_person=True,
            waits_for=APPROVAL,
        ),
        State(
            name="canary",
            tone=Tone.RUN,
            sentence="is watched with a share of the traffic",
            waits_for=BAKING,
        ),
        State(name="released", tone=Tone.OK, word="in service", sentence="is in service", final=True),
        State(
            name="previous",
            tone=Tone.REST,
            word="was in service",
            sentence="made way for a newer one",
            final=True,
        ),
        State(name="rolled-back", tone=Tone.WARN, sentence="was rolled back", final=True),
    ),
    values=ModelVersion,
    projections={
        ModelAccepted: _accepted,
        ModelRefused: _refused,
        ModelUndecided: _undecided,
        ModelReleased: _released,
        ReleaseHeld: _held,
        ReleaseRolledBack: _rolled_back,
    },
    links=_links,
)
