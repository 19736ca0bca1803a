"""Containers, queues and tables of the data account."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain import names

POISON = "-poison"
"""What the host adds to a queue's name for messages that failed as often as they may."""
RELEASES = "releases"
"""Where a deployment keeps the packages that it may have to go back to; no app has a role there."""
EVENT_DEAD_LETTERS = "event-dead-letters"
"""Where Event Grid lays what it could not deliver."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """A blob container."""

    name: str
    holds: str


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A storage queue that a function listens to; the one of its poison messages is listened to as well."""

    name: str
    holds: str

    @property
    def poison(self) -> str:
        return f"{self.name}{POISON}"


CONTAINERS = (
    Container(name=names.INCOMING, holds="files to learn from, as they were dropped"),
    Container(name=names.OUTCOMES, holds="files of what calls brought, as they were dropped"),
    Container(name=names.SCORING, holds="files of clients to score, as they were dropped"),
    Container(name=names.SUPPRESSION, holds="whom nobody may call"),
    Container(name=names.QUARANTINE, holds="rejected rows, and why"),
    Container(name=names.DATASETS, holds="typed parts, and the manifest of each dataset version"),
    Container(name=names.SCORED, holds="scored files, call lists and what came of them"),
    Container(name=names.RECIPES, holds="what experiments found, and how it was found"),
    Container(name=RELEASES, holds="packages that were deployed, by digest, and how each did"),
    Container(name=EVENT_DEAD_LETTERS, holds="events that Event Grid could not deliver"),
)
BLOB_EVENTS = Queue(name="blob-events", holds="Event Grid: a blob was written")
RUN_EVENTS = Queue(name="run-events", holds="Event Grid: a run of the workspace moved")
STEPS = Queue(name="steps", holds="facts whose step is due")
SHARDS = Queue(name="shards", holds="stretches of a batch to be scored")
QUEUES = (BLOB_EVENTS, RUN_EVENTS, STEPS, SHARDS)
QUEUE_NAMES = tuple(name for queue in QUEUES for name in (queue.name, queue.poison))
LEDGER = "campanha"
"""The ledger's table, if the settings name no other."""
PRESENT = "now"
"""What is added to its name for the small table beside it, of what stands for the present."""
TABLES = (LEDGER, f"{LEDGER}{PRESENT}")
