"""How far a batch is scored: its share, its rows a second and the time left (ETA)."""

from __future__ import annotations

from commands.client import tables
from commands.client.status_api import Json


def share(batch: Json) -> float:
    """How much of it is scored, 0 to 1."""
    if batch["state"] == "scored":
        return 1.0
    for done, whole in (("scoredBytes", "sizeBytes"), ("shardsScored", "shards")):
        if batch.get(whole):
            return min(1.0, float(batch.get(done) or 0) / float(batch[whole]))
    return 0.0


def pace(batch: Json) -> str:
    """The rate and the time left, while it is scored."""
    parts = [f"{batch['rowsPerSecond']:,.0f} rows/s"] if batch.get("rowsPerSecond") else []
    if batch["state"] == "scoring" and batch.get("etaSeconds") is not None:
        parts.append(f"about {tables.duration(batch['etaSeconds'])} left")
    return ", ".join(parts)
