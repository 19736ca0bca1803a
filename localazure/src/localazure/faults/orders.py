"""Orders for faults: which requests, what happens to them, how often. What chance decides follows from the seed alone."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from localazure.faults.kinds import KINDS, PARTS

ANY = "*"
_NUMBERS = {"rate": (0.0, 1.0), "count": (1, 1_000_000_000), "seconds": (0.0, 3600.0), "lasts": (0.0, 1e9)}


class BadOrder(ValueError):
    """An order that nothing would follow from; the message says what it may be."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Every request that fits, unless `rate` or `count` say otherwise."""

    kind: str
    part: str = ANY
    method: str = ANY
    path: str = ANY
    """A pattern of the path, as of file names: `*/incoming/*`; the case does not count."""
    rate: float = 1.0
    """How likely each is hit (0 to 1)."""
    count: int | None = None
    """How many are hit, at most."""
    seed: int = 0
    """With it, the kind, and a request's number among those that fit, it is settled whether it is hit."""
    lasts: float | None = None
    """Seconds, from now on; without it until it is cleared."""
    seconds: float | None = None
    """Of waiting; each kind has its own usual one."""
    status: int | None = None
    """Of the kind `error`."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadOrder(f"there is no kind {self.kind!r}; there are {', '.join(KINDS)}")
        if self.part not in (ANY, *PARTS):
            raise BadOrder(f"there is no part {self.part!r}; there are {', '.join(PARTS)}, and * for all")
        for name, (least, most) in _NUMBERS.items():
            value = getattr(self, name)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most
            ):
                raise BadOrder(f"{name} is {value!r}; it is a number from {least:g} to {most:g}")
        if self.status is not None and (self.kind != "error" or self.status not in range(400, 600)):
            raise BadOrder(f"status is {self.status!r}; it is one from 400 to 599, of the kind error")
        for name in ("method", "path"):
            if not isinstance(getattr(self, name), str):
                raise BadOrder(f"{name} is {getattr(self, name)!r}; it is a text")

    def fits(self, part: str, method: str, path: str) -> bool:
        if self.part == ANY and part == "deliveries":  # no app calls there: it is asked for by name
            return False
        return (
            self.part in (ANY, part)
            and self.method.upper() in (ANY, method.upper())
            and fnmatchcase(path.lower(), self.path.lower())
        )

    def hits(self, nth: int) -> bool:
        """Whether the nth request that fits is hit, as far as chance goes. Two kinds with one seed draw differently: else
        the first given would take all that the second draws."""
        return self.rate >= 1 or random.Random(f"{self.seed}:{self.kind}:{nth}").random() < self.rate  # noqa: S311  (no secret)

    @property
    def waits(self) -> float:
        return KINDS[self.kind].seconds if self.seconds is None else self.seconds


def order(given: Mapping[str, Any]) -> Order:
    """raises: BadOrder"""
    known = [each.name for each in fields(Order)]
    if unknown := [name for name in given if name not in known]:
        raise BadOrder(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    if "kind" not in given:
        raise BadOrder(f"kind is missing: one of {', '.join(KINDS)}")
    return Order(**given)


@dataclass(kw_only=True)
class Standing:
    """An order, and how often it was met."""

    number: int
    order: Order
    until: float | None
    fitting: int = 0
    hit: int = 0
    hits: list[int] = field(default_factory=list)
    """The first thousand of them, by their number among those that fit: another run with the seed has the same."""

    def told(self) -> dict[str, Any]:
        given = {name: value for name, value in asdict(self.order).items() if value is not None}
        return {"id": self.number, **given, "fitting": self.fitting, "hit": self.hit, "hits": self.hits}


class Orders:
    """All orders that stand. Safe for threads."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._lock, self._numbers = now, threading.Lock(), itertools.count(1)
        self._standing: list[Standing] = []

    def add(self, order: Order) -> Standing:
        with self._lock:
            until = None if order.lasts is None else self._now() + order.lasts
            made = Standing(number=next(self._numbers), order=order, until=until)
            self._standing.append(made)
            return made

    def all(self) -> list[dict[str, Any]]:
        with self._lock:
            return [each.told() for each in self._standing if not self._is_over(each)]

    def remove(self, number: int | None = None) -> list[dict[str, Any]]:
        """This one, or all; what was removed, as it ended."""
        with self._lock:
            gone = [each for each in self._standing if number in (None, each.number)]
            self._standing = [each for each in self._standing if each not in gone]
            return [each.told() for each in gone]

    def strike(self, part: str, method: str, path: str) -> Order | None:
        """The order that hits this request: the first given. Each order counts all that fits it, so that none of them
        depends on the others."""
        struck = None
        with self._lock:
            for each in self._standing:
                if self._is_over(each) or not each.order.fits(part, method, path):
                    continue
                each.fitting += 1
                enough = each.order.count is not None and each.hit >= each.order.count
                if struck or enough or not each.order.hits(each.fitting):
                    continue
                each.hit += 1
                each.hits += [each.fitting] * (len(each.hits) < 1000)
                struck = each.order
        return struck

    def _is_over(self, each: Standing) -> bool:
        return each.until is not None and self._now() >= each.until
