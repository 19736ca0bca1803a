"""Waiting for what comes by itself: looked for again and again, and a failure when it does not come in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(check: Callable[[], Any], what: str = "it", *, seconds: float = 40) -> Any:
    """The first true answer of `check`; fails when it has none in time."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:g} s"
        time.sleep(0.01)
    return found
