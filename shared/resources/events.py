"""Event Grid: which events of which source come into which queue."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain import names
from shared.resources.storage import BLOB_EVENTS, EVENT_DEAD_LETTERS, RUN_EVENTS

STORAGE, WORKSPACE = "storage", "workspace"
"""The sources: the data account's blobs, and the Azure ML workspace."""
TOPIC_TYPES = {
    STORAGE: "Microsoft.Storage.StorageAccounts",
    WORKSPACE: "Microsoft.MachineLearningServices.Workspaces",
}
BLOB_TYPES = ("Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobRenamed")
RUN_TYPES = (
    "Microsoft.MachineLearningServices.RunStatusChanged",
    "Microsoft.MachineLearningServices.RunCompleted",
)
OUTGOING = "campanha"
"""The custom topic that our own events are published to."""
LIFE_MINUTES, MOST_ATTEMPTS = 1440, 30
"""How long, and how often, Event Grid tries to deliver before it lays an event into `event-dead-letters`: its most."""


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """An event subscription. It filters by nothing that the reader of the queue could judge better: a filter on
    `data.api` would lose renamed files, one on a run's fields matches nothing when Azure spells them otherwise."""

    name: str
    source: str
    types: tuple[str, ...]
    queue: str
    subject: str = ""
    """What subjects begin with; empty: any."""
    dead_letters: str = EVENT_DEAD_LETTERS


def _blobs_of(container: str) -> Subscription:
    return Subscription(
        name=container,
        source=STORAGE,
        types=BLOB_TYPES,
        queue=BLOB_EVENTS.name,
        subject=f"/blobServices/default/containers/{container}/",
    )


SUBSCRIPTIONS = (
    _blobs_of(names.INCOMING),
    _blobs_of(names.OUTCOMES),
    Subscription(name="runs", source=WORKSPACE, types=RUN_TYPES, queue=RUN_EVENTS.name),
)
