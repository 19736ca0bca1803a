"""Two JSON schemas (of OpenAPI 3.1) compared: where the newer takes less, takes more, or means something else."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

Json: TypeAlias = Any
Schema: TypeAlias = Mapping[str, Json] | bool


class Direction(Enum):
    """Which way the values go, seen from a client of the API."""

    SENT = "sent"
    RECEIVED = "received"

    @property
    def back(self) -> Direction:
        return Direction.RECEIVED if self is Direction.SENT else Direction.SENT


class Effect(Enum):
    """What a change does to the values that are right."""

    NARROWER = "fewer values are right"
    WIDER = "more values are right"
    OTHER = "others are right"
    NONE = "the same are right, as far as a client can tell"

    def breaks(self, direction: Direction) -> bool:
        bad = Effect.NARROWER if direction is Direction.SENT else Effect.WIDER
        return self in (bad, Effect.OTHER)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One change. at: the place, from the innermost schema that has a name."""

    rule: str
    at: str
    effect: Effect
    old: Json = None
    new: Json = None


class Documents(NamedTuple):
    """The two descriptions, in which references are looked up."""

    old: Json
    new: Json


ANNOTATIONS = frozenset(
    [
        "title",
        "description",
        "examples",
        "example",
        "deprecated",
        "readOnly",
        "writeOnly",
        "externalDocs",
        "xml",
        "$comment",
        "discriminator",
    ]
)
"""Keywords that say something to people, and decide about no value."""
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains")
NESTED = {"items": "[]", "additionalProperties": "{}", "propertyNames": "{} (names)", "contains": "[] (one)"}
"""Keywords whose value is a schema, and how the place in it is written. Absent, they allow anything."""
COMBINING = frozenset(("$ref", "allOf", "oneOf", "anyOf"))
GROWING = "x-extensible-enum"
"""The words known today of a list that may grow, which no client may take for all."""
NAMED = ("type", "format", "enum", "const", "properties", "required", "default")
COMPARED = frozenset((*LOWER, *UPPER, *NESTED, *COMBINING, *NAMED, GROWING))
"""Keywords that have a rule of their own."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to be right: keywords that hold together, with no reference and no choice left in them."""

    keywords: Mapping[str, Json]
    name: str | None = None
    """The name of the schema, by which clients made from the description call it."""

    @property
    def label(self) -> str:
        return self.name or str(self.keywords.get("type", "anything"))


# --- a schema as the ways to be right -----------------------------------------------------------------------


def variants(schema: Schema, document: Json, inside: tuple[str, ...] = ()) -> list[Variant]:
    """Its variants; inside: the references being followed, for one that leads to itself adds nothing"""
    if isinstance(schema, bool):
        return [Variant(keywords={})] if schema else []
    factors = [_by_type({name: value for name, value in schema.items() if name not in COMBINING})]
    reference = schema.get("$ref")
    if reference is not None and reference not in inside:
        name = reference.rpartition("/")[2]
        found = variants(resolve(document, reference), document, (*inside, reference))
        factors.append([replace(one, name=name) for one in found])
    factors += [variants(one, document, inside) for one in schema.get("allOf", ())]
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            factors.append([made for one in schema[choice] for made in variants(one, document, inside)])
    products = (_all_of(chosen) for chosen in itertools.product(*factors))
    return [one for one in products if one is not None]


def resolve(document: Json, reference: str) -> Json:
    """raises: KeyError when it leads nowhere, or out of the document"""
    found = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def _by_type(keywords: Mapping[str, Json]) -> list[Variant]:
    plain = {name: value for name, value in keywords.items() if name not in ANNOTATIONS}
    if "const" in plain:
        plain["enum"] = [plain.pop("const")]
    types = plain.get("type")
    several = types if isinstance(types, list) else None
    return (
        [Variant(keywords={**plain, "type": one}) for one in several]
        if several
        else [Variant(keywords=plain)]
    )


