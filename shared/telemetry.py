"""Structured logging: one line per step, a sentence and fields a machine can filter by; no data values, no secrets."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from shared.domain.facts import Fact

log = logging.getLogger("campanha")


def say(action: str, sentence: str, *, level: int = logging.INFO, **fields: str | int | float | None) -> None:
    """Logs `sentence` with its `action` (a closed vocabulary: the step names and a few more) and fields."""
    details = {"action": action, **{k: v for k, v in fields.items() if v is not None}}
    log.log(level, "%s %s", sentence, json.dumps(details, separators=(",", ":")), extra={"campanha": details})


@contextmanager
def step(action: str, key: str) -> Iterator[Callable[[Sequence[Fact]], None]]:
    """Logs a step's begin, and its end with duration and the facts it led to, or with the error that stopped it."""
    started = time.monotonic()
    led_to: list[str] = []
    say(action, f"{action} begins.", key=key)
    try:
        yield lambda facts: led_to.extend(type(fact).__name__ for fact in facts)
    except Exception as problem:
        say(action, f"{action} failed.", level=logging.WARNING, key=key, problem=type(problem).__name__)
        raise
    took = round((time.monotonic() - started) * 1000)
    say(action, f"{action} done.", key=key, led_to=",".join(dict.fromkeys(led_to)), milliseconds=took)
