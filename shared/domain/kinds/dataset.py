"""The kind `dataset`: one version of a dataset, from its manifest until a model has been trained on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.domain import names
from shared.domain.facts import (
    DatasetRegistered,
    ModelAccepted,
    ModelRefused,
    ModelUndecided,
    RowsTrusted,
    RunFailed,
    RunPostponed,
    RunStarted,
)
from shared.domain.kinds.doubt import RowsInDoubt
from shared.domain.kinds.field import public
from shared.domain.kinds.kind import Change, Kind, Thing
from shared.domain.kinds.state import State, Tone
from shared.domain.kinds.waiting import RUN_SLOT, WORKSPACE
from shared.domain.names import dataset_id


@dataclass(frozen=True, kw_only=True)
class DatasetVersion:
    """What is known of a dataset version."""

    dataset: str = public("The dataset's name.", example="bank")
    version: int = public("The version of the Azure ML data asset.", least=1, example=3)
    rows: int | None = public("Rows of all its files.", least=0, example=4521)
    uploads: list[str] | None = public(
        "The ids of the uploads that are new in this version.", example=["upload/may.csv/0x8DD5A3B1C2D4E5F"]
    )
    replaced_uploads: list[str] | None = public(
        "The ids of uploads whose files were overwritten, and whose rows this version has no longer.",
        example=["upload/may.csv/0x8DD5A3B1C2D4E5F"],
    )
    withdrawn_uploads: list[str] | None = public(
        "The ids of uploads that a person withdrew, and whose rows this version is the first to lack.",
        example=["upload/may.csv/0x8DD5A3B1C2D4E5F"],
    )
    doubted_because: str | None = public(
        "Why the rows that are new in this version are not learned from: they are not plausible.",
        example="all 412 rows are positive, where about 365 negative ones were expected",
    )
    doubts: list[RowsInDoubt] | None = public(
        "The same one by one, with what was expected, what came, and what would have been plausible."
    )
    remedy: str | None = public(
        "What a person can do about the doubt.",
        example="if they are right, say so: ./dev datasets bank:3 --trust --reason WHY; if they are not, take their upload"
        " out: ./dev uploads NAME --withdraw --reason WHY",
    )
    trusted_by: str | None = public(
        "Who answers for the rows that are new in this version, so that later versions learn from them all the same.",
        example="key:operator",
    )
    trusted_because: str | None = public(
        "Why these rows are trusted.", example="only customers who had agreed before were called"
    )
    repeated_rows: int | None = public(
        "Rows that repeat an earlier row exactly; learned from once, unless the settings say otherwise.",
        least=0,
        example=120,
    )
    run: str | None = public(
        "The newest run that was started to train on it.", pattern=names.RUN_NAME, example="bank-v3-a1"
    )
    model: str | None = public(
        "The model version trained on it, as name:version.", pattern=names.DATASET_ID, example="bank:3"
    )
    postponed_because: str | None = public(
        "Why its run was put off.", example="run bank-v2-a1 of the dataset is under way"
    )
    reason: str | None = public("Why it could not be trained on.", example="the run ended as Failed")


def _registered(fact: DatasetRegistered) -> Iterable[Change]:
    values = {"dataset": fact.dataset, "version": fact.version, "rows": fact.rows}
    id_ = dataset_id(fact.dataset, fact.version)
    yield Change(kind="dataset", id=id_, state="registered", values=values)


def _waiting(fact: RunPostponed) -> Iterable[Change]:
    id_ = dataset_id(fact.dataset, fact.version)
    yield Change(kind="dataset", id=id_, state="waiting", values={"postponed_because": fact.reason})


def _training(fact: RunStarted) -> Iterable[Change]:
    """Each attempt goes through the states anew."""
    yield Change(
        kind="dataset",
        id=dataset_id(fact.dataset, fact.version),
        state="training",
        round=fact.attempt - 1,
        values={"run": fact.run, "postponed_because": None},
    )


def _failed(fact: RunFailed) -> Iterable[Change]:
    id_ = dataset_id(fact.dataset, fact.version)
    yield Change(kind="dataset", id=id_, state="failed", values={"reason": fact.reason})


def _trained(fact: ModelAccepted | ModelRefused | ModelUndecided) -> Iterable[Change]:
    """The model of a dataset version has its name and number."""
    id_ = dataset_id(fact.dataset, fact.version)
    yield Change(kind="dataset", id=id_, state="trained", values={"model": id_})


def _trusted(fact: RowsTrusted) -> Iterable[Change]:
    values = {"trusted_by": fact.by, "trusted_because": fact.reason}
    yield Change(kind="dataset", id=dataset_id(fact.dataset, fact.version), values=values)


def _links(dataset: Thing[DatasetVersion]) -> Mapping[str, str | None]:
    return {"run": dataset.values.run, "model": dataset.values.model}


DATASET = Kind(
    name="dataset",
    plural="datasets",
    sentence="One version of a dataset: the exact files a model is trained on.",
    id_pattern=names.DATASET_ID,
    id_example="bank:3",
    states=(
        State(name="registered", tone=Tone.OK, sentence="is registered", waits_for=RUN_SLOT),
        State(name="waiting", tone=Tone.RUN, sentence="waits for its training run", waits_for=RUN_SLOT),
        State(
            name="superseded",
            tone=Tone.REST,
            sentence="was followed by a newer version, which has its rows, before a run began",
            final=True,
        ),
        State(name="training", tone=Tone.RUN, sentence="is being trained on", waits_for=WORKSPACE),
        State(name="trained", tone=Tone.OK, sentence="has been trained on", final=True),
        State(
            name="doubted",
            tone=Tone.WARN,
            word="in doubt",
            sentence="has new rows that are not plausible: training leaves them out until a person decides",
            final=True,
            needs_person=True,
        ),
        State(
            name="settled",
            tone=Tone.OK,
            word="doubt settled",
            sentence="had rows in doubt, about which a person has decided",
            final=True,
        ),
        State(name="failed", tone=Tone.BAD, sentence="could not be trained on", final=True),
    ),
    values=DatasetVersion,
    projections={
        DatasetRegistered: _registered,
        RowsTrusted: _trusted,
        RunPostponed: _waiting,
        RunStarted: _training,
        RunFailed: _failed,
        ModelAccepted: _trained,
        ModelRefused: _trained,
        ModelUndecided: _trained,
    },
    links=_links,
)
