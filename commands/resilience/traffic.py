"""What people drop meanwhile, and what each of it has to become: real bank rows, drawn with a seed."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from commands.resilience.site import NotInTime, Site
from commands.setup import bank_rows
from commands.stack.errors import StackError

FIRST_ROWS = 2500
PATIENCE_SECONDS = 120
"""Whoever drops a file tries again while storage is away."""


@dataclass(kw_only=True)
class Traffic:
    """`files` and `batches` are what was acknowledged: none of it may be lost."""

    site: Site
    chance: random.Random
    files: dict[str, int] = field(default_factory=dict)
    """Rows of each training file, by its name."""
    batches: dict[str, Sequence[bytes]] = field(default_factory=dict)
    """Lines of each file of clients, by its name; the header is the first."""
    gone: set[str] = field(default_factory=set)
    """Files that their owner deleted: they may have been taken before, or not."""

    def __post_init__(self) -> None:
        file, _ = bank_rows.find(None)
        self.header, *rows = file.read_bytes().splitlines()
        self.rows = [row for row in rows if row]

    def begin(self) -> str:
        """The first training file: rows enough for a model that is better than none, whatever the seed."""
        self._dropped("incoming", "first.csv", [self.header, *self.rows[:FIRST_ROWS]])
        self.files["first.csv"] = FIRST_ROWS
        return "first.csv"

    def train(self, rows: int = 120, *, name: str = "") -> str:
        """Drops a training file."""
        name = name or f"rows-{len(self.files) + 1}.csv"
        self._dropped("incoming", name, [self.header, *self._drawn(rows)])
        self.files[name] = rows
        return name

    def score(self, rows: int = 300, *, name: str = "") -> str:
        """Drops a file of clients of whom nobody knows yet what they will answer."""
        name = name or f"clients-{len(self.batches) + 1}.csv"
        delimiter = b";" if b";" in self.header else b","
        lines = [line.rsplit(delimiter, 1)[0] for line in (self.header, *self._drawn(rows))]
        self._dropped("scoring", name, lines)
        self.batches[name] = lines
        return name

    def either(self) -> None:
        """One training file for three of clients: each model takes its time."""
        if self.chance.random() < 0.25:
            self.train()
        else:
            self.score()

    def delete(self, container: str, name: str) -> None:
        self.site.delete(f"{container}/{name}")
        self.gone.add(f"{container}/{name}")

    def _drawn(self, rows: int) -> list[bytes]:
        return (
            self.chance.choices(self.rows, k=rows)
            if rows > len(self.rows)
            else self.chance.sample(self.rows, rows)
        )

    def _dropped(self, container: str, name: str, lines: Sequence[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.site.drop(container, name, lines)
            except StackError as refusal:
                if time.monotonic() > deadline:
                    raise NotInTime(f"{container}/{name} could not be dropped: {refusal}") from refusal
                time.sleep(1)
            else:
                return
