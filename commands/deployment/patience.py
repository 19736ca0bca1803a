"""Roles take up to half an hour to work: what is refused for want of one is tried again until then."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Answer = TypeVar("Answer")
REFUSED = (401, 403)
FIRST, LONGEST = 5.0, 60.0
"""Seconds between two tries: twice as many each time."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long, and by which clock."""

    minutes: float
    look: float = FIRST
    """Seconds between two looks."""
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    say: Callable[[str], None] = print

    def until_let_in(self, what: str, call: Callable[[], Answer]) -> Answer:
        """What the call gives, once it is not refused any more.

        raises: HttpResponseError when it still is after all the time, or at once when it is another
        """
        from azure.core.exceptions import HttpResponseError

        end, pause = self.clock() + 60 * self.minutes, FIRST
        while True:
            try:
                return call()
            except HttpResponseError as refusal:
                if refusal.status_code not in REFUSED or self.clock() + pause > end:
                    raise
                self.say(
                    f"{what}: refused with {refusal.status_code}; again in {pause:.0f} s, a role may not work yet"
                )
            self.sleep(pause)
            pause = min(2 * pause, LONGEST)

    def until_there(self, look: Callable[[], Answer | None]) -> Answer | None:
        """What the look gives, once it gives anything; None when it gave nothing in all the time."""
        end = self.clock() + 60 * self.minutes
        while (found := look()) is None and self.clock() < end:
            self.sleep(self.look)
        return found
