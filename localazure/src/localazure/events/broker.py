"""Takes events in, writes down who is to have them, and keeps one courier for each subscription."""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from localazure.events.courier import Courier
from localazure.events.destinations import DeadLetters, QueueDestination, WebhookDestination
from localazure.events.faults import Chance
from localazure.events.filters import Event
from localazure.events.handshake import Handshake
from localazure.events.journal import Delivery, Journal, Place
from localazure.events.patience import Patience
from localazure.events.schemas import delivered, respelt
from localazure.events.storage_services import StorageServices
from localazure.events.subscriptions import (
    BadSubscription,
    Queue,
    Subscription,
    Webhook,
    parse,
    without_secrets,
)


class Broker:
    """All that is subscribed, and all that is on its way."""

    def __init__(
        self,
        journal: Journal,
        *,
        storage: StorageServices,
        chance: Chance,
        patience: Patience,
        url: str,
        topic_id: Callable[[str], str],
    ) -> None:
        """`url` is where this Event Grid is found; `topic_id` tells the resource id of a topic."""
        self.chance, self.topic_id = chance, topic_id
        self._journal, self._patience, self._url = journal, patience, url
        self._storage = storage
        self._lock = threading.Lock()
        self._changing = threading.Lock()
        """One change of the subscriptions after the other; events are taken meanwhile."""
        self._couriers: dict[str, Courier] = {}
        self._entries: dict[str, dict[str, Any]] = {}
        self._codes: dict[str, str] = {}
        self._running = False

    def start(self, entries: Sequence[dict[str, Any]]) -> None:
        """Begin to deliver: to the subscriptions given, and to those made by request before."""
        for entry in [*self._kept(), *entries]:
            self._add(parse(entry, where=f"subscription {entry.get('name')}"), entry)
        self._running = True
        for courier in self._couriers.values():
            courier.start()

    def _kept(self) -> Iterator[dict[str, Any]]:
        """The entries made by request; one that an earlier version took, and that will not do, is left out and said."""
        for entry in self._journal.subscribed():
            try:
                parse(entry, where=f"subscription {entry['name']}")
            except BadSubscription as problem:
                print(f"events: left out until it is made anew: {problem}", file=sys.stderr, flush=True)
            else:
                yield entry

    def stop(self) -> bool:
        """Finish the deliveries under way; the journal keeps the others. False when one takes too long."""
        return all([courier.stop() for courier in list(self._couriers.values())])

    # --- events ---------------------------------------------------------------------------------------------

    def may_want(self, topic: str, event_type: str, subject: str) -> bool:
        """False when no subscription would take such an event, whatever its data."""
        return any(
            one.topic == topic and one.filter.may_want(event_type, subject) for one in self.subscriptions()
        )

    def accept(self, topic: str, events: Sequence[Event], place: Place | None = None) -> None:
        """Take responsibility for `events`: when this returns, a `kill -9` loses none of them."""
        now = time.time()
        wanted = [one for one in self.subscriptions() if one.topic == topic]
        deliveries = [
            Delivery(subscription=one.name, event=text, published=now, due=now + late)
            for event in map(self._spelt, events)
            for one in wanted
            if one.filter.wants(event) and (text := _text(event, one.schema)) is not None
            for late in self.chance.delays()
        ]
        self._journal.record(deliveries, place)
        with self._lock:
            to_wake = [
                self._couriers[one.subscription] for one in deliveries if one.subscription in self._couriers
            ]
        for courier in set(to_wake):
            courier.wake()

    def _spelt(self, event: Event) -> Event:
        return respelt(event) if self.chance.is_respelt() else event

    # --- subscriptions --------------------------------------------------------------------------------------

    def subscriptions(self) -> list[Subscription]:
        with self._lock:
            return [courier.subscription for courier in self._couriers.values()]

    def subscribe(self, entry: dict[str, Any]) -> Courier:
        """Make or change a subscription for good; raises BadSubscription or HandshakeFailed."""
        made = parse(entry, where="subscription")
        handshake = self._handshake(made)
        if handshake and not self._is_proven(handshake):
            self._ask(handshake)
        with self._changing:
            self._journal.subscribe(made.name, entry)
            with self._lock:
                before = self._couriers.get(made.name)
            courier = self._add(
                made, entry, asked=True
            )  # in the place of the other: what comes now is for it
            if before:
                before.stop()
            courier.start()
        return courier

    def unsubscribe(self, name: str) -> bool:
        """Forget a subscription and what waits for it; False when there is none."""
        with self._changing:
            courier = self._pop(name)
            if courier:
                courier.stop()
            self._journal.unsubscribe(name)
        return courier is not None

    def confirm(self, name: str, code: str) -> bool:
        """A webhook called back to agree; False when the code is not the one it was given."""
        with self._lock:
            courier = self._couriers.get(name) if self._codes.get(name) == code else None
        handshake = self._handshake(courier.subscription) if courier else None
        if courier is None or handshake is None:
            return False
        self._journal.prove(name, handshake.proof)
        courier.confirm()
        return True

    def described(self) -> list[dict[str, Any]]:
        """Each subscription as it was given, without its secrets, with how it stands."""
        waiting = self._journal.waiting()
        with self._lock:
            couriers = [(self._entries[name], courier) for name, courier in self._couriers.items()]
        return [
            {
                **without_secrets(entry),
                "provisioningState": courier.state,
                "waiting": waiting.get(courier.subscription.name, 0),
                "delivered": courier.delivered,
                "deadLettered": courier.dead,
                "dropped": courier.dropped,
            }
            for entry, courier in couriers
        ]

    def _pop(self, name: str) -> Courier | None:
        with self._lock:
            self._entries.pop(name, None)
            return self._couriers.pop(name, None)

    def _add(self, made: Subscription, entry: dict[str, Any], *, asked: bool = False) -> Courier:
        """`asked`: the handshake was made, and a webhook that did not agree yet may call back."""
        handshake = self._handshake(made)
        proven = handshake is None or self._is_proven(handshake)
        destination = (
            QueueDestination(self._storage.queues(made.topic), made.destination, self.chance)
            if isinstance(made.destination, Queue)
            else WebhookDestination(made, made.destination)
        )
        courier = Courier(
            made,
            destination=destination,
            dead_letters=DeadLetters(self._storage.blobs(made.topic), made.dead_letters)
            if made.dead_letters
            else None,
            journal=self._journal,
            patience=self._patience,
            proven=proven,
            ask=None if handshake is None or proven or asked else partial(self._ask, handshake),
        )
        with self._lock:
            self._couriers[made.name], self._entries[made.name] = courier, entry
        return courier

    def _is_proven(self, handshake: Handshake) -> bool:
        return self._journal.is_proven(handshake.subscription.name, handshake.proof)

    def _ask(self, handshake: Handshake) -> bool:
        """Whether the webhook agrees, which is then known for good; raises HandshakeFailed."""
        agreed = handshake.agreed()
        if agreed:
            self._journal.prove(handshake.subscription.name, handshake.proof)
        return agreed

    def _handshake(self, made: Subscription) -> Handshake | None:
        """The question to put to a webhook; its code stays the same, for the answer may come much later."""
        if not isinstance(made.destination, Webhook):
            return None
        with self._lock:
            code = self._codes.setdefault(made.name, str(uuid.uuid4()))
        return Handshake(
            subscription=made,
            url=made.destination.url,
            topic=self.topic_id(made.topic),
            code=code,
            confirm_url=f"{self._url}/subscriptions/{made.name}/validate?id={code}",
        )


def _text(event: Mapping[str, Any], schema: str) -> str | None:
    form = delivered(event, schema)
    return None if form is None else json.dumps(form, separators=(",", ":"), ensure_ascii=False)
