"""How long to wait after a failed delivery, and when to give it up: Event Grid's documented schedule.

Source: https://learn.microsoft.com/azure/event-grid/delivery-and-retry
"""

from __future__ import annotations

import random
from dataclasses import dataclass

SCHEDULE = (10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
"""Seconds after the first, second, ... failed attempt; the last one for all that follow."""
DEAD_LETTER_DELAY = 300.0
DEAD_LETTER_LIFE = 4 * 3600.0
"""So long a dead letter may fail to be written, before it is dropped."""
MAX_ATTEMPTS, TIME_TO_LIVE, CLIENT_ERROR = (
    "MaxDeliveryAttemptsExceeded", "TimeToLiveExceeded", "UndeliverableDueToClientError",
)  # fmt: skip


class Failure(Exception):
    """A destination did not take an event.

    `outcome` is Event Grid's word for it; `is_final` that trying again is of no use; `at_least` how many seconds
    to wait for the next attempt; `ails` that the destination takes no other event now either.
    """

    def __init__(
        self, said: str, *, outcome: str, is_final: bool = False, at_least: float = 10.0, ails: bool = False
    ) -> None:
        super().__init__(said)
        self.outcome, self.is_final, self.at_least, self.ails = outcome, is_final, at_least, ails


_OUTCOMES = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 408: "TimedOut",
             413: "PayloadTooLarge", 429: "Busy", 503: "Busy"}  # fmt: skip
_AT_LEAST = {408: 120.0, 503: 30.0}
_AT_LEAST_OF_AZURE = {401: 300.0, 404: 300.0}


def refusal(status: int, said: str, *, azure: bool) -> Failure:
    """The failure that an answer with this status is, from a service of Azure or from a webhook."""
    final = {400, 403, 413} if azure else {400, 401, 403, 413}
    at_least = {**_AT_LEAST, **(_AT_LEAST_OF_AZURE if azure else {})}
    return Failure(
        said,
        outcome=_OUTCOMES.get(status, "GenericError"),
        is_final=status in final,
        at_least=at_least.get(status, 10.0),
        ails=azure,
    )


@dataclass(frozen=True, kw_only=True)
class Patience:
    """The schedule, with its waits and its lives each scaled: 1 is Azure's time."""

    retry_scale: float = 1.0
    life_scale: float = 1.0

    def wait(self, attempts: int, failure: Failure) -> float:
        """Seconds until the attempt after `attempts` failed ones, a little more than scheduled by chance."""
        scheduled = SCHEDULE[min(max(attempts, 1), len(SCHEDULE)) - 1]
        return max(scheduled, failure.at_least) * self.retry_scale * random.uniform(1, 1.1)  # noqa: S311

    def dead_letter_delay(self) -> float:
        return DEAD_LETTER_DELAY * self.retry_scale

    def life(self, minutes: int) -> float:
        return minutes * 60.0 * self.life_scale

    def dead_letter_life(self) -> float:
        return DEAD_LETTER_LIFE * self.life_scale
