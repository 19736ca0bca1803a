"""Isolation: of many things looked at in one go, one that fails keeps no other from its turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from shared.errors import CampanhaError

S = TypeVar("S")
T = TypeVar("T")


def each_by_itself(look: Callable[[S], Iterable[T]], things: Iterable[S]) -> Iterator[T]:
    """What `look` yields for each of the things; raises, once all had their turn, the first failure there was.

    So whoever calls is told, and what the others led to is not lost (see `flow.handle`, on hints).
    """
    first: CampanhaError | None = None
    for thing in things:
        try:
            yield from look(thing)
        except CampanhaError as failure:
            first = first or failure
    if first:
        raise first
