"""The kind `batch`: one file of clients to score, from its arrival until its output is sealed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.domain import names
from shared.domain.facts import (
    BatchApproved,
    BatchDue,
    BatchDuplicated,
    BatchHeld,
    BatchRefused,
    BatchRunStarted,
    BatchScored,
    ProfileDue,
    RunProgressed,
    ShardDue,
    StepDeadLettered,
)
from shared.domain.kinds.drift import DriftCost, ListDrift, ScoreDrift
from shared.domain.kinds.field import Moment, public
from shared.domain.kinds.kind import Change, Kind, Thing
from shared.domain.kinds.mended import MendedValues
from shared.domain.kinds.run import RunStep
from shared.domain.kinds.state import State, Tone
from shared.domain.kinds.waiting import PLAN, SHARDS
from shared.domain.trace import TRACEPARENT


@dataclass(frozen=True, kw_only=True)
class OrderOfMagnitude:
    """How many rows have numbers of one order of magnitude."""

    order: str = public("The power of ten; `zero` for nothing.", example="3")
    share: float = public("Of the file's rows.", least=0, most=1, example=0.0)
    learned_share: float = public("Of the rows its model learned from.", least=0, most=1, example=1.0)


@dataclass(frozen=True, kw_only=True)
class HeldColumn:
    """A column that as a whole is implausibly far from what the model learned."""

    column: str = public("The column.", example="nr.employed")
    rule: str = public(
        "What is off: its order of `magnitude`, its `range`, or its `sign`.", example="magnitude"
    )
    share: float = public("The share of the rows that are off.", least=0, most=1, example=1.0)
    reason: str = public("The same in words.", example="nr.employed: 100% of the rows are off")
    minimum: float = public("The smallest number in the file.", example=4.9636)
    maximum: float = public("The largest.", example=5.1911)
    learned_minimum: float = public("The smallest that was learned from.", example=4963.6)
    learned_maximum: float = public("The largest.", example=5228.1)
    orders: list[OrderOfMagnitude] = public("Both side by side, by order of magnitude.")


LEFT_OUT = (
    State(name="no-score", tone=Tone.BAD, sentence="breaks the contract, or could not be scored"),
    State(name="do-not-call", tone=Tone.REST, sentence="is on the do-not-call list"),
    State(name="contacted-enough", tone=Tone.REST, sentence="was contacted `MOST_CONTACTS` times or more"),
    State(
        name="not-worth-a-call", tone=Tone.REST, sentence="costs more to call than is expected to come of it"
    ),
    State(
        name="no-place-left",
        tone=Tone.REST,
        sentence="is worth less than others, for whom all calls go (`MOST_CALLS`, `CALL_HOURS`)",
    ),
)
"""Why a row is not on the call list, in this order: the first that holds counts."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What is expected of a batch before anybody has called, from its own calibrated probabilities."""

    rows: int = public("Rows with a score.", least=0, example=498)
    deposits: float = public("Deposits if all of them were called.", least=0, example=56.1)
    deposits_low: float = public("Lower end of their 95 % interval.", least=0, example=42.9)
    deposits_high: float = public("Upper end of their 95 % interval.", least=0, example=69.3)
    auc: float | None = public(
        "Area under the ROC curve, if the probabilities are right.", least=0, most=1, example=0.787
    )
    log_loss: float | None = public(
        "Mean negative log likelihood, if they are.", unit="nats", least=0, example=0.2831
    )
    calls: int = public("Calls that are worth their cost.", least=0, example=171)
    money: float = public(
        "What these calls bring, less what they cost.", unit="the currency of the costs", example=1612.4
    )


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How good the scores are on the rows whose outcome is known: as expected, or as it came."""

    rows: int = public("Rows whose outcome is known, and that have a score.", least=0, example=118)
    deposits: float = public("Deposits among them.", least=0, example=31)
    auc: float | None = public(
        "Area under the ROC curve; absent where all outcomes are alike.", least=0, most=1, example=0.774
    )
    log_loss: float | None = public("Mean negative log likelihood.", unit="nats", least=0, example=0.4127)
    calls: int = public("Clients who were called.", least=0, example=118)
    money: float = public(
        "What these calls brought, less what they cost.", unit="the currency of the costs", example=1300
    )


@dataclass(frozen=True, kw_only=True)
class DecileOutcome:
    """What came of one tenth of the scores at training."""

    decile: int = public("Which tenth; 10 is the most likely to buy.", least=1, most=10, example=10)
    rows: int = public("Rows whose outcome is known.", least=1, example=52)
    expected_deposits: float = public("Deposits that their probabilities add up to.", least=0, example=22.4)
    deposits: int = public("Deposits that came.", least=0, example=20)
    calls: int = public("Clients who were called.", least=0, example=52)
    expected_money: float = public(
        "What these calls were expected to bring, less what they cost.",
        unit="the currency of the costs",
        example=1272,
    )
    money: float = public("What they brought.", unit="the currency of the costs", example=1080)


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What calling the clients of a batch brought, as far as it is known."""

    files: int = public("Files of outcomes that count.", least=1, example=2)
    rows: int = public("Rows whose outcome is known.", least=0, example=118)
    corrected_rows: int = public("Answers in place of which a newer file's count.", least=0, example=3)
    expected: Figures = public("What their probabilities had to be expected to bring.")
    realised: Figures = public("What came of them.")
    calibration_error: float | None = public(
        "Expected calibration error: how far each decile's rate is from its mean probability, in the mean over the rows.",
        least=0,
        most=1,
        example=0.021,
    )
    control: Figures | None = public(
        "What came of the control group, whom chance drew: they stand for the whole list, whatever the model says."
    )
    deciles: list[DecileOutcome] = public("By tenth of the scores at training.")
    joined: str = public(
        "Container and name of the joined rows, as Parquet: row, outcome, whether called, score, and the key.",
        example="scored/clients-csv-d7147bc7/outcomes/joined-0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f.parquet",
    )


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Rows that are not on the call list, for one reason."""

    reason: str = public(
        "The first reason that held; more words may come.", known=LEFT_OUT, example="do-not-call"
    )
    rows: int = public("How many rows.", least=1, example=12)


@dataclass(frozen=True, kw_only=True)
class CallListed:
    """The call list of a batch: whom to call, best first."""

    blob: str = public(
        "Container and name of the list, a CSV.", example="scored/clients-csv-d7147bc7/call-list.csv"
    )
    manifest: str = public(
        "Container and name of what it was made by, with its hash.",
        example="scored/clients-csv-d7147bc7/call-list.json",
    )
    calls: int = public("Clients on it.", least=0, example=120)
    deposits: float = public("Deposits that they are expected to bring.", example=38.7)
    money: float = public(
        "What these calls are expected to bring, less what they cost.",
        unit="the currency of the costs",
        example=1492.8,
    )
    left_out: list[LeftOut] = public("Rows that are not on it, by reason.")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What is known of a batch."""

    name: str = public("The file's name in the container.", example="clients.csv")
    etag: str | None = public(
        "Which version of the file it is.", pattern=names.ETAG, example="0x8DD5A3B1C2D4E5F"
    )
    dataset: str | None = public("The dataset whose model scores it.", example="bank")
    model_traceparent: str | None = public(
        "The W3C `traceparent` of its model: the trace of the upload, the run and the release that made it.",
        pattern=TRACEPARENT,
        example="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
    model_version: int | None = public("The version of the model that scores all of it.", least=1, example=3)
    deployment: str | None = public("The deployment it is pinned to.", example="model-3")
    rows: int | None = public("Rows scored so far.", least=0, example=500)
    rejected_rows: int | None = public(
        "Rows that break the contract and have a fault in place of a score.", least=0, example=2
    )
    shards: int | None = public("Shards the file is cut into.", least=0, example=4)
    shards_scored: int | None = public("Shards that are scored.", least=0, example=3)
    size_bytes: int | None = public("The file's size.", unit="bytes", least=0, example=61204)
    scored_bytes: int | None = public("How much of it is scored.", unit="bytes", least=0, example=45903)
    rows_per_second: int | None = public("How fast it goes.", unit="rows/s", least=0, example=5200)
    eta_seconds: int | None = public("How long it is likely to take yet.", unit="s", least=0, example=12)
    started_at: Moment | None = public("When its model was pinned.", example="2026-11-24T09:00:00.250+00:00")
    sealed_at: Moment | None = public(
        "When its output appeared.", entered="scored", example="2026-11-24T09:00:03.410+00:00"
    )
    mended: list[MendedValues] | None = public(
        "What was mended on reading, as the contract's `mend`, aliases and spellings say; absent when nothing was."
    )
    output: str | None = public(
        "Container and name of the scored CSV.", example="scored/clients-csv-d7147bc7/scored.csv"
    )
    parquet: str | None = public(
        "Container and folder of the same rows as Parquet.", example="scored/clients-csv-d7147bc7/parquet/"
    )
    manifest: str | None = public(
        "Container and name of the manifest, with the hashes.",
        example="scored/clients-csv-d7147bc7/manifest.json",
    )
    decile_counts: list[int] | None = public(
        "Rows in each tenth of the scores the model knows, the lowest first.",
        example=[51, 48, 50, 52, 49, 50, 47, 53, 50, 50],
    )
    expected: Expected | None = public("What is expected of it, before anybody has called.")
    call_list: CallListed | None = public("Whom to call, best first.")
    call_list_problem: str | None = public(
        "Why there is no call list, and what to do.",
        example="suppression/do-not-call.csv names clients by 'client', and the file has no such column",
    )
    outcomes: Outcomes | None = public("What calling its clients brought, beside what was expected.")
    run: str | None = public(
        "The run that scores it, when a cluster does.", pattern=names.RUN_NAME, example="score-clients-a1"
    )
    steps: list[RunStep] | None = public("The steps of that run.")
    drift: list[ListDrift] | None = public(
        "How far each column of the file is from what its model learned: the 40 furthest, the furthest first."
    )
    score_drift: ScoreDrift | None = public("How far the scores are from those the model knows.")
    drift_cost: DriftCost | None = public("What it costs that its model no longer says what comes true.")
    held_columns: list[HeldColumn] | None = public(
        "Columns for which it was held before a row was scored, 10 at most, each with what was seen and what was learned."
    )
    approved_by: str | None = public("Who had it scored though it was held.", example="key:operator")
    approved_because: str | None = public("The reason given.", example="the index was rebased in June")
    replaced_by: str | None = public(
        "The id of the batch of a newer version of the file, which is scored instead of a held one.",
        pattern=names.BATCH_ID,
        example="clients-csv-9b0c33d1",
    )
    same_as: str | None = public(
        "The id of the batch that scored the same clients, by the same model, before.",
        pattern=names.BATCH_ID,
        example="clients-csv-9b0c33d1",
    )
    reason: str | None = public(
        "Why it is not scored, or waits.", example="dataset bank has no released model"
    )


def _due(fact: BatchDue) -> Iterable[Change]:
    yield Change(kind="batch", id=fact.batch, state="due", values={"name": fact.name, "etag": fact.etag})
    yield Change(kind="file", id=f"{names.SCORING}/{fact.name}", values={"batch": fact.batch})


def _progressed(fact: RunProgressed) -> Iterable[Change]:
    if fact.batch:
        yield Change(kind="batch", id=fact.batch, values={"steps": fact.steps})


def _run_started(fact: BatchRunStarted) -> Iterable[Change]:
    yield Change(kind="batch", id=fact.batch, values={"run": fact.run})


def _scored(fact: BatchScored) -> Iterable[Change]:
    values = {
        "rows": fact.rows,
        "rejected_rows": fact.rejected,
        "decile_counts": fact.deciles,
        "mended": fact.mended or None,
        "parquet": f"{names.SCORED}/{names.parquet_folder(fact.batch)}",
        "output": f"{names.SCORED}/{names.scored_blob(fact.batch)}",
        "manifest": f"{names.SCORED}/{names.batch_manifest_blob(fact.batch)}",
        "reason": None,
    }
    yield Change(kind="batch", id=fact.batch, state="scored", values=values)


def _held(fact: BatchHeld) -> Iterable[Change]:
    values = {"reason": fact.reason, "held_columns": fact.columns}
    yield Change(kind="batch", id=fact.batch, state="held", values=values)


def _approved(fact: BatchApproved) -> Iterable[Change]:
    values = {"approved_by": fact.by, "approved_because": fact.reason, "reason": None}
    yield Change(kind="batch", id=fact.batch, state="scoring", values=values)


def _duplicated(fact: BatchDuplicated) -> Iterable[Change]:
    reason = f"its clients are those of batch {fact.first_batch}, scored by the same model"
    values = {"same_as": fact.first_batch, "reason": reason}
    yield Change(kind="batch", id=fact.batch, state="duplicate", values=values)


def _refused(fact: BatchRefused) -> Iterable[Change]:
    values = {"name": fact.name, "reason": fact.reason}
    yield Change(kind="batch", id=fact.batch, state="refused", values=values)


WAITS_AFTER = {
    "shards-scored": ("reason", "the batch is sealed"),
    "scored": ("call_list_problem", "its call list is made"),
}
"""By the end of the key of the fact whose step was given up: the field that says so, and what waits."""


def _dead_lettered(fact: StepDeadLettered) -> Iterable[Change]:
    """The batch waits for whoever retries: one of its shards, or the file as a whole, could not be read or scored."""
    failure = names.digest(fact.key)
    if sealed := re.fullmatch(r"batch/(.+)/(scored|shards-scored)", fact.about):
        field, what = WAITS_AFTER[sealed[2]]
        reason = f"{fact.reason}; {what} when failure {failure} is retried"
        yield Change(kind="batch", id=sealed[1], values={field: reason})
    elif shard := ShardDue.parts(fact.about):
        batch, number = shard
        reason = f"shard {number} was dead-lettered; the batch goes on when failure {failure} is retried"
        yield Change(kind="batch", id=batch, values={"reason": reason})
    elif batch := ProfileDue.parse(fact.about):
        reason = f"{fact.reason}; the batch goes on when failure {failure} is retried"
        yield Change(kind="batch", id=batch, values={"reason": reason})
    elif due := BatchDue.parse(fact.about):
        reason = f"{fact.reason}; the batch goes on when failure {failure} is retried"
        yield Change(kind="batch", id=due.batch, values={"reason": reason})


def _links(batch: Thing[Batch]) -> Mapping[str, str | None]:
    it = batch.values
    model = names.dataset_id(it.dataset, it.model_version) if it.dataset and it.model_version else None
    return {"run": it.run, "model": model, "batch": it.same_as or it.replaced_by}


BATCH = Kind(
    name="batch",
    plural="batches",
    sentence="One version of a file of clients that is scored through the model that answers.",
    id_pattern=names.BATCH_ID,
    id_example="clients-csv-d7147bc7",
    states=(
        State(name="due", tone=Tone.RUN, word="waiting", sentence="waits to be scored", waits_for=PLAN),
        State(
            name="held",
            tone=Tone.BAD,
            sentence="is held: it is implausibly far from what its model learned",
            final=True,
            needs_person=True,
        ),
        State(name="scoring", tone=Tone.RUN, sentence="is being scored", waits_for=SHARDS),
        State(name="scored", tone=Tone.OK, sentence="is scored", final=True),
        State(
            name="duplicate",
            tone=Tone.REST,
            sentence="is a duplicate: its clients are scored already",
            final=True,
        ),
        State(
            name="replaced",
            tone=Tone.REST,
            sentence="was held, and a newer version of the file is scored instead",
            final=True,
        ),
        State(name="refused", tone=Tone.BAD, sentence="cannot be scored", final=True),
    ),
    values=Batch,
    projections={
        BatchDue: _due,
        BatchRunStarted: _run_started,
        RunProgressed: _progressed,
        BatchScored: _scored,
        BatchHeld: _held,
        BatchApproved: _approved,
        BatchDuplicated: _duplicated,
        BatchRefused: _refused,
        StepDeadLettered: _dead_lettered,
    },
    links=_links,
    joins="model_traceparent",
)
