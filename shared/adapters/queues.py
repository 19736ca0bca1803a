"""The bus on Azure Storage queues."""

from __future__ import annotations

import logging
import secrets
from base64 import b64encode
from collections.abc import Iterable

from azure.storage.queue import QueueServiceClient

from shared import telemetry
from shared.adapters.storage_errors import answering
from shared.domain.facts import Fact, NotificationDue, ShardDue
from shared.errors import Transient

STEPS = "steps"
SHARDS = "shards"
"""Shards have a queue of their own: they are many, and should not stand in the way of a new file."""
FOREVER = -1


class QueueBus:
    """Facts as base64 JSON messages (what the Functions queue trigger expects), delayed by their visibility."""

    def __init__(self, service: QueueServiceClient, *, notifies: bool = False) -> None:
        """notifies: whether there are subscribers to our events"""
        self._queues = {name: service.get_queue_client(name) for name in (STEPS, SHARDS)}
        self._notifies = notifies

    def publish(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            queue = self._queues[SHARDS if isinstance(fact, ShardDue) else STEPS]
            message = b64encode(fact.to_json().encode()).decode()
            with answering(f"the queue {queue.queue_name}, given a {type(fact).__name__},"):
                queue.send_message(message, visibility_timeout=fact.delay_seconds, time_to_live=FOREVER)

    def announce(self, facts: Iterable[Fact]) -> None:
        if not self._notifies or not any(True for _ in facts):
            return
        try:
            self.publish([NotificationDue(tick=secrets.token_hex(8))])
        except Transient as problem:
            telemetry.say("announce", f"{problem}; the reconciler has them delivered.", level=logging.WARNING)
