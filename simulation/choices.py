"""Choices: the points at which a run may go another way than in the plain order, and the ways that it went.

A schedule is where it deviates: {number of the choice point: which of its options}. At all other points everything goes
the plain way: calls are answered at once, messages come first in, first out, and nobody dies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any, Protocol
from zlib import crc32

MASK = (1 << 64) - 1


class Deviations(Protocol):
    """By choice point, counted from 1, the option that is taken: counted from 1 too. A dictionary is one."""

    def get(self, at: int, /) -> int | None: ...

    def clear(self) -> None: ...


@dataclass(frozen=True)
class Option:
    """Another way than the plain one."""

    name: str
    act: Callable[..., Any]


@dataclass(frozen=True)
class Point:
    """A kind of choice point: what happens there, and what else could."""

    label: str
    options: tuple[Option, ...]

    @cached_property
    def bytes(self) -> bytes:
        """The label, as fingerprints take it."""
        return self.label.encode()


@dataclass(frozen=True)
class Taken:
    """A deviation as it was made."""

    at: int
    option: int
    name: str
    label: str

    def __str__(self) -> str:
        return f"choice {self.at}: {self.label} {self.name}"


class NeverEnds(BaseException):
    """The run goes round and round; no `except` of the code under test may stop that it is told."""


class Choices:
    """Says at each point which way to go, and keeps the account: a fingerprint of all points, and the deviations."""

    def __init__(self, deviations: Deviations, *, noting: bool = False, most: float = inf) -> None:
        """noting: whether the labels of all points are kept; most: a run that passes more will never end"""
        self.deviations, self.passed, self.taken = copy(deviations), 0, list[Taken]()
        self.fingerprint, self._most = 0, most
        self.noted: list[Point] | None = [] if noting else None

    def at(self, point: Point) -> Option | None:
        """The option that is taken at this point; None: the plain way. raises: NeverEnds"""
        self.passed = passed = self.passed + 1
        if passed > self._most:
            raise NeverEnds(f"after {self._most:,} choice points it still goes on")
        self.fingerprint = crc32(point.bytes, self.fingerprint)
        if self.noted is not None:
            self.noted.append(point)
        wanted = self.deviations.get(passed)
        if wanted is None or not point.options:
            return None
        number = (wanted - 1) % len(point.options)
        option = point.options[number]
        self.taken.append(Taken(passed, number + 1, option.name, point.label))
        self.fingerprint = crc32(option.name.encode(), self.fingerprint)
        return option


class Random:
    """A small generator that gives the same numbers on every Python: SplitMix64.

    source: G. Steele, D. Lea, C. Flood, *Fast Splittable Pseudorandom Number Generators*, OOPSLA (2014)
    """

    def __init__(self, *seed: int) -> None:
        self._state = 0
        for part in seed:
            self._state = self._mixed((self._state ^ part) & MASK)

    @staticmethod
    def _mixed(value: int) -> int:
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
        return value ^ (value >> 31)

    def _next(self) -> int:
        self._state = (self._state + 0x9E3779B97F4A7C15) & MASK
        return self._mixed(self._state)

    def below(self, bound: int) -> int:
        """0 to `bound` - 1; the bias is far below what anybody could see."""
        return self._next() % bound

    def one_of(self, things: Sequence[Any]) -> Any:
        return things[self.below(len(things))]

    def hexadecimal(self, size: int) -> str:
        """As `secrets.token_hex`: twice so many digits."""
        if size == 8:
            return f"{self._next():016x}"
        return "".join(f"{self._next():016x}" for _ in range((size + 7) // 8))[: size * 2]


HOW_MANY = (1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 6)
"""Deviations of a schedule, drawn from here. Most bugs need few: C. Flanagan, S. Qadeer and M. Musuvathi, *Iterative
Context Bounding for Systematic Testing of Multithreaded Programs*, PLDI (2007)."""


def drawn(random: Random, points: int) -> dict[int, int]:
    """A schedule by chance; points: of the plain order, and the run may have more"""
    return {
        1 + random.below(points + points // 4): 1 + random.below(840) for _ in range(random.one_of(HOW_MANY))
    }
