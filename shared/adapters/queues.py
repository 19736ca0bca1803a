"""The bus on Azure Storage queues, with a copy of every fact to an Event Grid topic where one is set."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError
from azure.core.messaging import CloudEvent
from azure.storage.queue import QueueServiceClient

from shared import telemetry
from shared.domain.facts import Fact, ShardDue
from shared.domain.names import digest
from shared.errors import Transient

if TYPE_CHECKING:
    from azure.core.credentials import AzureKeyCredential, TokenCredential
    from azure.eventgrid import EventGridPublisherClient

STEPS = "steps"
SHARDS = "shards"
"""Shards have a queue of their own: they are many, and should not stand in the way of a new file."""
FOREVER = -1


def topic_client(endpoint: str, sign_in: AzureKeyCredential | TokenCredential) -> EventGridPublisherClient:
    """Impatient: a step waits for its announcement, so a topic that is down may not hold it up for minutes."""
    from azure.eventgrid import EventGridPublisherClient

    return EventGridPublisherClient(endpoint, sign_in, retry_total=1, connection_timeout=5, read_timeout=5)


class QueueBus:
    """Facts as base64 JSON messages (what the Functions queue trigger expects), delayed by their visibility."""

    def __init__(self, service: QueueServiceClient, topic: EventGridPublisherClient | None = None) -> None:
        self._queues = {name: service.get_queue_client(name) for name in (STEPS, SHARDS)}
        self._topic = topic

    def publish(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            queue = self._queues[SHARDS if isinstance(fact, ShardDue) else STEPS]
            message = b64encode(fact.to_json().encode()).decode()
            try:
                queue.send_message(message, visibility_timeout=fact.delay_seconds, time_to_live=FOREVER)
            except AzureError as cause:
                raise Transient(
                    f"the queue {queue.queue_name} did not take a {type(fact).__name__}"
                ) from cause

    def announce(self, facts: Iterable[Fact]) -> None:
        events = [_event(fact) for fact in facts]
        if self._topic is None or not events:
            return
        try:
            self._topic.send(events)
        except AzureError as problem:
            telemetry.say(
                "announce",
                "The event topic did not take an event; work goes on.",
                level=logging.WARNING,
                problem=type(problem).__name__,
            )


def _event(fact: Fact) -> CloudEvent[dict[str, Any]]:
    body = json.loads(fact.to_json())
    kind = body.pop("fact")
    return CloudEvent(
        source="/campanha", type=f"Campanha.{kind}.v1", subject=fact.key, id=digest(fact.key), data=body
    )
