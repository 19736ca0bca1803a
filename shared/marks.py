"""Whether anything may have changed since somebody last looked: two small marks, and a call for those in this process.

The first mark tells of things (records, and the documents that stand for the present), the second of facts that were
begun or done. Most answers show only things, and so need not be read again while facts come and go.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from shared.ports import Table

MARKS = "marks"
"""The partition of the two, and of nothing else."""
THINGS, FACTS = "things", "facts"


@dataclass(frozen=True)
class Changes:
    """How much this process has changed so far."""

    things: int = 0
    facts: int = 0


class Marks:
    """Written by whoever changes something, read by whoever polls."""

    def __init__(self, present: Table) -> None:
        self._present = present
        self._listeners: list[Callable[[], None]] = []
        self.changes = Changes()

    def note(self, *, things: int = 0, facts: int = 0) -> None:
        """So much was changed; nobody is told yet."""
        self.changes = Changes(self.changes.things + things, self.changes.facts + facts)

    def tell(self, since: Changes) -> None:
        """Tells what changed since then, if anything did."""
        if self.changes.things != since.things:
            self._leave(THINGS)
        elif self.changes.facts != since.facts:
            self._leave(FACTS)

    def touch(self) -> None:
        """Things have changed."""
        self._leave(THINGS)

    def _leave(self, mark: str) -> None:
        """Written without looking at the mark before: no worker ever waits for another here."""
        self._present.put(MARKS, mark, {"mark": secrets.token_hex(8)})
        for listener in tuple(self._listeners):
            listener()

    def read(self, *, facts: bool) -> str:
        """Differs from what was read before when anything may have changed since; one small read.

        facts: whether facts that were begun or done count too
        """
        rows = self._present.rows(MARKS) if facts else [self._present.get(MARKS, THINGS)]
        return " ".join(row.value["mark"] for row in rows if row)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Has `listener` called, in the thread that made it, after each change made through these marks."""
        self._listeners.append(listener)
