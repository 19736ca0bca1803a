"""Pointers: secondary indexes, each a row that leads from a name or a hash to what bears it now.

`file` leads from a name to the newest upload, batch or outcome of it, `hash` from a content to its upload or batch; `held`
from a file's name to what it left in quarantine last; `scored-by` from a model version to the newest batches it scored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.domain.kinds.kind import Change
from shared.domain.names import digest
from shared.errors import Conflict
from shared.ledger.append_log import CAS_TRIES, back_off
from shared.ports import Table

SEVERAL = "scored-by"
MOST_SCORED = 10
"""Batches that are named with the model version that scored them; the list of batches has them all."""

Value = dict[str, Any]


class Pointers:
    """Moved on as the flow records changes of these kinds: their id is the name, their values the one thing led to."""

    def __init__(self, table: Table, *, number_of: Callable[[str, str], int | None]) -> None:
        """number_of: where a record stands in its kind's list; the higher one is the newer"""
        self._table, self._number_of = table, number_of

    def led_to(self, index: str, name: str) -> Value:
        row = self._table.get(*_place(index, name))
        return row.value if row else {}

    def point(self, change: Change) -> bool:
        """Leads the name to what the change says, unless it leads to something newer; whether it was written."""
        ((kind, id_),) = change.values.items()
        place = _place(change.kind, change.id)
        after = self._several if change.kind == SEVERAL else self._newest
        for attempt in range(CAS_TRIES):
            try:
                if attempt == 0:  # mostly the name is new
                    self._table.insert(*place, after({}, kind, id_) or {})
                    return True
                old = self._table.get(*place)
                new = after(old.value if old else {}, kind, id_)
                if new is None or old is None:
                    return False
                self._table.replace(old, new)
            except Conflict:
                if attempt:
                    back_off(attempt)
                continue
            return True
        raise Conflict(f"the pointer {place} changed {CAS_TRIES} times under our hands")

    def _newest(self, known: Value, kind: str, id_: str) -> Value | None:
        """None when what is known came no earlier: a fact applied again moves no pointer back."""
        if not known:
            return {kind: id_}
        ((known_kind, known_id),) = known.items()
        if (known_kind, known_id) == (kind, id_):
            return None
        there, here = self._number_of(known_kind, known_id), self._number_of(kind, id_)
        return None if there is not None and (here is None or here < there) else {kind: id_}

    def _several(self, known: Value, kind: str, id_: str) -> Value | None:
        number = self._number_of(kind, id_)
        before: list[int] = known.get("numbers", [])
        after = sorted({*before, *([] if number is None else [number])})[-MOST_SCORED:]
        return None if after == before and known else {"kind": kind, "numbers": after}


def _place(index: str, name: str) -> tuple[str, str]:
    key = digest(name)
    return f"{index}-{key[:2]}", key
