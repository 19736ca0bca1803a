"""Facts as a message may carry them: of every type, their fields of the types that are declared, and with any values.

Most are the ids, names and numbers that a world knows, mixed among the fields; some are made up, so that they lead nowhere.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

from flow.world import World
from hypothesis import strategies as st

from shared.domain.facts import Fact
from shared.domain.json_types import declared
from shared.errors import Transient, UnreadableMessage
from shared.kinds import KINDS

MADE_UP = (
    "",
    "nobody",
    "x" * 2000,
    "../../etc/passwd",
    "a/b/c",
    "é\u2028\0",
    "bank:0",
    "model-x",
    "-1",
    "1e400",
    "None",
)
NUMBERS = (0, 1, 2, 3, 99, -1, 2**31, 2**53, -(2**53), 604_800)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from(NUMBERS)
    | st.floats(allow_nan=False)
    | st.sampled_from(MADE_UP),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(MADE_UP), inner, max_size=2),
    max_leaves=4,
)


def _values_known(world: World) -> dict[str, set[Any]]:
    """Every text and number that stands in the world's records and facts, by the name of its field."""
    known: dict[str, set[Any]] = defaultdict(set)
    records = [one for kind in KINDS for one in world.ledger.newest(kind.name, limit=200)]
    facts = [{name: getattr(fact, name) for name in declared(type(fact))} for fact in world.bus.announced]
    for fields in (*facts, *(one.values for one in records)):
        for name, value in fields.items():
            known[name] |= set(_plain_ones(value))
    for one in records:
        known[one.kind].add(one.id)
    return known


def _plain_ones(value: Any) -> Iterator[str | int]:
    if isinstance(value, str | int):
        yield value
    elif isinstance(value, dict):
        yield from _plain_ones([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _plain_ones(one)


class Values:
    """Values for a field: mostly such as the world has in fields of that name, now and then of any, or made up."""

    def __init__(self, world: World) -> None:
        self._known = _values_known(world)
        every = set().union(*self._known.values())
        self._words = st.sampled_from(self._sorted(every, str)) | st.sampled_from(MADE_UP)
        self._numbers = st.sampled_from(NUMBERS) | st.integers(-5, 10)

    def of(self, name: str, hint: Any) -> st.SearchStrategy[Any]:
        plain, inner = get_origin(hint) or hint, get_args(hint)
        if plain in (str, int):
            any_ = self._words if plain is str else self._numbers
            known = self._sorted(self._known[name], plain)
            return st.one_of(st.sampled_from(known), st.sampled_from(known), any_) if known else any_
        if plain is list:
            return st.lists(self.of(name, inner[0]), max_size=3)
        if plain is dict:
            return st.dictionaries(self._words, self.of(name, inner[1]), max_size=4)
        if plain is Literal:
            return st.sampled_from(inner)
        if plain is UnionType:
            return st.one_of(*(self.of(name, one) for one in inner))
        simple = {bool: st.booleans(), float: st.floats(allow_nan=False), NoneType: st.none(), Any: JSON}
        return simple[plain]

    @staticmethod
    def _sorted(values: Iterable[Any], plain: type) -> list[Any]:
        return sorted(value for value in values if type(value) is plain)


def facts_of(world: World, *types: type[Fact]) -> st.SearchStrategy[Fact]:
    """Facts that can be read from a message: what is none of these is held by the tests of `fact_messages`."""
    values = Values(world)
    told = [one for one in (*world.bus.announced, *world.bus.published) if type(one) in set(types)]
    made = st.one_of(*(_made(one, values) for one in types))
    return st.one_of(made, _bent(told, values), st.sampled_from(told)) if told else made


def _made(fact: type[Fact], values: Values) -> st.SearchStrategy[Fact]:
    parts = {name: values.of(name, hint) for name, hint in declared(fact).items()}
    return _read(st.fixed_dictionaries(parts).map(lambda body: {"fact": fact.__name__, **body}))


@st.composite
def _bent(draw: st.DrawFn, told: list[Fact], values: Values) -> Fact:
    """One that was told, but for a field."""
    fact = draw(st.sampled_from(told))
    hints = declared(type(fact))
    name = draw(st.sampled_from(sorted(hints)))
    body = json.loads(fact.to_json())
    return draw(_read(values.of(name, hints[name]).map(lambda value: {**body, name: value})))


def _read(bodies: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Fact]:
    return bodies.map(_fact).filter(lambda fact: fact is not None)


def _fact(body: dict[str, Any]) -> Fact | None:
    try:
        return Fact.from_json(json.dumps(body))
    except (UnreadableMessage, Transient):
        return None
