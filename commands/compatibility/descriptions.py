"""Two OpenAPI descriptions compared, operation by operation: each change, and whether it breaks a client."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from commands.compatibility.schemas import Comparison, Direction, Documents, Effect, Finding, resolve
from functions.http.auth.scopes import Scope

Json: TypeAlias = Any
WHOLE = "the whole API"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
SAID = ("summary", "description", "externalDocs", "example", "examples")
"""Keys that only people read."""
REMEDIES = {
    "operation": "Keep answering there; mark it deprecated, and put the new operation beside it.",
    "operation-id": "Keep it: generated clients name their methods by it.",
    "tags": "Keep it: generated clients group their methods by it.",
    "scope": "Leave the operation open to whom it was; guard what is new in an operation of its own.",
    "security": "Keep accepting the credentials that were accepted.",
    "server": "Keep answering under that address.",
    "parameter": "Keep reading it; a new one beside it may say more.",
    "header": "Keep sending it; a new one beside it may say more.",
    "body": "Keep reading it; what is new in it has to be optional.",
    "needed": "What a client sends may not be needed anew; what it receives may not go missing.",
    "status": "Keep the status; a new outcome is a new word in the answer, or a new operation.",
    "media-type": "Keep offering it; a new one may stand beside it.",
    "schema-name": "Keep it: generated clients name their types by it.",
    "property": "Keep it, deprecated if it must go; what means something else gets a name of its own.",
    "required": "What a client sends stays optional; what it receives stays there.",
    "type": "Keep it; put a field of the new type beside it, under a name of its own.",
    "format": "Keep it: it is the type in generated clients. Put a field of the new one beside it.",
    "enum": "A client sends what was allowed, and knows no other answer: a list that may grow has to be"
    " declared with x-extensible-enum from its first day.",
    "known-words": "Keep the word: somebody may wait for it, or ask by it.",
    "limit": "Take what was taken; answer within what was promised.",
    "keyword": "Take what was taken; answer within what was promised.",
    "variant": "Take what was taken; answer with nothing that clients cannot know.",
    "default": "Keep it: who leaves the value out counts on it.",
}
"""What to do about a change of each rule, other than to move the api-version."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change, with each operation and place in it that it reaches."""

    rule: str
    at: str
    old: Json
    new: Json
    breaks: bool
    places: tuple[str, ...]

    def __str__(self) -> str:
        more = f"; and {len(self.places) - 1} more" if len(self.places) > 1 else ""
        lines = [f"{self.at}: {self.rule} {self._moved()}", f"in {self.places[0]}{more}"]
        return "\n    ".join([*lines, REMEDIES[self.rule]] if self.breaks else lines)

    def _moved(self) -> str:
        if self.new is None:
            return f"removed; was {_brief(self.old)}"
        if self.old is None:
            return f"added: {_brief(self.new)}"
        return f"changed from {_brief(self.old)} to {_brief(self.new)}"


def _brief(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:97]}..."


class Reached(NamedTuple):
    """A finding, and the part of an operation (`answer 200`) that it is in."""

    part: str
    finding: Finding
    direction: Direction


def changes(old: Json, new: Json) -> list[Change]:
    """All of them; what breaks comes first. One that reaches many operations is one change."""
    documents = Documents(old, new)
    places: dict[tuple[Json, ...], list[str]] = {}
    for operation, reached in _everywhere(documents):
        found = reached.finding
        key = (
            not found.effect.breaks(reached.direction),
            found.rule,
            found.at,
            json.dumps(found.old),
            json.dumps(found.new),
        )
        place = _joined(operation, reached.part)
        if place not in places.setdefault(key, []):
            places[key].append(place)
    return [
        Change(
            rule=key[1],
            at=key[2],
            old=json.loads(key[3]),
            new=json.loads(key[4]),
            breaks=not key[0],
            places=tuple(where),
        )
        for key, where in sorted(places.items(), key=lambda one: one[0])
    ]


def _everywhere(documents: Documents) -> Iterator[tuple[str, Reached]]:
    yield from ((WHOLE, one) for one in _whole(documents))
    yield from _operations(documents, "paths", Direction.SENT)
    yield from _operations(documents, "webhooks", Direction.RECEIVED)


def _operations(documents: Documents, of: str, asked: Direction) -> Iterator[tuple[str, Reached]]:
    """asked: which way the requests go, from a client's point of view"""
    before, after = (_by_name(document.get(of, {})) for document in documents)
    for name, was, now in _pairs(before, after):
        if was is None or now is None:
            # A new operation is called by nobody yet; and a subscriber ignores the types of events it does not know.
            effect = Effect.OTHER if now is None else Effect.NONE
            yield name, _reached("operation", name, effect, was and name, now and name, direction=asked)
        else:
            yield from ((name, one) for one in _operation(documents, was, now, asked))


