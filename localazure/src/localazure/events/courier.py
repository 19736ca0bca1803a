"""Brings the events of one subscription to its destination, at least once and as long as its policy says.

waiting ── attempt ── taken ───────────────────────────────────────> done
   ^          │
   ├── later ─┤ not taken
   │          └── never will, too often, or too late ── has it dead letters? ── no ──> dropped, and said
   │                                                          │
   └──────────── until it is written ─────────────────── dead letter ──> done
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from localazure.events.destinations import DeadLetters, Destination
from localazure.events.filters import type_and_subject
from localazure.events.handshake import HandshakeFailed
from localazure.events.journal import Delivery, Journal
from localazure.events.patience import (
    CLIENT_ERROR,
    MAX_ATTEMPTS,
    SCHEDULE,
    TIME_TO_LIVE,
    Failure,
    Patience,
)
from localazure.events.subscriptions import Queue, Subscription

STOP_SECONDS = 5.0
HANDS = 4
"""Deliveries under way at a time to one webhook. A queue gets one: it keeps the order they came in."""


class Courier:
    """One subscription at work."""

    def __init__(
        self,
        subscription: Subscription,
        *,
        destination: Destination,
        dead_letters: DeadLetters | None,
        journal: Journal,
        patience: Patience,
        proven: bool,
        ask: Callable[[], bool] | None,
    ) -> None:
        """Not `proven`, it delivers nothing until `ask` is true, or until the webhook calls back."""
        self.subscription = subscription
        self.delivered = self.dead = self.dropped = 0
        self.state = "Succeeded" if proven else "AwaitingHandshake" if ask else "AwaitingManualAction"
        self._destination, self._dead_letters = destination, dead_letters
        self._journal, self._patience = journal, patience
        self._proven, self._ask = proven, ask
        self._changed = threading.Condition()
        self._under_way: set[int] = set()
        self._rests_until = 0.0
        self._stop = threading.Event()
        hands = 1 if isinstance(subscription.destination, Queue) else HANDS
        self._threads = [
            threading.Thread(target=self._work, name=f"{subscription.name} {hand}", daemon=True)
            for hand in range(hands)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> bool:
        """Finish the deliveries under way; the journal keeps the others. False when one takes too long."""
        with self._changed:
            self._stop.set()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(STOP_SECONDS / len(self._threads))
        return not any(thread.is_alive() for thread in self._threads)

    def wake(self) -> None:
        """There is something new to deliver."""
        with self._changed:
            self._changed.notify_all()

    def confirm(self) -> None:
        """The webhook agreed; what waited for that goes out."""
        with self._changed:
            self._proven, self.state = True, "Succeeded"
            self._changed.notify_all()

    # --- the threads ----------------------------------------------------------------------------------------

    def _work(self) -> None:
        if self._threads[0] is threading.current_thread():
            self._shake_hands()
        while (delivery := self._next()) is not None:
            try:
                self._handle(delivery)
            finally:
                with self._changed:
                    self._under_way.discard(delivery.number)
                    self._changed.notify_all()

    def _shake_hands(self) -> None:
        """Ask until the webhook agrees, or takes the question and calls back later."""
        tries = 0
        while self._ask and not self._proven and not self._stop.is_set():
            try:
                if self._ask():
                    self.confirm()
                else:
                    self.state = "AwaitingManualAction"
                return
            except HandshakeFailed as problem:
                self.state = f"AwaitingHandshake: {problem}"
                self._say(f"the handshake failed: {problem}")
            tries += 1
            self._stop.wait(SCHEDULE[min(tries, 3) - 1] * self._patience.retry_scale)

    def _next(self) -> Delivery | None:
        """What to deliver now, waited for; None when asked to stop."""
        with self._changed:
            while not self._stop.is_set():
                now = time.time()
                resting = max(self._rests_until - now, 0.0)
                if not self._proven:
                    self._changed.wait()
                elif resting:
                    self._changed.wait(resting)
                elif found := self._journal.due(self.subscription.name, now, but=self._under_way):
                    self._under_way.add(found.number)
                    return found
                else:
                    due = self._journal.next_due(self.subscription.name, but=self._under_way)
                    self._changed.wait(None if due is None else max(0.001, due - now))
        return None

    # --- one delivery ---------------------------------------------------------------------------------------

    def _handle(self, delivery: Delivery) -> None:
        if delivery.reason:
            self._bury(delivery)
        elif time.time() > self._expires(delivery):
            self._give_up(delivery, TIME_TO_LIVE)
        else:
            self._attempt(delivery)

    def _attempt(self, delivery: Delivery) -> None:
        began = time.time()
        try:
            self._destination.send(delivery)
        except Failure as problem:
            tried = replace(
                delivery, attempts=delivery.attempts + 1, outcome=problem.outcome, attempted=began
            )
            self._failed(tried, problem)
        else:
            self._journal.settle(delivery)
            self.delivered += 1

    def _failed(self, delivery: Delivery, problem: Failure) -> None:
        if problem.is_final:
            self._give_up(delivery, CLIENT_ERROR, f" ({problem})")
            return
        if delivery.attempts >= self.subscription.max_attempts:
            self._give_up(delivery, MAX_ATTEMPTS, f" ({problem})")
            return
        now = time.time()
        wait = self._patience.wait(delivery.attempts, problem)
        due = min(now + wait, self._expires(delivery) + 0.001)
        self._say(f"{problem}; attempt {delivery.attempts + 1} in {due - now:.1f} s")
        if (
            problem.ails
        ):  # the others wait too, untried, and behind it: a destination in trouble is left alone
            self._later(delivery, due=delivery.due)
            self._rests_until = due
        else:
            self._later(delivery, due=due)

    def _give_up(self, delivery: Delivery, reason: str, said: str = "") -> None:
        if self._dead_letters is None:
            self._drop(delivery, reason + said)
            return
        # Kept before it is told: what the log says outlives a kill.
        self._later(replace(delivery, reason=reason), due=time.time() + self._patience.dead_letter_delay())
        self._say(f"{_shown(delivery)} becomes a dead letter: {reason}{said}")

    def _bury(self, delivery: Delivery) -> None:
        if self._dead_letters is None:
            self._drop(delivery, delivery.reason)
            return
        try:
            self._dead_letters.write(delivery)
        except Failure as problem:
            now = time.time()
            since = (delivery.attempted or self._expires(delivery)) + self._patience.dead_letter_delay()
            if now - since > self._patience.dead_letter_life() or problem.is_final:
                self._drop(delivery, f"{delivery.reason}, and no dead letter could be written ({problem})")
                return
            self._say(f"{problem}; the dead letter is written later")
            self._later(delivery, due=now + self._patience.wait(1, problem))
        else:
            self._journal.settle(delivery)
            self.dead += 1

    def _drop(self, delivery: Delivery, why: str) -> None:
        self._say(f"{_shown(delivery)} is dropped: {why}")
        self._journal.settle(delivery)
        self.dropped += 1

    def _later(self, delivery: Delivery, *, due: float) -> None:
        self._journal.postpone(
            delivery, due=due, attempts=delivery.attempts, outcome=delivery.outcome,
            attempted=delivery.attempted, reason=delivery.reason,
        )  # fmt: skip

    def _expires(self, delivery: Delivery) -> float:
        return delivery.published + self._patience.life(self.subscription.life_minutes)

    def _say(self, text: str) -> None:
        print(f"events: {self.subscription.name}: {text}", file=sys.stderr, flush=True)


def _shown(delivery: Delivery) -> str:
    """Which event it is, without what it says."""
    event = json.loads(delivery.event)
    kind, subject = type_and_subject(event)
    return f"{kind} {event.get('id')} of {subject!r}"