def _all_of(chosen: Iterable[Variant]) -> Variant | None:
    """What is right for all of them; None when nothing can be."""
    made = Variant(keywords={})
    for one in chosen:
        keywords = {**made.keywords, **one.keywords}
        for name in made.keywords.keys() & one.keywords.keys():
            keywords[name] = _both(name, made.keywords[name], one.keywords[name])
            if keywords[name] is None:
                return None
        made = Variant(keywords=keywords, name=made.name or one.name)
    return made


def _both(name: str, one: Json, other: Json) -> Json:
    """A keyword's value that asks for what both ask for; None when that is impossible."""
    if one == other:
        return one
    combine = TOGETHER.get(name)
    return combine(one, other) if combine else [one, other]


def _both_types(one: str, other: str) -> str | None:
    return "integer" if {one, other} == {"integer", "number"} else None


def _both_properties(one: Json, other: Json) -> Json:
    return {
        **one,
        **other,
        **{name: _both_schemas(one[name], other[name]) for name in one.keys() & other.keys()},
    }


def _both_schemas(one: Schema, other: Schema) -> Schema:
    return {"allOf": [one, other]}


TOGETHER: Mapping[str, Callable[[Json, Json], Json]] = {
    "type": _both_types,
    "properties": _both_properties,
    "required": lambda one, other: sorted({*one, *other}),
    "enum": lambda one, other: [word for word in one if word in other] or None,
    GROWING: lambda one, other: [word for word in one if word in other],
    **dict.fromkeys(NESTED, _both_schemas),
    **dict.fromkeys(LOWER, max),
    **dict.fromkeys(UPPER, min),
}
"""What two parts of a schema ask for together, of the keywords of which that is known."""


# --- two of them --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Of the schemas of one value, which goes one way."""

    documents: Documents
    direction: Direction
    seen: set[str] = field(default_factory=set)
    """The pairs with references that were met already: schemas may hold themselves."""

    def of(self, old: Schema, new: Schema, at: str) -> Iterator[Finding]:
        """What differs. at: the place, where no schema with a name begins below it"""
        pair = json.dumps([old, new], sort_keys=True)
        if "$ref" in pair:
            if pair in self.seen:
                return
            self.seen.add(pair)
        before, after = _matched(variants(old, self.documents.old), variants(new, self.documents.new))
        for label in before.keys() - after.keys():
            yield Finding(rule="variant", at=at, effect=Effect.NARROWER, old=before[label].label)
        for label in after.keys() - before.keys():
            yield Finding(rule="variant", at=at, effect=Effect.WIDER, new=after[label].label)
        for label in before.keys() & after.keys():
            yield from self._variant(before[label], after[label], at)

    def _variant(self, old: Variant, new: Variant, at: str) -> Iterator[Finding]:
        at = new.name or at
        if old.name not in (None, new.name):
            yield Finding(rule="schema-name", at=at, effect=Effect.OTHER, old=old.name, new=new.name)
        before, after = old.keywords, new.keywords
        types = before.get("type"), after.get("type")
        effect = _of_types(*types)
        if effect is not Effect.NONE:
            yield Finding(rule="type", at=at, effect=effect, old=types[0], new=types[1])
        if effect is Effect.OTHER:
            return
        for rule, effect, was, now in (
            *_words(before, after),
            *_limits(before, after),
            *_rest(before, after),
            *(_defaults(before, after) if self.direction is Direction.SENT else ()),
        ):
            yield Finding(rule=rule, at=at, effect=effect, old=was, new=now)
        yield from self._properties(before, after, at)
        for name, sign in NESTED.items():
            was, now = before.get(name, True), after.get(name, True)
            if (was, now) != (True, True):
                yield from self.of(was, now, f"{at}{sign}")

    def _properties(self, old: Mapping[str, Json], new: Mapping[str, Json], at: str) -> Iterator[Finding]:
        before, after = old.get("properties", {}), new.get("properties", {})
        must, must_now = {*old.get("required", ())}, {*new.get("required", ())}
        closed = old.get("additionalProperties") is False
        for name in [*before, *(name for name in after if name not in before)]:
            place = f"{at}.{name}"
            if name not in after:
                yield Finding(rule="property", at=place, effect=Effect.OTHER, old=before[name])
                continue
            if name not in before:
                effect = Effect.WIDER if closed else Effect.NONE
                yield Finding(rule="property", at=place, effect=effect, new=after[name])
            else:
                yield from self.of(before[name], after[name], place)
            if name in must and name not in must_now:
                yield Finding(rule="required", at=place, effect=Effect.WIDER, old=True, new=False)
            elif name in must_now - must and (name in before or self.direction is Direction.SENT):
                yield Finding(rule="required", at=place, effect=Effect.NARROWER, old=False, new=True)


