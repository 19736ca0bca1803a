"""Choices that change without a restart, as rows of a table: what holds, what the setting says, who changed it, why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from commands.client import tables
from commands.client.status_api import Json

COLUMNS = ("setting", "now", "default", "reason")
WHILE_PAUSED = "Paused: no run, batch or release is begun; files that come are taken in."


def rows(settings: Iterable[Json]) -> Iterator[Json]:
    """settings: as the API gives them"""
    for one in settings:
        row = {"setting": one["name"], "now": one["value"], "default": one["default"]}
        if "changedBy" in one:
            row["reason"] = f"{one['changedBy']}, {tables.ago(one['changedAt'])}: {one['changedBecause']}"
        yield row
