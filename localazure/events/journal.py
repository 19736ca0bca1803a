"""What must survive a `kill -9`: how far the access log is read, and what is not delivered yet."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS place (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1), log TEXT NOT NULL, offset INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sequence (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1), last INTEGER NOT NULL);
INSERT OR IGNORE INTO sequence VALUES (1, 0);
CREATE TABLE IF NOT EXISTS delivery (
    number INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, event TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL, expires REAL NOT NULL);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (due);
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place in the access log: the file (by the name in its first line) and a byte in it."""

    log: str
    offset: int


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One event on its way to one queue. Times are seconds since 1970."""

    queue: str
    event: str
    due: float
    expires: float
    number: int = 0
    attempts: int = 0


class Journal:
    """A small SQLite file. The process may die at any instant; only a power cut can lose the last moments."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._base = sqlite3.connect(file, check_same_thread=False)
        self._base.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._base.close()

    def place(self) -> Place | None:
        """How far the access log was read; None before the first time."""
        rows = self._read("SELECT log, offset FROM place")
        return Place(log=rows[0][0], offset=rows[0][1]) if rows else None

    def next_sequence(self) -> int:
        """A number larger than all before, across restarts."""
        with self._lock, self._base:
            changed = self._base.execute("UPDATE sequence SET last = last + 1 RETURNING last")
            return int(changed.fetchone()[0])

    def record(self, deliveries: Sequence[Delivery], place: Place | None = None) -> None:
        """Take responsibility for `deliveries` and move to `place`, both or neither."""
        rows = [(one.queue, one.event, one.due, one.expires) for one in deliveries]
        with self._lock, self._base:
            self._base.executemany(
                "INSERT INTO delivery (queue, event, due, expires) VALUES (?, ?, ?, ?)", rows
            )
            if place is not None:
                self._base.execute("REPLACE INTO place VALUES (1, ?, ?)", (place.log, place.offset))

    def due(self, now: float) -> list[Delivery]:
        """What should be delivered by now, oldest first; a handful at a time."""
        columns = "queue, event, due, expires, number, attempts"
        rows = self._read(f"SELECT {columns} FROM delivery WHERE due <= ? ORDER BY due, number LIMIT 32", now)
        names = columns.split(", ")
        return [Delivery(**dict(zip(names, row, strict=True))) for row in rows]

    def next_due(self) -> float | None:
        """When the next delivery is due; None when nothing waits."""
        rows = self._read("SELECT MIN(due) FROM delivery")
        due: float | None = rows[0][0]
        return due

    def waiting(self) -> int:
        """How many deliveries are not done."""
        return int(self._read("SELECT COUNT(*) FROM delivery")[0][0])

    def settle(self, delivery: Delivery) -> None:
        """The queue has it (or will never take it)."""
        with self._lock, self._base:
            self._base.execute("DELETE FROM delivery WHERE number = ?", (delivery.number,))

    def postpone(self, queue: str, until: float) -> None:
        """The queue does not take anything now: try all that is waiting for it later, in the same order."""
        with self._lock, self._base:
            self._base.execute(
                "UPDATE delivery SET attempts = attempts + 1, due = MAX(due, ?) WHERE queue = ?",
                (until, queue),
            )

    def _read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._base.execute(statement, values).fetchall()
