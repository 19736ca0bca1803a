"""Instants, as Azure writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """This instant, in UTC, to the microsecond: `2026-11-24T09:00:00.000000Z`."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
