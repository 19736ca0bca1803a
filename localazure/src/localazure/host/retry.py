"""A timer's retry policy: how often, and how long between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from localazure.host.errors import BrokenApp
from localazure.host.host_json import seconds


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """`most` tries after the first (-1: for ever), `shortest` to `longest` seconds apart, doubling."""

    most: int
    shortest: float
    longest: float

    def delay(self, attempt: int) -> float:
        """Seconds to wait after the failed attempt number `attempt`, counted from 0."""
        return min(self.shortest * float(2 ** min(attempt, 32)), self.longest)


def parse(settings: Mapping[str, str], *, where: str) -> RetryPolicy:
    """The policy a function is decorated with."""
    strategy = settings.get("strategy")
    try:
        most = int(settings["max_retry_count"])
        if strategy == "fixed_delay":
            delay = seconds(settings["delay_interval"], where=f"{where}: delay_interval")
            return RetryPolicy(most=most, shortest=delay, longest=delay)
        if strategy == "exponential_backoff":
            return RetryPolicy(
                most=most,
                shortest=seconds(settings["minimum_interval"], where=f"{where}: minimum_interval"),
                longest=seconds(settings["maximum_interval"], where=f"{where}: maximum_interval"),
            )
    except (KeyError, ValueError) as cause:
        raise BrokenApp(f"{where}: its retry policy lacks {cause}.") from cause
    raise BrokenApp(
        f"{where}: the retry strategy {strategy!r} is not known: fixed_delay or exponential_backoff."
    )
