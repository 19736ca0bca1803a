"""What learned from an upload: the dataset versions that have its rows, and so the models trained on them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from shared.domain.facts import UploadWithdrawn
from shared.domain.names import dataset_id
from shared.ledger import Ledger, Record
from shared.procedures.dataset_head import HEAD
from shared.procedures.released_model import RELEASED
from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Versions:
    """Dataset versions one after another; the models trained on them have their numbers."""

    dataset: str
    first: int
    last: int | None
    """None: to the newest, and those to come."""

    def __contains__(self, version: object) -> bool:
        return isinstance(version, int) and self.first <= version <= (self.last or version)


def versions_with(upload: str, ledger: Ledger) -> Versions | None:
    """The versions that have the upload's rows, those that an upload before it brought among them; None where none has."""
    found = ledger.find("upload", upload)
    first = found.values.get("same_as") if found else None
    brought = ledger.find("upload", first) if first else found
    into = brought.values.get("dataset_version") if brought else None
    if brought is None or into is None:
        return None
    gone = brought.values.get("gone_from")
    return Versions(
        dataset=brought.values["dataset"], first=_number(into), last=_number(gone) - 1 if gone else None
    )


def _number(version: str) -> int:
    return int(version.rpartition(":")[2])


def models_of(upload: str) -> str:
    """The URL of the models that learned from an upload, each of which leads to the batches that it scored."""
    return f"/api/models?upload={quote(upload, safe='')}"


def withdrawn(fact: UploadWithdrawn, upload: Record, services: Services) -> str:
    """What a withdrawal means, in words: who learned from the rows, whether that one answers, and what stays."""
    said = [_learned(upload, services)]
    if fact.held_by:
        said.append(
            f"{fact.held_by} holds the very same rows, so that they stay: withdraw it too to have them out"
        )
    elif not fact.rows_left:
        said.append(
            f"no other row of {fact.dataset} is left: its last version stays the newest, and there is nothing to train on"
            " until a file with other rows is dropped"
        )
    return "; ".join(said)


def _learned(upload: Record, services: Services) -> str:
    there = versions_with(upload.id, services.ledger)
    if there is None:
        return "no dataset version has its rows"
    head = services.ledger.documents.read(HEAD, there.dataset)
    last = there.last or (head.value.finished if head else there.first)
    first, newest = (dataset_id(there.dataset, version) for version in (there.first, last))
    had = (
        f"dataset versions {first} to {newest} have" if last > there.first else f"dataset version {first} has"
    )
    released = services.ledger.documents.read(RELEASED, there.dataset)
    answers = released.value.version if released else None
    serving = (
        f", and model {answers}, which answers now, was trained on one of them" if answers in there else ""
    )
    return (
        f"{had} its rows{serving}; {models_of(upload.id)} lists the models, each with the batches it scored"
    )
