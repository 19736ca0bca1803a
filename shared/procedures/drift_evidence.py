"""What is known of a serving model's error: scores of rows that it has not learned from, with their answers.

Each dataset version that comes while the model serves adds the scores of its new rows. Rows that turn out to be in
doubt, or that a person takes out, say nothing of the model, and are left out again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from shared.ledger import Document
from shared.procedures.released_model import RELEASED
from shared.services import Services

if TYPE_CHECKING:
    from shared.domain.drift.score_places import ScorePlaces

MOST_DROPS = 24
"""Dataset versions that are kept, the newest: what is older says less of today, and a document has its size."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Of one model, while it serves."""

    model: int
    drops: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By dataset version, as text: the `ScorePlaces` of its new rows, positives marked."""
    left_out: list[int] = field(default_factory=list)
    """Dataset versions that do not count, the newest."""


EVIDENCE = Document(name="drift-evidence", type=Evidence)
"""One per dataset; another model begins it anew."""


def seen_of(dataset: str, model: int, services: Services) -> ScorePlaces:
    """What counts of this model: the newest drop, and as many before it as it takes to say something.

    No more: seasons change, and a line through all of them is none of today's.
    """
    from shared.domain.drift.expected_loss import too_little
    from shared.domain.drift.score_places import ScorePlaces

    found, there = ScorePlaces(), services.ledger.documents.read(EVIDENCE, dataset)
    if there is None or there.value.model != model:
        return found
    for version in sorted(there.value.drops, key=int, reverse=True):
        if int(version) not in there.value.left_out and too_little(found):
            found = found.plus(ScorePlaces.from_json(there.value.drops[version]))
    return found


def note_seen(dataset: str, model: int, version: int, places: ScorePlaces, services: Services) -> None:
    """Of one dataset version, whose earlier note, if any, it replaces; raises: Conflict, to be done again

    A model that serves no longer is passed over; one that serves again, after a rollback, begins anew.
    """
    documents = services.ledger.documents
    there, serving = documents.read(EVIDENCE, dataset), documents.read(RELEASED, dataset)
    if serving is None or serving.value.version != model:
        return
    known = there.value if there and there.value.model == model else Evidence(model=model)
    drops = {**known.drops, str(version): places.to_json()}
    newest = sorted(drops, key=int)[-MOST_DROPS:]
    documents.write(
        EVIDENCE, dataset, replace(known, drops={each: drops[each] for each in newest}), over=there
    )


def leave_out(dataset: str, version: int, services: Services) -> None:
    """The rows that came in with a dataset version say nothing of the model; raises: Conflict, to be done again"""
    documents = services.ledger.documents
    there = documents.read(EVIDENCE, dataset)
    if there is None or version in there.value.left_out:
        return
    out = [*there.value.left_out, version][-MOST_DROPS:]
    documents.write(EVIDENCE, dataset, replace(there.value, left_out=out), over=there)
