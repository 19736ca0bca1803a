"""Begin of an operation (an action accepted over HTTP): the facts that it stands for become due."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import Fact, OperationRequested
from shared.services import Services


def begin_operation(fact: OperationRequested, services: Services) -> Iterable[Fact]:
    """What the facts are was decided by the HTTP request; that they become due once, whatever dies on the way, is the
    ledger's doing, as with any other fact."""
    return [Fact.from_json(text) for text in fact.facts]
