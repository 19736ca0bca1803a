"""The kind `run`: one run of a published pipeline, to train a model, to score a large batch, or to experiment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain import names
from shared.domain.facts import (
    BatchRunFinished,
    BatchRunStarted,
    ExperimentFailed,
    ExperimentFinished,
    ExperimentStarted,
    ModelAccepted,
    ModelRefused,
    ModelUndecided,
    NothingFound,
    RecipeFound,
    RivalJudged,
    RunFailed,
    RunFinished,
    RunProgressed,
    RunStarted,
)
from shared.domain.kinds.field import Moment, internal, public
from shared.domain.kinds.kind import Change, Kind, Thing
from shared.domain.kinds.state import State, Tone
from shared.domain.kinds.waiting import OUTCOME, WORKSPACE
from shared.domain.names import dataset_id

STEP_STATUSES = (
    State(name="NotStarted", tone=Tone.REST, word="not started", sentence="waits for the steps before it"),
    State(name="Queued", tone=Tone.REST, word="queued", sentence="waits for a node"),
    State(name="Preparing", tone=Tone.REST, word="preparing", sentence="has its environment prepared"),
    State(name="Provisioning", tone=Tone.REST, word="provisioning", sentence="has a node provisioned"),
    State(name="Starting", tone=Tone.REST, word="starting", sentence="is being started"),
    State(name="Running", tone=Tone.RUN, word="running", sentence="is running"),
    State(name="Completed", tone=Tone.OK, word="completed", sentence="completed", final=True),
    State(name="Canceled", tone=Tone.WARN, word="canceled", sentence="was cancelled", final=True),
    State(name="Failed", tone=Tone.BAD, word="failed", sentence="failed", final=True),
)
"""What Azure ML says of a run and of its steps. It has more (`NotResponding`: a run may come back from it), so clients
do not learn that there are no others.

source: azure-ai-ml, entities/_job/job.py, `JobStatus`"""
TERMINAL = frozenset(status.name for status in STEP_STATUSES if status.final)
WAITING = frozenset(status.name for status in STEP_STATUSES if status.tone is Tone.REST)
"""Of a step that the workspace has made, and not begun."""


@dataclass(frozen=True, kw_only=True)
class RunStep:
    """One step of a run."""

    name: str = public("Its name in the pipeline.", example="train")
    status: str = public(
        "What Azure ML says of it; more words may come.", example="Running", known=STEP_STATUSES
    )
    started_at: Moment | None = public("When it began.", example="2026-11-24T08:01:05.120+00:00")
    ended_at: Moment | None = public("When it ended.", example="2026-11-24T08:01:11.040+00:00")


@dataclass(frozen=True, kw_only=True)
class RunTrial:
    """One trial of an experiment."""

    name: str = public("What was tried: a known recipe, or what the search made.", example="vote-3")
    ended: str = public("Why it was over.", example="scored on every drop")
    drops: int = public("Drops that it was scored on, the newest.", least=0, example=6)
    seconds: float = public("What it took.", unit="s", least=0, example=3.2)
    log_loss: float | None = public("Mean log loss over these drops.", unit="nats", least=0, example=0.2871)
    difference: float | None = public(
        "Mean difference to the live recipe's; negative where this one is better.",
        unit="nats",
        example=-0.0042,
    )
    difference_low: float | None = public("The lower end of its 95 % interval.", unit="nats", example=-0.0071)
    difference_high: float | None = public(
        "The upper end of its 95 % interval.", unit="nats", example=-0.0013
    )


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is known of a run."""

    pipeline: str | None = public(
        "The published pipeline: training, scoring or experimentation.", example="training"
    )
    purpose: str | None = public("Of an experiment, what it is for: search or automl.", example="search")
    dataset: str | None = public(
        "The dataset it trains or experiments on, or whose model it scores with.", example="bank"
    )
    version: int | None = public("The version of the dataset, and of the model.", least=1, example=3)
    batch: str | None = public("The batch it scores.", pattern=names.BATCH_ID, example="clients-csv-d7147bc7")
    attempt: int | None = internal("Which run for its batch it is.")
    reason: str | None = public(
        "The verdict on its model, what it found, or why it failed.", example="the run ended as Failed"
    )
    recipe: str | None = public("The recipe that it found.", example="found-v6-3fa91c02")
    trials: int | None = public("Trials of an experiment.", least=0, example=84)
    searched_seconds: float | None = public(
        "How long an experiment searched.", unit="s", least=0, example=412.5
    )
    best: list[RunTrial] | None = public("The best trials of an experiment, the best first.")
    leaderboard: str | None = public(
        "The file with all of them, in the container of recipes.",
        example="experiments/search-bank-v6-a1/leaderboard.json",
    )
    model: str | None = public(
        "The model it made or scores with, as name:version.", pattern=names.DATASET_ID, example="bank:3"
    )
    status: str | None = public(
        "What Azure ML says of it; more words may come.", example="Running", known=STEP_STATUSES
    )
    steps: list[RunStep] | None = public("Its steps, in the order of the pipeline.")


