"""The audit log: what operators did, each entry with the hash of the one before it, so that none is changed unseen."""

from __future__ import annotations

from typing import Any

from shared.domain.audit import chained
from shared.errors import Conflict
from shared.ledger.append_log import CAS_TRIES, AppendLog, Entry, back_off
from shared.ports import Table

AUDIT = "audit"


class AuditLog:
    """An append-only log in which each operation has one entry."""

    def __init__(self, *, present: Table, past: Table) -> None:
        self._log = AppendLog(AUDIT, hot=present, cold=past, within=AUDIT)

    def append(self, entry: dict[str, Any], *, retried: bool) -> int:
        """Puts the entry at the end, chained to the one before; its number.

        retried: it may be in the log already, from an attempt that died after writing it; as it may once its number was
        refused, where storage did the write and refused the client that asked once more
        raises: Conflict when others always were quicker
        """
        for attempt in range(CAS_TRIES):
            newest = self._log.newest(1)
            if (retried or attempt) and (number := self._number_of(entry["operationId"])) is not None:
                return number
            number = newest[0].number + 1 if newest else 0
            chained_entry = chained(entry, newest[0].value if newest else None)
            if self._log.append_at(number, chained_entry) is not None:
                return number
            back_off(attempt)
        raise Conflict(f"the end of the audit log moved {CAS_TRIES} times under our hands")

    def newest(self, limit: int = 50, *, before: int | None = None) -> list[Entry]:
        """The newest entries first."""
        return self._log.newest(limit, before=before)

    def following(self, number: int, *, limit: int) -> list[Entry]:
        """The entries from this number on, the oldest first, as far as there is no gap."""
        return self._log.following(number, limit)

    def count(self) -> int:
        return self._log.count()

    def _number_of(self, operation: str) -> int | None:
        """An attempt that is made again is made soon: its entry is among the newest."""
        found = (entry for entry in self._log.newest(100) if entry.value["operationId"] == operation)
        return next((entry.number for entry in found), None)
