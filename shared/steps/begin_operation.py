"""An operator asked for something over HTTP: the facts that it means are due."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.facts import Fact, OperationRequested
from shared.services import Services


def begin_operation(fact: OperationRequested, services: Services) -> Iterable[Fact]:
    """What was asked for was decided when it was asked; here it is begun, once, whatever dies on the way."""
    return [Fact.from_json(text) for text in fact.facts]
