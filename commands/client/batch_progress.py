"""How far a batch is scored: its share, its rows a second and the time left (ETA)."""

from __future__ import annotations

from commands.client import tables
from commands.client.status_api import Json


def share(batch: Json) -> float:
    """How much of it is scored, 0 to 1."""
    if batch["state"] == "scored":
        return 1.0
    for done, whole in (("bytes_done", "bytes"), ("shards_scored", "shards")):
        if batch.get(whole):
            return min(1.0, float(batch.get(done) or 0) / float(batch[whole]))
    return 0.0


def pace(batch: Json) -> str:
    """The rate and the time left, while it is scored."""
    parts = [f"{batch['rows_per_second']:,.0f} rows/s"] if batch.get("rows_per_second") else []
    if batch["state"] == "scoring" and batch.get("eta_seconds") is not None:
        parts.append(f"about {tables.duration(batch['eta_seconds'])} left")
    return ", ".join(parts)
