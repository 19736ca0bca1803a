"""Things put on record without the flow, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.kinds.kind import Change
from shared.ledger import Ledger


def put_on_record(ledger: Ledger, changes: Iterable[Change], *, told: bool = True) -> None:
    """As the flow does at the end of a fact: records, events, change token.

    told: whether the token moves on too
    """
    ledger.outbox.append(ledger.records.apply(changes, cause="a test"))
    if told:
        ledger.token.flush()
