"""The kind `outcome`: a file of what calls brought, from its arrival until it is joined to the scores of its batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.domain import names
from shared.domain.facts import OutcomesArrived, OutcomesJoined, OutcomesRefused, StepDeadLettered
from shared.domain.kinds.field import public
from shared.domain.kinds.kind import Change, Kind, Thing
from shared.domain.kinds.state import State, Tone
from shared.domain.kinds.waiting import JOIN


@dataclass(frozen=True, kw_only=True)
class OutcomeUpload:
    """What is known of a file of outcomes."""

    name: str = public("The file's name in the container.", example="clients-csv-d7147bc7/called.csv")
    etag: str | None = public(
        "Which version of the file it is.", pattern=names.ETAG, example="0x8DD5A3B1C2D4E5F"
    )
    batch: str | None = public(
        "The id of the batch whose rows it speaks of.", pattern=names.BATCH_ID, example="clients-csv-d7147bc7"
    )
    dataset: str | None = public("The dataset whose model scored them.", example="bank")
    model_version: int | None = public("The version of that model.", least=1, example=3)
    rows: int | None = public("Rows of the batch whose outcome it brought.", least=0, example=118)
    rejected_rows: int | None = public("Lines that could not be used.", least=0, example=2)
    blank_rows: int | None = public("Lines that say nothing yet: their answer is empty.", least=0, example=40)
    repeated_rows: int | None = public(
        "Lines of which a later one speaks of the same row.", least=0, example=1
    )
    faults: str | None = public(
        "Container and name of the list of lines that could not be used: line, column, value, rule and remedy of each.",
        example="quarantine/outcomes/called-csv-4b7d21c9/rejects.jsonl",
    )
    reason: str | None = public(
        "Why it is not joined, or waits.", example="there is no batch 'clients-csv-00000000'"
    )


def _arrived(fact: OutcomesArrived) -> Iterable[Change]:
    values = {"name": fact.name, "etag": fact.etag}
    yield Change(kind="outcome", id=fact.outcome, state="arrived", values=values)
    yield Change(kind="file", id=f"{names.OUTCOMES}/{fact.name}", values={"outcome": fact.outcome})


def _joined(fact: OutcomesJoined) -> Iterable[Change]:
    faults = f"{names.QUARANTINE}/{names.outcome_faults_blob(fact.outcome)}"
    values = {
        "batch": fact.batch,
        "dataset": fact.dataset,
        "model_version": fact.version,
        "rows": fact.rows,
        "rejected_rows": fact.rejected,
        "blank_rows": fact.blank,
        "repeated_rows": fact.repeated,
        "faults": faults if fact.rejected else None,
        "reason": None,
    }
    yield Change(kind="outcome", id=fact.outcome, state="joined", values=values)


def _refused(fact: OutcomesRefused) -> Iterable[Change]:
    values = {"name": fact.name, "reason": fact.reason}
    yield Change(kind="outcome", id=fact.outcome, state="refused", values=values)


def _dead_lettered(fact: StepDeadLettered) -> Iterable[Change]:
    """The file waits for whoever retries."""
    if arrived := OutcomesArrived.parse(fact.about):
        reason = f"{fact.reason}; it is read again when failure {names.digest(fact.key)} is retried"
        yield Change(kind="outcome", id=arrived.outcome, values={"reason": reason})


def _links(outcome: Thing[OutcomeUpload]) -> Mapping[str, str | None]:
    it = outcome.values
    model = names.dataset_id(it.dataset, it.model_version) if it.dataset and it.model_version else None
    return {"batch": it.batch, "model": model}


OUTCOME = Kind(
    name="outcome",
    plural="outcomes",
    sentence="One version of a file of outcomes: what calling the clients of a batch brought.",
    id_pattern=names.BATCH_ID,
    id_example="called-csv-4b7d21c9",
    states=(
        State(name="arrived", tone=Tone.RUN, word="being read", sentence="arrived", waits_for=JOIN),
        State(name="joined", tone=Tone.OK, sentence="is joined to the scores of its batch", final=True),
        State(name="refused", tone=Tone.BAD, sentence="cannot be joined to any scores", final=True),
    ),
    values=OutcomeUpload,
    projections={
        OutcomesArrived: _arrived,
        OutcomesJoined: _joined,
        OutcomesRefused: _refused,
        StepDeadLettered: _dead_lettered,
    },
    links=_links,
)
