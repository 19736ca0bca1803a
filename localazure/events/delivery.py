"""Takes events for their subscriptions, and brings each to its queue at least once."""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence

from localazure.events.faults import Chance
from localazure.events.journal import Delivery, Journal, Place
from localazure.events.shared_key import Service, StorageUnreachable
from localazure.events.subscriptions import Event, Subscription, type_and_subject

TIME_TO_LIVE = 24 * 3600.0  # as Event Grid's default
FIRST_RETRY, LONGEST_RETRY = 0.1, 30.0


class Refused(Exception):
    """The queue did not take a message, and may later; the message says why."""


class Undeliverable(Exception):
    """The queue will never take this message (too large, say), and it must not hold up the others."""


class QueueSender:
    """Puts one event on a storage queue the way Event Grid does: base64 of its JSON."""

    def __init__(self, connection_string: str) -> None:
        self._service = Service(connection_string, "Queue")

    def __call__(self, delivery: Delivery) -> None:
        text = base64.b64encode(delivery.event.encode()).decode()
        body = f"<QueueMessage><MessageText>{text}</MessageText></QueueMessage>".encode()
        try:
            answer = self._service.post(f"/{delivery.queue}/messages", body)
        except StorageUnreachable as problem:
            raise Refused(str(problem)) from problem
        if answer.status != 201:
            code = answer.headers.get("x-ms-error-code", "no error code")
            kind = Undeliverable if answer.status in (400, 413) else Refused
            raise kind(f"queue {delivery.queue} answered {answer.status}, {code}")


class Broker:
    """The events accepted and not yet delivered, and the thread that delivers them."""

    def __init__(
        self,
        journal: Journal,
        subscriptions: Sequence[Subscription],
        chance: Chance,
        send: Callable[[Delivery], None],
    ) -> None:
        self.subscriptions, self.chance = subscriptions, chance
        self.delivered = 0
        self._journal, self._send = journal, send
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._deliver_until_stopped, name="delivery", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish the delivery under way; the journal keeps the others."""
        self._stopping = True
        self._wake.set()
        self._thread.join(15)

    def waiting(self) -> int:
        return self._journal.waiting()

    def wanted(self, topic: str, event_type: str, subject: str) -> bool:
        """True when some subscription would take such an event."""
        return any(one.wants(topic, event_type, subject) for one in self.subscriptions)

    def accept(self, topic: str, events: Sequence[Event], place: Place | None = None) -> None:
        """Take responsibility for `events`: when this returns, a `kill -9` loses none of them."""
        now = time.time()
        deliveries = []
        for event in events:
            text = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
            for one in self.subscriptions:
                if one.wants(topic, *type_and_subject(event)):
                    deliveries += [
                        Delivery(queue=one.queue, event=text, due=now + late, expires=now + TIME_TO_LIVE)
                        for late in self.chance.delays()
                    ]
        self._journal.record(deliveries, place)
        self._wake.set()

    def _deliver_until_stopped(self) -> None:
        while not self._stopping:
            self._wake.clear()
            stalled: set[str] = set()
            for delivery in self._journal.due(time.time()):
                if delivery.queue not in stalled and not self._stopping and not self._deliver(delivery):
                    stalled.add(delivery.queue)
            due = self._journal.next_due()
            self._wake.wait(None if due is None else max(0.0, due - time.time()))

    def _deliver(self, delivery: Delivery) -> bool:
        """One attempt. A queue that does not take it gets nothing for a while; its order is kept."""
        now = time.time()
        try:
            if now > delivery.expires:
                raise Undeliverable(f"not delivered within {TIME_TO_LIVE / 3600:.0f} h")
            self._send(delivery)
        except Undeliverable as problem:
            print(f"events: dropped, {problem}: {delivery.event[:500]}", file=sys.stderr)
            self._journal.settle(delivery)
            return True
        except Refused as problem:
            wait = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(delivery.attempts, 10))
            print(f"events: {problem}; next attempt in {wait:.1f} s", file=sys.stderr)
            self._journal.postpone(delivery.queue, now + wait)
            return False
        self._journal.settle(delivery)
        self.delivered += 1
        return True
