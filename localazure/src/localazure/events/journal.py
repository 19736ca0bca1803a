"""What must survive a `kill -9`: how far the access log is read, what is not delivered yet, who subscribed."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS place (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1), log TEXT NOT NULL, offset INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sequence (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1), last INTEGER NOT NULL);
INSERT OR IGNORE INTO sequence VALUES (1, 0);
CREATE TABLE IF NOT EXISTS outgoing (
    number INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT NOT NULL, event TEXT NOT NULL,
    published REAL NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL DEFAULT '', attempted REAL NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS outgoing_due ON outgoing (subscription, due);
CREATE TABLE IF NOT EXISTS subscribed (name TEXT PRIMARY KEY, entry TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS proven (name TEXT PRIMARY KEY, url TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS blob_type (path TEXT PRIMARY KEY, content TEXT NOT NULL, kind TEXT NOT NULL);
"""
_COLUMNS = "number, subscription, event, published, due, attempts, outcome, attempted, reason"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place in the access log: the file (by the name in its first line) and a byte in it."""

    log: str
    offset: int


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One event on its way to one subscription's destination. Times are seconds since 1970."""

    subscription: str
    event: str
    published: float
    due: float
    number: int = 0
    attempts: int = 0
    outcome: str = ""
    attempted: float = 0.0
    reason: str = ""
    """Not empty: it is given up, for this reason, and waits to become a dead letter."""


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

    # --- the access log -------------------------------------------------------------------------------------

    def place(self) -> Place | None:
        """How far the access log was read; None before the first time."""
        rows = self._read("SELECT log, offset FROM place")
        return Place(log=rows[0][0], offset=rows[0][1]) if rows else None

    def next_sequence(self) -> int:
        """A number larger than all before, across restarts."""
        with self._lock, self._base:
            changed = self._base.execute("UPDATE sequence SET last = last + 1 RETURNING last")
            return int(changed.fetchone()[0])

    def remember_blob(self, path: str, content_type: str, blob_type: str) -> None:
        """For the event of its deletion, when nobody can ask the blob any more."""
        self._write("REPLACE INTO blob_type VALUES (?, ?, ?)", path, content_type, blob_type)

    def known_blob(self, path: str) -> tuple[str, str] | None:
        """The content type and blob type remembered of a blob."""
        rows = self._read("SELECT content, kind FROM blob_type WHERE path = ?", path)
        return (rows[0][0], rows[0][1]) if rows else None

    def forget_blob(self, path: str) -> None:
        self._write("DELETE FROM blob_type WHERE path = ?", path)

    # --- deliveries -----------------------------------------------------------------------------------------

    def record(self, deliveries: Sequence[Delivery], place: Place | None = None) -> None:
        """Take responsibility for `deliveries` and move to `place`, both or neither."""
        rows = [(one.subscription, one.event, one.published, one.due) for one in deliveries]
        with self._lock, self._base:
            self._base.executemany(
                "INSERT INTO outgoing (subscription, event, published, due) VALUES (?, ?, ?, ?)", rows
            )
            if place is not None:
                self._base.execute("REPLACE INTO place VALUES (1, ?, ?)", (place.log, place.offset))

    def due(self, subscription: str, now: float, *, but: Collection[int] = ()) -> Delivery | None:
        """What comes next for a subscription by now, the oldest first; `but` names what is under way."""
        without = ",".join(str(int(number)) for number in but)
        rows = self._read(
            f"SELECT {_COLUMNS} FROM outgoing WHERE subscription = ? AND due <= ? AND number NOT IN ({without})"
            " ORDER BY due, number LIMIT 1",
            subscription,
            now,
        )
        return Delivery(**dict(zip(_COLUMNS.split(", "), rows[0], strict=True))) if rows else None

    def next_due(self, subscription: str, *, but: Collection[int] = ()) -> float | None:
        """When the next delivery is due; None when nothing waits."""
        without = ",".join(str(int(number)) for number in but)
        rows = self._read(
            f"SELECT MIN(due) FROM outgoing WHERE subscription = ? AND number NOT IN ({without})",
            subscription,
        )
        due: float | None = rows[0][0]
        return due

    def waiting(self) -> dict[str, int]:
        """How many deliveries of each subscription are not done."""
        return dict(self._read("SELECT subscription, COUNT(*) FROM outgoing GROUP BY subscription"))

    def settle(self, delivery: Delivery) -> None:
        """The destination has it, or nobody ever will."""
        self._write("DELETE FROM outgoing WHERE number = ?", delivery.number)

    def postpone(
        self, delivery: Delivery, *, due: float, attempts: int, outcome: str, attempted: float, reason: str
    ) -> None:
        """It is tried again at `due`, or given up for `reason` and made a dead letter then."""
        self._write(
            "UPDATE outgoing SET due = ?, attempts = ?, outcome = ?, attempted = ?, reason = ? WHERE number = ?",
            due, attempts, outcome, attempted, reason, delivery.number,
        )  # fmt: skip

    # --- subscriptions --------------------------------------------------------------------------------------

    def subscribed(self) -> list[dict[str, Any]]:
        """The entries of the subscriptions that were made by request."""
        return [json.loads(row[0]) for row in self._read("SELECT entry FROM subscribed ORDER BY name")]

    def subscribe(self, name: str, entry: dict[str, Any]) -> None:
        self._write("REPLACE INTO subscribed VALUES (?, ?)", name, json.dumps(entry))

    def unsubscribe(self, name: str) -> None:
        """Forget the subscription and what waits for it."""
        with self._lock, self._base:
            for table, column in (("subscribed", "name"), ("proven", "name"), ("outgoing", "subscription")):
                self._base.execute(f"DELETE FROM {table} WHERE {column} = ?", (name,))

    def is_proven(self, name: str, url: str) -> bool:
        """Whether the webhook at `url` has agreed to take the subscription's events."""
        return bool(self._read("SELECT 1 FROM proven WHERE name = ? AND url = ?", name, url))

    def prove(self, name: str, url: str) -> None:
        self._write("REPLACE INTO proven VALUES (?, ?)", name, url)

    def _read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._base.execute(statement, values).fetchall()

    def _write(self, statement: str, *values: object) -> None:
        with self._lock, self._base:
            self._base.execute(statement, values)
