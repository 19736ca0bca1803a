"""The bus on Azure Storage queues."""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterable

from azure.storage.queue import QueueServiceClient

from shared import telemetry
from shared.adapters.storage_errors import answering
from shared.domain.facts import Fact, NotificationDue, ShardDue
from shared.errors import Transient
from shared.resources import storage

STEPS, SHARDS = storage.STEPS.name, storage.SHARDS.name
"""Shards have a queue of their own: they are many, and should not stand in the way of a new file."""
FOREVER = -1
SPACING_SECONDS = 1
"""Between two notifications of one process: one delivers 25 events as cheaply as one event, and in a burst of files
each would be a message, half a dozen table calls and a request to every subscriber, for two events."""


class QueueBus:
    """Facts in their traces, as base64 JSON (what the Functions queue trigger expects), delayed by their visibility."""

    def __init__(
        self,
        service: QueueServiceClient,
        *,
        notifies: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """notifies: whether there are subscribers to our events; clock: seconds, from anywhere"""
        self._queues = {name: service.get_queue_client(name) for name in (STEPS, SHARDS)}
        self._notifies, self._clock = notifies, clock
        self._lock = threading.Lock()
        self._notified = -math.inf
        """When the newest notification is delivered, at the earliest: it covers whatever happened before."""

    def publish(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self._send(fact, fact.delay_seconds)

    def announce(self, facts: Iterable[Fact]) -> None:
        if not self._notifies or not any(True for _ in facts):
            return
        with self._lock:
            now = self._clock()
            if now < self._notified:
                return
            delay = 0 if now - self._notified >= SPACING_SECONDS else SPACING_SECONDS
            self._notified = now + delay
        try:
            self._send(NotificationDue(tick=secrets.token_hex(8)), delay)
        except Transient as problem:
            self._notified = -math.inf
            telemetry.say(
                telemetry.Action.ANNOUNCE,
                f"{problem}; the reconciler has them delivered.",
                level=logging.WARNING,
            )

    def _send(self, fact: Fact, delay_seconds: int) -> None:
        queue = self._queues[SHARDS if isinstance(fact, ShardDue) else STEPS]
        message = b64encode(fact.to_message().encode()).decode()
        with answering(f"the queue {queue.queue_name}, given a {type(fact).__name__},"):
            queue.send_message(message, visibility_timeout=delay_seconds, time_to_live=FOREVER)