def _by_name(of: Json) -> dict[str, Json]:
    found = {}
    for path, item in of.items():
        for method in METHODS:
            if method in item:
                shared = item.get("parameters", [])
                own = item[method]
                found[f"{method.upper()} {path}"] = {
                    **own,
                    "parameters": [*shared, *own.get("parameters", [])],
                }
    return found


def _pairs(old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[tuple[str, Json, Json]]:
    for name in [*old, *(name for name in new if name not in old)]:
        yield name, old.get(name), new.get(name)


def _reached(
    rule: str, at: str, effect: Effect, old: Json, new: Json, *, direction: Direction = Direction.SENT
) -> Reached:
    return Reached("", Finding(rule=rule, at=at, effect=effect, old=old, new=new), direction)


def _joined(*parts: str) -> str:
    return ", ".join(filter(None, parts))


# --- what is the same for all -------------------------------------------------------------------------------


def _whole(documents: Documents) -> Iterator[Reached]:
    servers = [[one["url"] for one in document.get("servers", [{"url": "/"}])] for document in documents]
    for gone in [url for url in servers[0] if url not in servers[1]]:
        yield _reached("server", gone, Effect.OTHER, gone, None)
    schemes = [document.get("components", {}).get("securitySchemes", {}) for document in documents]
    for name, was, now in _pairs(*schemes):
        if was is None or now is None or _decisive(was) != _decisive(now):
            yield _reached("security", name, Effect.NONE if was is None else Effect.OTHER, was, now)


def _decisive(of: Mapping[str, Json]) -> Json:
    return {name: value for name, value in of.items() if name not in SAID and not name.startswith("x-")}


# --- an operation -------------------------------------------------------------------------------------------

BODY = "the request's body"
COMPARED = ("operationId", "tags", "parameters", "requestBody", "responses", "security", "deprecated")


def _operation(documents: Documents, old: Json, new: Json, asked: Direction) -> Iterator[Reached]:
    if old.get("operationId") != new.get("operationId"):
        ids = old.get("operationId"), new.get("operationId")
        yield _reached("operation-id", "the operation", Effect.OTHER, *ids)
    if gone := [tag for tag in old.get("tags", ()) if tag not in new.get("tags", ())]:
        yield _reached("tags", "the operation", Effect.OTHER, gone, new.get("tags"))
    yield from _who_may(documents, old, new)
    yield from _keywords("", old, new, (*COMPARED, *SAID))
    parameters = [_by_place(document, one) for document, one in zip(documents, (old, new), strict=True)]
    yield from _given(documents, "", *parameters, rule="parameter", direction=asked)
    yield from _body(documents, old.get("requestBody"), new.get("requestBody"), asked)
    for status, was, now in _pairs(old.get("responses", {}), new.get("responses", {})):
        part = f"answer {status}"
        if was is None or now is None:
            # Every 4xx and 5xx is an error to a client, known or not (RFC 9110, 15); other statuses it has to know.
            added = Effect.WIDER if status < "4" else Effect.NONE
            effect = Effect.OTHER if now is None else added
            yield _reached("status", part, effect, was and status, now and status, direction=asked.back)
        else:
            yield from _answer(documents, part, was, now, asked.back)


def _who_may(documents: Documents, old: Json, new: Json) -> Iterator[Reached]:
    scopes = old.get("x-scope"), new.get("x-scope")
    if scopes[0] != scopes[1]:
        ranks = [_rank(scope) for scope in scopes]
        effect = Effect.OTHER if ranks[1] > ranks[0] else Effect.NONE
        yield _reached("scope", "the operation", effect, *scopes)
    before, after = (
        one.get("security", document.get("security", [{}]))
        for document, one in zip(documents, (old, new), strict=True)
    )
    shut = [one for one in before if not any(_suffices(one, other) for other in after)]
    if shut:
        yield _reached("security", "the operation", Effect.OTHER, shut, after)
    elif before != after:
        yield _reached("security", "the operation", Effect.NONE, before, after)


def _rank(scope: Any) -> int:
    """How much it takes: nothing when nothing is said, the most when the word is not known."""
    ranks: dict[Any, int] = {one.label: int(one) for one in Scope}
    return ranks.get(scope, len(ranks) + 1) if scope else 0


def _suffices(given: Mapping[str, list[str]], needed: Mapping[str, list[str]]) -> bool:
    return all(name in given and {*scopes} <= {*given[name]} for name, scopes in needed.items())


def _keywords(part: str, old: Json, new: Json, known: tuple[str, ...]) -> Iterator[Reached]:
    """Whatever else is there: that it changed nothing for a client is not known, so it is not said."""
    for name, was, now in _pairs(old, new):
        if name not in known and not name.startswith("x-") and was != now:
            yield _reached("keyword", _joined(part, name), Effect.OTHER, was, now)


def _by_place(document: Json, operation: Json) -> dict[str, Json]:
    found = [_resolved(document, one) for one in operation["parameters"]]
    return {f"{one['in']} parameter {one['name']}": one for one in found}


def _resolved(document: Json, of: Json) -> Json:
    return resolve(document, of["$ref"]) if "$ref" in of else of


def _given(
    documents: Documents,
    part: str,
    old: Mapping[str, Json],
    new: Mapping[str, Json],
    *,
    rule: str,
    direction: Direction,
) -> Iterator[Reached]:
    """Parameters of a request, or headers of an answer."""
    for name, was, now in _pairs(old, new):
        place = _joined(part, name)
        if was is None or now is None:
            effect = Effect.OTHER if now is None else Effect.NONE
            schemas = was and _schema_of(was), now and _schema_of(now)
            yield _reached(rule, place, effect, *schemas, direction=direction)
        if now is not None and (was is not None or direction is Direction.SENT):
            yield from _need(
                place, was is not None and was.get("required", False), now.get("required", False), direction
            )
        if was is not None and now is not None:
            said = ("name", "in", "required", "schema", "content", "deprecated", *SAID)
            yield from _keywords(place, was, now, said)
            yield from _schemas(documents, place, _schema_of(was), _schema_of(now), direction)


def _schema_of(of: Json) -> Json:
    """A parameter, or a header, has a schema, or a content of one media type."""
    if "schema" in of:
        return of["schema"]
    media = [*of.get("content", {}).values()]
    return media[0].get("schema", True) if media else True


def _need(place: str, was: bool, now: bool, direction: Direction) -> Iterator[Reached]:
    if was != now:
        effect = Effect.NARROWER if now else Effect.WIDER
        yield _reached("needed", place, effect, was, now, direction=direction)


def _body(documents: Documents, old: Json, new: Json, direction: Direction) -> Iterator[Reached]:
    was, now = (
        _resolved(document, {} if one is None else one)
        for document, one in zip(documents, (old, new), strict=True)
    )
    if (old is None) != (new is None):
        effect = Effect.OTHER if new is None else Effect.NONE
        yield _reached("body", BODY, effect, was.get("content"), now.get("content"), direction=direction)
    if new is not None:
        yield from _need(BODY, was.get("required", False), now.get("required", False), direction)
    if old is not None and new is not None:
        yield from _keywords(BODY, was, now, ("content", "required", *SAID))
        # The side that sends a body chooses its kind, so one more is more to understand for who receives it.
        yield from _contents(documents, BODY, was, now, direction, added=Effect.WIDER)


def _answer(documents: Documents, part: str, old: Json, new: Json, direction: Direction) -> Iterator[Reached]:
    was, now = _resolved(documents.old, old), _resolved(documents.new, new)
    headers = [
        {
            f"header {name.lower()}": _resolved(document, header)
            for name, header in one.get("headers", {}).items()
        }
        for document, one in zip(documents, (was, now), strict=True)
    ]
    yield from _given(documents, part, *headers, rule="header", direction=direction)
    yield from _keywords(part, was, now, ("headers", "content", *SAID))
    # An answer's kind is asked for with Accept: one more reaches nobody who did not.
    yield from _contents(documents, part, was, now, direction, added=Effect.NONE)


def _contents(
    documents: Documents, part: str, old: Json, new: Json, direction: Direction, *, added: Effect
) -> Iterator[Reached]:
    for kind, was, now in _pairs(old.get("content", {}), new.get("content", {})):
        place = f"{part}, {kind}"
        if was is None or now is None:
            effect = Effect.OTHER if now is None else added
            yield _reached("media-type", place, effect, was and kind, now and kind, direction=direction)
        else:
            yield from _keywords(place, was, now, ("schema", *SAID))
            yield from _schemas(documents, place, was.get("schema", True), now.get("schema", True), direction)


def _schemas(
    documents: Documents, part: str, old: Json, new: Json, direction: Direction
) -> Iterator[Reached]:
    for found in Comparison(documents=documents, direction=direction).of(old, new, part):
        yield Reached(part if not found.at.startswith(part) else "", found, direction)
