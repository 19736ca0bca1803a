"""What breaks a client of the API is refused under the same api-version, and what does not is let through.

Each rule has a change that it refuses and, beside it, its harmless counterpart.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands import check
from commands.compatibility.descriptions import REMEDIES, changes
from commands.compatibility.release import MOVE, NothingKept, Refused, judge, keep, last, since_last_release

Json = dict[str, Any]
Edit = Callable[[Json], object]

STRING = {"type": "string"}
THING = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "minLength": 1, "pattern": "^[a-z]+$", "description": "What it is called."},
        "kind": {"const": "thing"},
        "state": {"type": "string", "x-extensible-enum": ["due", "done"]},
        "health": {"type": "string", "enum": ["pass", "fail"]},
        "rows": {"type": "integer", "minimum": 0},
        "share": {"type": "number", "maximum": 100},
        "createdAt": {"type": "string", "format": "date-time"},
        "note": {"type": ["string", "null"]},
        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        "owner": {"oneOf": [{"$ref": "#/components/schemas/Person"}, {"$ref": "#/components/schemas/Team"}]},
    },
    "required": ["id", "kind"],
}
REQUEST = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "maxLength": 500, "default": "none given"},
        "name": {"type": "string", "minLength": 1},
        "code": {"type": "string", "pattern": "^[a-z]+$"},
        "size": {"type": "number"},
        "mode": {"type": "string", "enum": ["now", "later"]},
        "who": {"oneOf": [{"$ref": "#/components/schemas/Person"}, {"$ref": "#/components/schemas/Team"}]},
    },
    "required": ["name"],
}
BASE: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Things", "version": "2026-01-01"},
    "servers": [{"url": "/"}],
    "security": [{"key": []}, {"token": []}],
    "paths": {
        "/api/things": {
            "get": {
                "operationId": "listThings",
                "tags": ["things"],
                "x-scope": "reader",
                "parameters": [
                    {"name": "state", "in": "query", "schema": {"type": "string", "enum": ["due", "done"]}},
                    {"name": "wait", "in": "query", "schema": {"type": "integer", "maximum": 200}},
                ],
                "responses": {
                    "200": {
                        "description": "The things.",
                        "headers": {"ETag": {"required": True, "schema": STRING}},
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "properties": {
                                        "value": {
                                            "type": "array",
                                            "items": {"$ref": "#/components/schemas/Thing"},
                                        }
                                    },
                                    "required": ["value"],
                                }
                            }
                        },
                    },
                    "404": {"$ref": "#/components/responses/Problem"},
                },
            },
            "post": {
                "operationId": "createThing",
                "tags": ["things"],
                "x-scope": "operator",
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/ThingRequest"}},
                        "text/csv": {"schema": STRING},
                    }
                },
                "responses": {"202": {"description": "It is under way."}},
            },
        },
        "/api/things/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": STRING}],
            "get": {
                "operationId": "getThing",
                "responses": {
                    "200": {
                        "description": "The thing.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    }
                },
            },
        },
    },
    "webhooks": {
        "thingMoved": {
            "post": {
                "operationId": "thingMoved",
                "parameters": [{"name": "Signature", "in": "header", "required": True, "schema": STRING}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Event"}}},
                },
                "responses": {
                    "200": {"description": "It is taken.", "headers": {"Rate": {"schema": STRING}}},
                    "202": {"description": "It is taken."},
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Thing": THING,
            "ThingRequest": REQUEST,
            "Person": {"type": "object", "properties": {"name": STRING}},
            "Team": {"type": "object", "properties": {"size": {"type": "integer"}}},
            "Event": {
                "type": "object",
                "properties": {"type": STRING, "sequence": {"type": "integer", "minimum": 0}},
                "required": ["type"],
            },
            "Problem": {"type": "object", "properties": {"code": STRING}},
        },
        "responses": {
            "Problem": {
                "description": "An error.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        },
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "x-key"},
            "token": {"type": "http", "scheme": "bearer"},
        },
    },
}

LISTED, POSTED, HOOK = ("/api/things", "get"), ("/api/things", "post"), ("thingMoved", "post")


def edited(*edits: Edit, version: str = "2026-01-01") -> Json:
    made = copy.deepcopy(BASE)
    made["info"]["version"] = version
    for edit in edits:
        edit(made)
    return made


def at(*path: str | int) -> Callable[[Json], Any]:
    def find(of: Any) -> Any:
        for step in path:
            of = of[step]
        return of

    return find


def put(*path: str | int, to: Any) -> Edit:
    return lambda of: at(*path[:-1])(of).__setitem__(path[-1], copy.deepcopy(to))


def drop(*path: str | int) -> Edit:
    return lambda of: at(*path[:-1])(of).pop(path[-1])


def extend(*path: str | int, by: Any) -> Edit:
    return lambda of: at(*path)(of).append(copy.deepcopy(by))


def schema(name: str, *path: str | int) -> tuple[str | int, ...]:
    return ("components", "schemas", name, *(("properties", *path) if path else ()))


def operation(of: tuple[str, str], *path: str | int) -> tuple[str | int, ...]:
    return ("webhooks" if of is HOOK else "paths", *of, *path)


def answered(*path: str | int) -> tuple[str | int, ...]:
    return operation(LISTED, "responses", "200", *path)


def other(name: str, *, required: bool) -> Json:
    return {"name": name, "in": "query", "required": required, "schema": STRING}


def renamed_thing(of: Json) -> None:
    schemas = of["components"]["schemas"]
    text = json.dumps(of).replace('schemas/Thing"', 'schemas/Item"')
    of.clear()
    of.update(json.loads(text))
    of["components"]["schemas"]["Item"] = of["components"]["schemas"].pop("Thing")
    assert schemas


HOOKED = {"post": BASE["webhooks"]["thingMoved"]["post"]}
NEW_PATH = {"get": {"operationId": "countThings", "responses": {"200": {"description": "How many."}}}}
WHO = {"oneOf": [{"$ref": "#/components/schemas/Person"}]}
THREE = {"oneOf": [*REQUEST["properties"]["who"]["oneOf"], STRING]}  # type: ignore[index]

CASES: dict[str, tuple[str, Edit, Edit]] = {
    # what: (the rule, what it refuses, what is harmless)
    "an operation": (
        "operation",
        drop("paths", "/api/things", "post"),
        put("paths", "/api/count", to=NEW_PATH),
    ),
    "a webhook": ("operation", drop("webhooks", "thingMoved"), put("webhooks", "thingGone", to=HOOKED)),
    "an operation's id": (
        "operation-id",
        put(*operation(LISTED, "operationId"), to="getThings"),
        put(*operation(LISTED, "summary"), to="Things"),
    ),
    "a tag": (
        "tags",
        put(*operation(LISTED, "tags"), to=["stuff"]),
        extend(*operation(LISTED, "tags"), by="stuff"),
    ),
    "a scope": (
        "scope",
        put(*operation(LISTED, "x-scope"), to="operator"),
        put(*operation(POSTED, "x-scope"), to="reader"),
    ),
    "the ways to sign in": (
        "security",
        put("security", to=[{"key": []}]),
        extend("security", by={"session": []}),
    ),
    "a credential's place": (
        "security",
        put("components", "securitySchemes", "key", "name", to="x-other"),
        put("components", "securitySchemes", "key", "description", to="A key."),
    ),
    "a credential": (
        "security",
        drop("components", "securitySchemes", "key"),
        put("components", "securitySchemes", "session", to={"type": "apiKey", "in": "cookie", "name": "s"}),
    ),
    "what one credential has to be for": (
        "security",
        put("security", to=[{"key": []}, {"token": ["admin"]}]),
        put(*operation(LISTED, "security"), to=[{}]),
    ),
    "a server": (
        "server",
        put("servers", to=[{"url": "/v2"}]),
        extend("servers", by={"url": "/v2"}),
    ),
    "a parameter": (
        "parameter",
        drop(*operation(LISTED, "parameters", 1)),
        extend(*operation(LISTED, "parameters"), by=other("dataset", required=False)),
    ),
    "a new parameter that is needed": (
        "needed",
        extend(*operation(LISTED, "parameters"), by=other("dataset", required=True)),
        extend(*operation(LISTED, "parameters"), by=other("dataset", required=False)),
    ),
    "a parameter that becomes needed": (
        "needed",
        put(*operation(LISTED, "parameters", 0, "required"), to=True),
        put("paths", "/api/things/{id}", "parameters", 0, "description", to="Its name."),
    ),
    "how a parameter is written": (
        "keyword",
        put(*operation(LISTED, "parameters", 0, "style"), to="pipeDelimited"),
        put(*operation(LISTED, "parameters", 0, "x-note"), to="anything"),
    ),
    "a parameter's limit": (
        "limit",
        put(*operation(LISTED, "parameters", 1, "schema", "maximum"), to=100),
        put(*operation(LISTED, "parameters", 1, "schema", "maximum"), to=300),
    ),
    "a parameter's words": (
        "enum",
        put(*operation(LISTED, "parameters", 0, "schema", "enum"), to=["due"]),
        extend(*operation(LISTED, "parameters", 0, "schema", "enum"), by="lost"),
    ),
    "a parameter's words that appear": (
        "enum",
        put(*operation(LISTED, "parameters", 1, "schema", "enum"), to=[1, 2]),
        drop(*operation(LISTED, "parameters", 0, "schema", "enum")),
    ),
    "a request's body": (
        "body",
        drop(*operation(POSTED, "requestBody")),
        put(*operation(LISTED, "requestBody"), to={"content": {"text/csv": {"schema": STRING}}}),
    ),
    "a body that becomes needed": (
        "needed",
        put(*operation(POSTED, "requestBody", "required"), to=True),
        put(*operation(POSTED, "requestBody", "description"), to="The thing."),
    ),
    "a body's media type": (
        "media-type",
        drop(*operation(POSTED, "requestBody", "content", "text/csv")),
        put(*operation(POSTED, "requestBody", "content", "text/plain"), to={"schema": STRING}),
    ),
    "a property of a request": (
        "property",
        drop(*schema("ThingRequest", "reason")),
        put(*schema("ThingRequest", "colour"), to=STRING),
    ),
    "a needed property of a request": (
        "required",
        extend(*schema("ThingRequest"), "required", by="reason"),
        put(*schema("ThingRequest"), "required", to=[]),
    ),
    "a new property of a request that is needed": (
        "required",
        lambda of: (
            at(*schema("ThingRequest"), "properties")(of).update(colour=STRING),
            at(*schema("ThingRequest"), "required")(of).append("colour"),
        ),
        lambda of: (
            at(*schema("Thing"), "properties")(of).update(colour=STRING),
            at(*schema("Thing"), "required")(of).append("colour"),
        ),
    ),
    "a request's pattern": (
        "keyword",
        put(*schema("ThingRequest", "name", "pattern"), to="^[a-z]+$"),
        drop(*schema("ThingRequest", "code", "pattern")),
    ),
    "a request's limit": (
        "limit",
        put(*schema("ThingRequest", "reason", "maxLength"), to=100),
        put(*schema("ThingRequest", "name", "minLength"), to=0),
    ),
    "a request's limit that appears": (
        "limit",
        put(*schema("ThingRequest", "name", "maxLength"), to=100),
        drop(*schema("ThingRequest", "name", "minLength")),
    ),
    "a number of a request": (
        "type",
        put(*schema("ThingRequest", "size", "type"), to="integer"),
        drop(*schema("ThingRequest", "size", "type")),
    ),
    "what a request may be one of": (
        "variant",
        put(*schema("ThingRequest", "who"), to=WHO),
        put(*schema("ThingRequest", "who"), to=THREE),
    ),
    "what is taken when a request leaves it out": (
        "default",
        put(*schema("ThingRequest", "reason", "default"), to="other"),
        put(*schema("ThingRequest", "name", "default"), to="a"),
    ),
    "a request that is closed": (
        "variant",
        put(*schema("ThingRequest"), "additionalProperties", to=False),
        put(*schema("ThingRequest"), "description", to="What to make."),
    ),
    "an answer's status": (
        "status",
        drop(*operation(LISTED, "responses", "404")),
        put(*operation(LISTED, "responses", "409"), to={"$ref": "#/components/responses/Problem"}),
    ),
    "a good status more": (
        "status",
        put(*operation(LISTED, "responses", "206"), to={"description": "Some of them."}),
        put(*operation(LISTED, "responses", "200", "description"), to="All of them."),
    ),
    "an answer's media type": (
        "media-type",
        drop("components", "responses", "Problem", "content", "application/problem+json"),
        put(*answered("content", "text/csv"), to={"schema": STRING}),
    ),
    "an answer's header": (
        "header",
        drop(*answered("headers", "ETag")),
        put(*answered("headers", "Retry-After"), to={"required": True, "schema": STRING}),
    ),
    "a header that may be missing": (
        "needed",
        put(*answered("headers", "ETag", "required"), to=False),
        put(*answered("headers", "etag"), to={"required": True, "schema": STRING, "description": "Twice."}),
    ),
    "a property": ("property", drop(*schema("Thing", "rows")), put(*schema("Thing", "shelf"), to=STRING)),
    "a property that may be missing": (
        "required",
        put(*schema("Thing"), "required", to=["kind"]),
        extend(*schema("Thing"), "required", by="rows"),
    ),
    "a type": (
        "type",
        put(*schema("Thing", "rows", "type"), to="number"),
        put(*schema("Thing", "share", "type"), to="integer"),
    ),
    "another type": (
        "type",
        put(*schema("Thing", "rows"), to=STRING),
        put(*schema("Thing", "rows", "description"), to="How many rows."),
    ),
    "null": (
        "variant",
        put(*schema("Thing", "rows", "type"), to=["integer", "null"]),
        put(*schema("Thing", "note", "type"), to="string"),
    ),
    "a format": (
        "format",
        drop(*schema("Thing", "createdAt", "format")),
        put(*schema("Thing", "createdAt", "examples"), to=["2026-01-01T00:00:00Z"]),
    ),
    "a closed list": (
        "enum",
        extend(*schema("Thing", "health", "enum"), by="warn"),
        put(*schema("Thing", "health", "enum"), to=["pass"]),
    ),
    "a closed list that opens": (
        "enum",
        put(*schema("Thing", "health"), to={"type": "string", "x-extensible-enum": ["pass", "fail"]}),
        put(*schema("Thing", "state"), to={"type": "string", "enum": ["due", "done"]}),
    ),
    "a constant": (
        "enum",
        put(*schema("Thing", "kind"), to={"enum": ["thing", "item"]}),
        put(*schema("Thing", "kind"), to={"enum": ["thing"]}),
    ),
    "a growing list": (
        "known-words",
        put(*schema("Thing", "state", "x-extensible-enum"), to=["due"]),
        extend(*schema("Thing", "state", "x-extensible-enum"), by="set-aside"),
    ),
    "an answer's limit": (
        "limit",
        put(*schema("Thing", "rows", "minimum"), to=-1),
        put(*schema("Thing", "share", "maximum"), to=10),
    ),
    "a pattern": (
        "keyword",
        put(*schema("Thing", "id", "pattern"), to="^[a-z0-9]+$"),
        put(*schema("Thing", "note", "pattern"), to="^[a-z]+$"),
    ),
    "a pattern that goes": (
        "keyword",
        drop(*schema("Thing", "id", "pattern")),
        put(*schema("Thing", "id", "title"), to="Id"),
    ),
    "what a map holds": (
        "type",
        put(*schema("Thing", "counts", "additionalProperties", "type"), to="number"),
        put(*schema("Thing", "counts", "additionalProperties", "minimum"), to=0),
    ),
    "what an answer may be one of": (
        "variant",
        extend(*schema("Thing", "owner", "oneOf"), by=STRING),
        put(*schema("Thing", "owner"), to=WHO),
    ),
    "a schema's name": (
        "schema-name",
        renamed_thing,
        put("components", "schemas", "Nobodys", to=STRING),
    ),
    "an event's property": (
        "property",
        drop(*schema("Event", "type")),
        put(*schema("Event", "id"), to=STRING),
    ),
    "what an event always has": (
        "required",
        put(*schema("Event"), "required", to=[]),
        extend(*schema("Event"), "required", by="sequence"),
    ),
    "an event's limit": (
        "limit",
        drop(*schema("Event", "sequence", "minimum")),
        put(*schema("Event", "sequence", "minimum"), to=1),
    ),
    "an event's media type": (
        "media-type",
        put(*operation(HOOK, "requestBody", "content", "text/plain"), to={"schema": STRING}),
        put(*operation(HOOK, "requestBody", "description"), to="The event."),
    ),
    "an event's header": (
        "needed",
        put(*operation(HOOK, "parameters", 0, "required"), to=False),
        extend(*operation(HOOK, "parameters"), by={**other("Attempt", required=True), "in": "header"}),
    ),
    "a subscriber's answer": (
        "status",
        drop(*operation(HOOK, "responses", "202")),
        put(*operation(HOOK, "responses", "204"), to={"description": "It is taken."}),
    ),
    "a header of a subscriber's answer": (
        "needed",
        put(*operation(HOOK, "responses", "200", "headers", "Rate", "required"), to=True),
        put(*operation(HOOK, "responses", "202", "headers"), to={"Rate": {"schema": STRING}}),
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_what_breaks_a_client_is_refused_by_its_rule(what: str) -> None:
    rule, breaking, _ = CASES[what]
    verdict = judge(BASE, edited(breaking))
    assert {one.rule for one in verdict.breaking} == {rule}, verdict
    assert not verdict.passes
    assert REMEDIES[rule] in str(verdict)


@pytest.mark.parametrize("what", CASES)
def test_its_counterpart_is_harmless(what: str) -> None:
    verdict = judge(BASE, edited(CASES[what][2]))
    assert verdict.breaking == [], verdict
    assert verdict.passes


def test_each_rule_is_tried() -> None:
    assert {rule for rule, _, _ in CASES.values()} == set(REMEDIES)


def test_a_change_is_told_once_with_where_it_is_what_it_was_and_what_to_do() -> None:
    verdict = judge(BASE, edited(put(*schema("Thing", "rows", "type"), to="number")))
    assert str(verdict).splitlines() == [
        "1 breaking and 0 harmless changes since 2026-01-01.",
        'BREAKS    Thing.rows: type changed from "integer" to "number"',
        "    in GET /api/things, answer 200, application/json; and 1 more",
        f"    {REMEDIES['type']}",
        MOVE,
    ]


def test_what_is_new_is_listed_as_harmless() -> None:
    verdict = judge(BASE, edited(put(*schema("Thing", "shelf"), to=STRING)))
    assert 'harmless  Thing.shelf: property added: {"type": "string"}' in str(verdict)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (CASES["an operation"][1], 'POST /api/things: operation removed; was "POST /api/things"'),
        (CASES["an operation"][2], 'GET /api/count: operation added: "GET /api/count"'),
        (CASES["an answer's status"][1], 'answer 404: status removed; was "404"'),
        (CASES["an answer's status"][2], 'answer 409: status added: "409"'),
        (CASES["an event's media type"][1], "text/plain: media-type added"),
        (drop(*operation(POSTED, "requestBody", "content", "text/csv")), "text/csv: media-type removed"),
        (
            CASES["a needed property of a request"][2],
            "ThingRequest.name: required changed from true to false",
        ),
        (
            CASES["a needed property of a request"][1],
            "ThingRequest.reason: required changed from false to true",
        ),
    ],
)
def test_it_says_whether_something_came_or_went(edit: Edit, said: str) -> None:
    assert said in str(judge(BASE, edited(edit)))


def test_nothing_changed_is_no_change() -> None:
    assert changes(BASE, copy.deepcopy(BASE)) == []


def test_the_same_change_may_break_one_way_and_not_the_other() -> None:
    """What is both sent and received may not change: narrower breaks who sends it, wider who receives it."""
    shared = edited(put(*schema("ThingRequest", "who"), to={"$ref": "#/components/schemas/Thing"}))
    for limit in (-1, 1):
        newer = copy.deepcopy(shared)
        put(*schema("Thing", "rows", "minimum"), to=limit)(newer)
        found = changes(shared, newer)
        assert sorted(one.breaks for one in found) == [False, True]


@pytest.mark.parametrize("sealed", [False, True])
def test_a_property_added_to_what_was_closed_breaks_who_checked_that(sealed: bool) -> None:
    closed = edited(put(*schema("Event"), "additionalProperties", to=not sealed))
    newer = copy.deepcopy(closed)
    put(*schema("Event", "id"), to=STRING)(newer)
    assert [one.breaks for one in changes(closed, newer)] == [sealed]


ALIKE: dict[str, Edit] = {
    "a number that has to be whole": put(
        *schema("Thing", "rows"), to={"allOf": [{"type": "number"}, {"type": "integer", "minimum": 0}]}
    ),
    "a reference in allOf": put(
        *operation(("/api/things/{id}", "get"), "responses", "200", "content", "application/json", "schema"),
        to={"allOf": [{"$ref": "#/components/schemas/Thing"}], "description": "The thing."},
    ),
    "a property in a part of it": put(
        *schema("Event"),
        to={
            "allOf": [
                {"type": "object", "properties": {"type": STRING}, "required": ["type"]},
                {"properties": {"sequence": {"type": "integer"}}},
                {"properties": {"sequence": {"minimum": 0}}},
            ]
        },
    ),
    "what is nullable as a choice": put(
        *schema("Thing", "note"), to={"anyOf": [{"type": "null"}, {"type": "string"}]}
    ),
    "a choice in another order": lambda of: at(*schema("Thing", "owner", "oneOf"))(of).reverse(),
    "a parameter in components": lambda of: (
        of["paths"]["/api/things/{id}"].update(parameters=[{"$ref": "#/components/parameters/id"}])
        or of["components"].update(parameters={"id": BASE["paths"]["/api/things/{id}"]["parameters"][0]})
    ),
    "a parameter at the operation": lambda of: of["paths"]["/api/things/{id}"]["get"].update(
        parameters=of["paths"]["/api/things/{id}"].pop("parameters")
    ),
    "a schema that is part of itself": lambda of: of["components"]["schemas"]["Person"].update(
        allOf=[{"$ref": "#/components/schemas/Person"}]
    ),
}


@pytest.mark.parametrize("what", ALIKE)
def test_the_same_written_in_another_way_is_no_change(what: str) -> None:
    assert changes(BASE, edited(ALIKE[what])) == []


def test_a_part_that_narrows_is_seen() -> None:
    """All parts of allOf hold: the tightest limit, the words in each, what any of them needs."""
    both = {"allOf": [{"type": "string", "maxLength": 500, "default": "none given"}, {"maxLength": 100}]}
    assert [one.breaks for one in changes(BASE, edited(put(*schema("ThingRequest", "reason"), to=both)))] == [
        True
    ]
    words = {"allOf": [{"type": "string", "enum": ["now", "later"]}, {"enum": ["now"]}]}
    assert [one.breaks for one in changes(BASE, edited(put(*schema("ThingRequest", "mode"), to=words)))] == [
        True
    ]
    never = {"allOf": [{"type": "string"}, {"type": "integer"}]}
    assert any(one.breaks for one in changes(BASE, edited(put(*schema("ThingRequest", "mode"), to=never))))


# --- the api-version, and what is kept --------------------------------------------------------------------------

BREAKING = drop(*schema("Thing", "rows"))


def test_words_that_may_grow_in_two_parts_are_those_of_both() -> None:
    """What one event type brings narrows what any event may bring."""
    both = {
        "allOf": [{"type": "string", "x-extensible-enum": words} for words in (["due", "done"], ["done"])]
    }
    one = {"type": "string", "x-extensible-enum": ["done"]}
    old, new = (edited(put(*schema("Thing", "state"), to=to)) for to in (both, one))
    assert list(changes(old, new)) == []
    assert [change.rule for change in changes(edited(), new)] == ["known-words"]


@pytest.mark.parametrize(
    ("version", "passes", "said"),
    [
        ("2026-01-01", False, "Or move the api-version"),
        ("2026-02-01", True, "Allowed: the api-version moves from 2026-01-01 to 2026-02-01."),
        ("2025-12-31", False, "The api-version went back, from 2026-01-01 to 2025-12-31."),
    ],
)
def test_what_breaks_is_allowed_once_the_api_version_moves(version: str, passes: bool, said: str) -> None:
    verdict = judge(BASE, edited(BREAKING, version=version))
    assert verdict.passes is passes
    assert said in str(verdict)
    assert len(verdict.breaking) == 1


def test_the_last_release_is_kept_under_its_api_version(tmp_path: Path) -> None:
    folder = tmp_path / "released"
    assert last(folder) is None
    keep(json.dumps(BASE), folder)
    later = json.dumps(edited(BREAKING, version="2026-02-01"))
    assert keep(later, folder) == last(folder) == folder / "openapi-2026-02-01.json"
    assert [file.read_text("utf-8") for file in folder.iterdir()] == [later]


def test_a_release_that_breaks_clients_is_not_kept(tmp_path: Path) -> None:
    kept = keep(json.dumps(BASE), tmp_path)
    with pytest.raises(Refused, match=r"Thing\.rows: property removed"):
        keep(json.dumps(edited(BREAKING)), tmp_path)
    assert json.loads(kept.read_text("utf-8")) == BASE


def test_one_that_nobody_has_yet_may_be_replaced(tmp_path: Path) -> None:
    keep(json.dumps(BASE), tmp_path)
    kept = keep(json.dumps(edited(BREAKING)), tmp_path, unpublished=True)
    assert json.loads(kept.read_text("utf-8")) == edited(BREAKING)


def test_todays_description_is_compared_with_what_is_kept(tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(edited(BREAKING)), encoding="utf-8")
    with pytest.raises(NothingKept, match=r"generated\.py --release"):
        since_last_release(tmp_path)
    keep(json.dumps(BASE), tmp_path / "released")
    assert since_last_release(tmp_path).figure == "1 breaking and 0 harmless changes since 2026-01-01"


def test_the_check_of_this_repository_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = judge(BASE, edited(BREAKING))
    monkeypatch.setattr(check, "since_last_release", lambda docs: verdict)
    told = check._checks()["clients"]()
    assert (told.passed, told.figure) == (False, verdict.figure)
    assert "Thing.rows: property removed" in told.said
