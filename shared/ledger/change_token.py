"""Change tokens: an ETag of the whole ledger; whether anything may have changed since a poll, by one small read.

There are two. The first moves with things: records, events, and the documents that are shown. The second moves with
those and with facts that were begun or done. Most answers show only things, and need not be read again while facts
come and go. A token means nothing but "not the same as before".
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from shared.ports import Table, Upsert, Write

THINGS, FACTS = "token-things", "token-facts"


class ChangeToken:
    """The two tokens' rows: moved with each transaction, read by each poll."""

    def __init__(self, present: Table, within: str) -> None:
        self._present, self._within = present, within
        self._things = False
        self._listeners: list[Callable[[], None]] = []

    def note_things(self) -> None:
        """Things were changed; the next write of the tokens says so."""
        self._things = True

    def writes(self) -> list[Write]:
        """What moves the tokens on, as part of a transaction; then: `moved`."""
        rows = [THINGS, FACTS] if self._things else [FACTS]
        token = secrets.token_hex(8)
        return [Upsert(row=row, value={"token": token}) for row in rows]

    def moved(self) -> None:
        """The transaction is done: long polls of this process wake at once."""
        self._things = False
        for listener in tuple(self._listeners):
            listener()

    def flush(self) -> None:
        """Moves the tokens on by themselves, if things changed since they last moved."""
        if self._things:
            self._present.commit(self._within, self.writes())
            self.moved()

    def read(self, *, facts: bool) -> str:
        """Differs from what was read before when anything may have changed since.

        facts: whether facts that were begun or done count too
        """
        row = self._present.get(self._within, FACTS if facts else THINGS)
        return str(row.value["token"]) if row else ""

    def on_change(self, listener: Callable[[], None]) -> None:
        """Has `listener` called, in the thread that made it, after each change made by this process."""
        self._listeners.append(listener)