def _started(fact: RunStarted) -> Iterable[Change]:
    values = {"pipeline": "training", "dataset": fact.dataset, "version": fact.version}
    yield Change(kind="run", id=fact.run, state="started", values=values)


def _batch_started(fact: BatchRunStarted) -> Iterable[Change]:
    values = {"batch": fact.batch, "attempt": fact.attempt, "dataset": fact.dataset, "version": fact.version}
    values |= {"model": dataset_id(fact.dataset, fact.version), "pipeline": "scoring"}
    yield Change(kind="run", id=fact.run, state="started", values=values)


def _experiment(fact: ExperimentStarted | ExperimentFailed) -> dict[str, Any]:
    about = {"dataset": fact.dataset, "version": fact.version, "purpose": fact.purpose}
    return {"pipeline": "experimentation", **about}


def _experiment_started(fact: ExperimentStarted) -> Iterable[Change]:
    yield Change(kind="run", id=fact.run, state="started", values=_experiment(fact))


def _experiment_failed(fact: ExperimentFailed) -> Iterable[Change]:
    values = {**_experiment(fact), "reason": fact.reason}
    yield Change(kind="run", id=fact.run, state="failed", values=values)


def _found(fact: RecipeFound) -> Iterable[Change]:
    values = {"reason": fact.reason, "recipe": fact.recipe}
    yield Change(kind="run", id=fact.run, state="accepted", values=values)


def _rival_judged(fact: RivalJudged) -> Iterable[Change]:
    state = {"better": "accepted", "worse": "refused"}.get(fact.verdict, "undecided")
    yield Change(kind="run", id=fact.run, state=state, values={"reason": fact.reason})


def _nothing_found(fact: NothingFound) -> Iterable[Change]:
    yield Change(kind="run", id=fact.run, state="refused", values={"reason": fact.reason})


def _progressed(fact: RunProgressed) -> Iterable[Change]:
    state = "running" if fact.running else None
    yield Change(kind="run", id=fact.run, state=state, values={"status": fact.status, "steps": fact.steps})


def _finished(fact: RunFinished | BatchRunFinished | ExperimentFinished) -> Iterable[Change]:
    state = {"Completed": "completed", "Canceled": "canceled"}.get(fact.status, "failed")
    values = {"reason": fact.reason} if fact.reason else {}
    yield Change(kind="run", id=fact.run, state=state, values=values)


def _failed(fact: RunFailed) -> Iterable[Change]:
    values: dict[str, Any] = {"dataset": fact.dataset, "version": fact.version, "reason": fact.reason}
    values |= {"pipeline": "training"}
    yield Change(kind="run", id=fact.run, state="failed", values=values)


def _accepted(fact: ModelAccepted) -> Iterable[Change]:
    yield _judged(fact, "accepted")


def _refused(fact: ModelRefused) -> Iterable[Change]:
    yield _judged(fact, "refused")


def _undecided(fact: ModelUndecided) -> Iterable[Change]:
    yield _judged(fact, "undecided")


def _judged(fact: ModelAccepted | ModelRefused | ModelUndecided, state: str) -> Change:
    values = {"reason": fact.reason, "model": dataset_id(fact.dataset, fact.version)}
    return Change(kind="run", id=fact.run, state=state, values=values)


def _links(run: Thing[Run]) -> Mapping[str, str | None]:
    it = run.values
    dataset = dataset_id(it.dataset, it.version) if it.dataset and it.version else None
    return {"dataset": dataset, "batch": it.batch, "model": it.model}


RUN = Kind(
    name="run",
    plural="runs",
    sentence="One run of a published pipeline: it trains a model, scores a large batch, or looks for a better recipe.",
    id_pattern=names.RUN_NAME,
    id_example="bank-v3-a1",
    states=(
        State(name="started", tone=Tone.RUN, sentence="started", waits_for=WORKSPACE),
        State(name="running", tone=Tone.RUN, sentence="is running", waits_for=WORKSPACE),
        State(name="completed", tone=Tone.OK, sentence="completed", waits_for=OUTCOME),
        State(name="canceled", tone=Tone.WARN, sentence="was cancelled", waits_for=OUTCOME),
        State(name="failed", tone=Tone.BAD, sentence="failed", final=True),
        State(name="accepted", tone=Tone.OK, sentence="ended: its outcome is accepted", final=True),
        State(name="refused", tone=Tone.REST, sentence="ended: its outcome is not accepted", final=True),
        State(
            name="undecided",
            tone=Tone.WARN,
            sentence="ended: its outcome needs more rows or a person",
            final=True,
        ),
    ),
    values=Run,
    projections={
        RunStarted: _started,
        BatchRunStarted: _batch_started,
        ExperimentStarted: _experiment_started,
        RunProgressed: _progressed,
        RunFinished: _finished,
        BatchRunFinished: _finished,
        ExperimentFinished: _finished,
        ExperimentFailed: _experiment_failed,
        RecipeFound: _found,
        NothingFound: _nothing_found,
        RivalJudged: _rival_judged,
        RunFailed: _failed,
        ModelAccepted: _accepted,
        ModelRefused: _refused,
        ModelUndecided: _undecided,
    },
    links=_links,
)
