"""Drift of what came in: each upload held against what the serving model learned, by column, by score and in money."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.domain import names
from shared.domain.datasets.manifest import Manifest, Part
from shared.domain.facts import DriftDue, Fact
from shared.domain.kinds.kind import Change
from shared.domain.lists.list_column import ListColumn
from shared.domain.lists.list_drift import kept, list_drift, score_drift
from shared.domain.tables.contract import Contract
from shared.errors import Transient
from shared.procedures.dataset_manifest import manifest_text
from shared.procedures.drift_cost import asked_about, cost_on
from shared.procedures.drift_evidence import note_seen
from shared.procedures.drift_retrain import ask_for_retrain
from shared.procedures.released_model import RELEASED, ReleasedModel
from shared.services import Services

if TYPE_CHECKING:
    from shared.domain.drift.learned_rows import LearnedRows
    from shared.domain.drift.scored_part import ScoredPart


@dataclass(frozen=True, kw_only=True)
class Serving:
    """The model that the rows are held against."""

    released: ReleasedModel
    documents: dict[str, Any]
    """Of its folder."""
    known: LearnedRows | None
    """What it has learned from; None where it does not say, where the rows lack a column that it reads, and where none is
    to be scored."""


def measure_drift(fact: DriftDue, services: Services) -> Iterable[Fact | Change]:
    """Of the uploads that came in with a dataset version, before any model has learned from them.

    Nothing where no model serves, or one that learned from them already: it would find itself as it was.
    """
    released = services.ledger.documents.read(RELEASED, fact.dataset)
    if released is None or released.value.version >= fact.version:
        return []
    manifest = Manifest.from_json(manifest_text(fact.dataset, fact.version, services))
    contract = Contract.from_json(manifest.contract)
    documents = services.workspace.model_documents(fact.dataset, released.value.version)
    known = _known(documents.get("model", {}), contract, released.value.version, services)
    serving = Serving(released=released.value, documents=documents, known=known)
    new = [part for part in manifest.parts if part.upload in set(manifest.uploads)]
    read = {part.upload: _read(part, contract, serving, services) for part in new}
    _note(fact, read, serving, services)
    found: list[Fact | Change] = []
    for upload, scored in read.items():
        found += _found(upload, scored, serving, fact, services)
    return found


def _known(
    description: dict[str, Any], contract: Contract, version: int, services: Services
) -> LearnedRows | None:
    from shared.domain.drift.learned_rows import LearnedRows

    features = [one["name"] for one in description.get("features", ())]
    there = {column.name for column in contract.features}
    if not services.policy.drift_rows or not features or not there.issuperset(features):
        return None
    digests = services.workspace.learned_rows(contract.dataset, version)
    return None if digests is None else LearnedRows(digests=digests, features=features)


def _read(part: Part, contract: Contract, serving: Serving, services: Services) -> ScoredPart:
    """raises: Transient when the part is gone, or the model does not answer now"""
    from shared.domain.drift.scored_part import read_part

    parquet = services.files.content(names.DATASETS, names.part_blob(contract.dataset, part.content_hash))
    if parquet is None:
        raise Transient(f"the part {part.file} of dataset {contract.dataset} is gone; restore the blob")
    description = serving.documents.get("model", {})
    wanted = tuple(ListColumn.from_json(one) for one in description.get("list_columns", ()))

    return read_part(
        parquet,
        contract,
        serving.documents.get("profile", {}),
        wanted,
        score=lambda rows: _answers(rows, serving.released, services),
        most=services.policy.drift_rows,
        known=serving.known,
    )


def _answers(rows: Any, where: ReleasedModel, services: Services) -> Any:
    from shared.domain.batches.request_split import sized
    from shared.domain.models.answers import Answers

    pieces = sized(rows, most_bytes=services.policy.request_bytes)
    return Answers.joined(
        [services.endpoint.score(where.endpoint, where.deployment, piece).answers for piece in pieces]
    )


def _note(fact: DriftDue, read: dict[str, ScoredPart], serving: Serving, services: Services) -> None:
    from shared.domain.drift.score_places import ScorePlaces

    seen = ScorePlaces()
    for scored in read.values():
        seen.add(scored.probability, scored.positive)
    if seen.rows.any():
        note_seen(fact.dataset, serving.released.version, fact.version, seen, services)


def _found(
    upload: str, scored: ScoredPart, serving: Serving, fact: DriftDue, services: Services
) -> list[Fact | Change]:
    model = serving.released.version
    learned = serving.documents.get("profile", {})
    values: dict[str, Any] = {"drift_model_version": model, "drift_problem": scored.problem or None}
    if scored.columns:
        values["column_drift"] = kept(list_drift(scored.columns, learned))
    if not len(scored.probability):
        return [Change(kind="upload", id=upload, values=values)]
    asked = asked_about(scored.probability, services)
    cost = cost_on(asked, fact.dataset, model, serving.documents, services)
    values |= {"score_drift": score_drift(scored.tenths, serving.documents), "drift_cost": cost}
    asks = ask_for_retrain(upload, cost, fact.dataset, model, services)
    return [Change(kind="upload", id=upload, values=values), *asks]