def _matched(old: list[Variant], new: list[Variant]) -> tuple[dict[str, Variant], dict[str, Variant]]:
    """Both by label, so that what belongs together has the same; two that are left over belong together."""
    before, after = _labelled(old), _labelled(new)
    gone, come = before.keys() - after.keys(), after.keys() - before.keys()
    if len(gone) == len(come) == 1:
        after[gone.pop()] = after.pop(come.pop())
    return before, after


def _labelled(of: list[Variant]) -> dict[str, Variant]:
    labels = [f"{one.name}/{one.keywords.get('type')}" for one in of]
    return {f"{label}/{labels[:i].count(label)}": of[i] for i, label in enumerate(labels)}


# --- keyword by keyword -------------------------------------------------------------------------------------

Found: TypeAlias = tuple[str, Effect, Json, Json]


def _of_types(old: str | None, new: str | None) -> Effect:
    if old == new:
        return Effect.NONE
    if old is None or (old, new) == ("number", "integer"):
        return Effect.NARROWER
    return Effect.WIDER if new is None or (old, new) == ("integer", "number") else Effect.OTHER


def _words(old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[Found]:
    """Closed lists; and those that grow, which may lose no word: somebody may wait for it."""
    was, now = old.get("enum"), new.get("enum")
    if was is None and now is not None:
        yield "enum", Effect.NARROWER, None, now
    elif was is not None and now is None:
        yield "enum", Effect.WIDER, was, None
    elif was is not None and now is not None:
        if lost := [word for word in was if word not in now]:
            yield "enum", Effect.NARROWER, lost, None
        if won := [word for word in now if word not in was]:
            yield "enum", Effect.WIDER, None, won
    known, still = old.get(GROWING, ()), {*new.get(GROWING, ()), *(now or ())}
    if lost := [word for word in known if word not in still]:
        yield "known-words", Effect.OTHER, lost, None
    if known and (won := [word for word in new.get(GROWING, ()) if word not in known]):
        yield "known-words", Effect.NONE, None, won


def _limits(old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[Found]:
    for name in (*LOWER, *UPPER):
        was, now = old.get(name), new.get(name)
        if was == now:
            continue
        tighter = was is None or (now is not None and (now > was) == (name in LOWER))
        yield "limit", Effect.NARROWER if tighter else Effect.WIDER, {name: was}, {name: now}


def _rest(old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[Found]:
    """The format, which is a type to clients; and keywords of which only this is sure, that they decide."""
    if old.get("format") != new.get("format"):
        yield "format", Effect.OTHER, old.get("format"), new.get("format")
    for name in sorted(old.keys() | new.keys()):
        if name in COMPARED or name.startswith("x-") or old.get(name) == new.get(name):
            continue
        effect = Effect.NARROWER if name not in old else Effect.WIDER if name not in new else Effect.OTHER
        yield "keyword", effect, {name: old.get(name)}, {name: new.get(name)}


def _defaults(old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[Found]:
    if "default" in old and old["default"] != new.get("default"):
        yield "default", Effect.OTHER, old["default"], new.get("default")
