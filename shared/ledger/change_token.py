"""Change tokens: an ETag of the whole ledger; whether anything may have changed since a poll, by one small read.

There are two. The first moves with things: records, events, and the documents that are shown. The second moves with
those and with facts that were begun or done. Most answers show only things, and need not be read again while facts
come and go. A token means nothing but "not the same as before".
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from shared.ports import Table, Upsert, Write

THINGS, FACTS = "token-things", "token-facts"


@dataclass(frozen=True, kw_only=True)
class Move:
    """Writes that move the tokens on, as part of a transaction."""

    writes: list[Write]
    noted: object
    """The newest note they tell of: what is noted while they are on their way, the next ones tell."""


class ChangeToken:
    """The two tokens' rows: moved with each transaction, read by each poll."""

    def __init__(self, present: Table, within: str) -> None:
        self._present, self._within = present, within
        self._noted = self._told = object()
        """The newest note that things were changed, and the newest that a move of the token told of."""
        self._listeners: list[Callable[[], None]] = []

    def note_things(self) -> None:
        """Things were changed, so that whoever looks now sees it; the next move says so."""
        self._noted = object()

    def move(self) -> Move:
        """Moves the tokens on once its writes are done, which is to be told: `moved`."""
        noted, token = self._noted, secrets.token_hex(8)
        rows = [FACTS] if noted is self._told else [THINGS, FACTS]
        return Move(writes=[Upsert(row=row, value={"token": token}) for row in rows], noted=noted)

    def moved(self, move: Move) -> None:
        """The transaction is done: long polls of this process wake at once."""
        self._told = move.noted
        for listener in tuple(self._listeners):
            listener()

    def flush(self) -> None:
        """Moves the tokens on by themselves, if things changed since they last moved."""
        if self._noted is not self._told:
            move = self.move()
            self._present.commit(self._within, move.writes)
            self.moved(move)

    def read(self, *, facts: bool) -> str:
        """Differs from what was read before when anything may have changed since.

        facts: whether facts that were begun or done count too
        """
        row = self._present.get(self._within, FACTS if facts else THINGS)
        return str(row.value["token"]) if row else ""

    def on_change(self, listener: Callable[[], None]) -> None:
        """Has `listener` called, in the thread that made it, after each change made by this process."""
        self._listeners.append(listener)
