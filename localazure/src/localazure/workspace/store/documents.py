"""Documents on disk: one SQLite table in write-ahead mode; kill -9 loses nothing that was answered."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from localazure.workspace.wire.calls import Json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    family TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (kind, key)
);
CREATE INDEX IF NOT EXISTS families ON documents (kind, family, number);
"""


class Store:
    """`kind` is a collection, `key` a name in it, `family` what it belongs to (an asset, a parent run)."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """All that is written within is kept, or nothing of it; nobody else writes in between. One within another is part
        of that one."""
        with self._lock:
            if self._database.in_transaction:
                yield
                return
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                yield

    def get(self, kind: str, key: str) -> Json | None:
        with self._lock:
            row = self._database.execute(
                "SELECT body FROM documents WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def add(self, kind: str, key: str, value: Json, *, family: str = "") -> bool:
        """False when the key is taken; nothing is written then."""
        with self._lock:
            written = self._database.execute(
                "INSERT OR IGNORE INTO documents (kind, key, family, body) VALUES (?, ?, ?, ?)",
                (kind, key, family, json.dumps(value)),
            )
            return written.rowcount == 1

    def put(self, kind: str, key: str, value: Json, *, family: str = "") -> bool:
        """Insert or replace, keeping the place in the order of creation; true when it is new."""
        with self._lock:
            if self.add(kind, key, value, family=family):
                return True
            self._database.execute(
                "UPDATE documents SET body = ? WHERE kind = ? AND key = ?", (json.dumps(value), kind, key)
            )
            return False

    def change(self, kind: str, key: str, change: Callable[[Json], None]) -> Json | None:
        """Read, change, write, with nobody in between; None when there is nothing to change."""
        with self._lock:
            value = self.get(kind, key)
            if value is None:
                return None
            change(value)
            self.put(kind, key, value)
            return value

    def remove(self, kind: str, key: str) -> bool:
        with self._lock:
            deleted = self._database.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key))
            return deleted.rowcount == 1

    def all(self, kind: str, *, family: str | None = None, newest_first: bool = False) -> list[Json]:
        """In order of creation."""
        order = "DESC" if newest_first else "ASC"
        condition, values = (
            ("kind = ?", (kind,)) if family is None else ("kind = ? AND family = ?", (kind, family))
        )
        with self._lock:
            rows = self._database.execute(
                f"SELECT body FROM documents WHERE {condition} ORDER BY number {order}", values
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def keys(self, kind: str, *, family: str) -> list[str]:
        with self._lock:
            rows = self._database.execute(
                "SELECT key FROM documents WHERE kind = ? AND family = ?", (kind, family)
            ).fetchall()
        return [row[0] for row in rows]

    def newest(self, kind: str, *, family: str, wanted: Callable[[Json], bool]) -> Json | None:
        """The one made last of those that are wanted; reads no more than it must."""
        with self._lock:
            for row in self._database.execute(
                "SELECT body FROM documents WHERE kind = ? AND family = ? ORDER BY number DESC",
                (kind, family),
            ):
                value: Json = json.loads(row[0])
                if wanted(value):
                    return value
        return None

    def clear(self) -> None:
        with self._lock:
            self._database.execute("DELETE FROM documents")

    def close(self) -> None:
        with self._lock:
            self._database.close()
