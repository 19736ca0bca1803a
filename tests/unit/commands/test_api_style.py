"""Our API style: a description that holds it is clean, and each rule finds what breaks it, and only that rule."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from commands.linters import api_description
from commands.linters.api_description import STYLE, Fault, faults

Json = dict[str, Any]

PROBLEM = {
    "description": "An error.",
    "headers": {"x-ms-error-code": {"schema": {"type": "string"}}, "Retry-After": {"schema": {"type": "string"}}},
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}  # fmt: skip
VERSION = {
    "name": "api-version", "in": "query", "required": True, "description": "The version meant.",
    "schema": {"type": "string", "const": "2026-01-02"},
}  # fmt: skip
IF_NONE_MATCH = {
    "name": "If-None-Match", "in": "header", "description": "The ETag one has.", "schema": {"type": "string"},
}  # fmt: skip
ID = {
    "name": "thingId", "in": "path", "required": True, "description": "Which one.",
    "schema": {"type": "string", "maxLength": 40},
}  # fmt: skip
PAGE_SIZE = {
    "name": "maxpagesize", "in": "query", "description": "How many at most.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
}  # fmt: skip


def text(**more: Any) -> Json:
    return {"type": "string", "description": "A text.", "examples": ["a"], **more}


def operation(id_: str, responses: Json, *parameters: Json, **more: Any) -> Json:
    return {
        "operationId": id_, "summary": "Does it", "description": "Does what it says.", "tags": ["things"],
        "parameters": [VERSION, *parameters], "responses": {**responses, "503": PROBLEM, "default": PROBLEM}, **more,
    }  # fmt: skip


def answer(schema: str, *headers: str) -> Json:
    return {
        "description": "It.",
        "headers": {name: {"schema": {"type": "string"}} for name in headers},
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


THING: Json = {
    "id": text(pattern="^[a-z]+$"),
    "state": {"type": "string", "description": "How it is.", "enum": ["new", "old"]},
    "count": {
        "type": "integer",
        "format": "int64",
        "minimum": 0,
        "description": "How many.",
        "examples": [3],
    },
    "createdAt": text(format="date-time"),
    "waitedSeconds": {"type": "number", "format": "double", "description": "How long.", "examples": [1.5]},
    "names": {"type": "array", "items": {"type": "string"}, "description": "What it is called."},
    "counts": {
        "type": "object",
        "additionalProperties": {"type": "integer", "format": "int64"},
        "description": "By name.",
    },
    "part": {"$ref": "#/components/schemas/Part", "description": "A part of it."},
}
BODY = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
}
GOOD: Json = {
    "openapi": "3.1.0",
    "info": {
        "title": "Things", "version": "2026-01-02", "description": "For tests.",
        "license": {"name": "MIT"}, "contact": {"name": "We"},
    },
    "servers": [{"url": "https://example.net", "description": "Where it is."}],
    "security": [{"key": []}],
    "tags": [{"name": "things", "description": "All things."}],
    "paths": {
        "/all-things": {
            "get": operation(
                "listThings",
                {"200": answer("ThingPage", "ETag"), "304": {"description": "As it was."}},
                PAGE_SIZE,
                IF_NONE_MATCH,
            ),
            "post": operation("createThing", {"201": answer("Thing", "Location")}, requestBody=BODY),
        },
        "/all-things/{thingId}": {
            "get": operation("getThing", {"200": answer("Thing")}, ID),
            "put": operation("replaceThing", {"200": answer("Thing")}, ID, requestBody=BODY),
            "patch": operation(
                "updateThing", {"200": answer("Thing")}, ID,
                requestBody={**BODY, "content": {"application/merge-patch+json": BODY["content"]["application/json"]}},  # type: ignore[index]
            ),
            "delete": operation("deleteThing", {"204": {"description": "It is gone."}}, ID),
        },
        "/all-things/{thingId}/retry": {
            "post": operation("retryThing", {"202": answer("Thing", "Operation-Location", "Retry-After")}, ID)
        },
    },
    "components": {
        "schemas": {
            "Part": {"type": "object", "description": "A part.", "properties": {"name": text()}},
            "Thing": {"type": "object", "description": "A thing.", "required": ["id"], "properties": THING},
            "ThingPage": {
                "type": "object", "description": "A page of things.", "required": ["value"],
                "properties": {
                    "value": {
                        "type": "array", "items": {"$ref": "#/components/schemas/Thing"}, "description": "These."
                    },
                    "nextLink": text(format="uri"),
                },
            },
            "Problem": {
                "type": "object", "description": "An error.",
                "required": ["type", "title", "status", "detail", "code"],
                "properties": {
                    **dict.fromkeys(("type", "title", "detail", "code"), text()),
                    "status": {
                        "type": "integer", "format": "int32", "minimum": 400, "description": "Of HTTP.",
                        "examples": [404],
                    },
                },
            },
        }
    },
}  # fmt: skip

LIST = "paths./all-things.get"
CREATE = "paths./all-things.post"
GET, PUT, PATCH, DELETE = (f"paths./all-things/{{thingId}}.{of}" for of in ("get", "put", "patch", "delete"))
RETRY = "paths./all-things/{thingId}/retry.post"
SCHEMAS = "components.schemas"
PROPERTIES = f"{SCHEMAS}.Thing.properties"

Break = Callable[[Json], None]


def at(description: Json, place: str) -> Any:
    """place: steps joined by dots; into a list, a number"""
    here: Any = description
    for step in place.split("."):
        here = here[int(step) if isinstance(here, list) else step]
    return here


def put(place: str, value: Any) -> Break:
    def broken(description: Json) -> None:
        where, _, name = place.rpartition(".")
        parent = at(description, where) if where else description
        parent[int(name) if isinstance(parent, list) else name] = value

    return broken


def drop(place: str) -> Break:
    def broken(description: Json) -> None:
        where, _, name = place.rpartition(".")
        parent = at(description, where) if where else description
        del parent[int(name) if isinstance(parent, list) else name]

    return broken


def move(place: str, to: str) -> Break:
    def broken(description: Json) -> None:
        put(to, at(description, place))(description)
        drop(place)(description)

    return broken


def both(*breaks: Break) -> Break:
    def broken(description: Json) -> None:
        for each in breaks:
            each(description)

    return broken


def added(name: str, property_: Json) -> Break:
    return put(f"{PROPERTIES}.{name}", property_)


BREAKS: Mapping[str, tuple[Break, ...]] = {
    "version-is-a-date": (put("info.version", "1.0"),),
    "about-is-whole": (drop("info.license"), drop("info.contact"), put("info.description", "")),
    "server-is-said": (drop("servers"), put("servers", []), drop("servers.0.description")),
    "security-is-said": (drop("security"),),
    "tag-has-a-sentence": (drop("tags.0.description"), put("tags.0.description", "things")),
    "path-is-kebab-case": (
        move("paths./all-things", "paths./allThings"),
        move("paths./all-things", "paths./all_things"),
    ),
    "path-ends-without-slash": (move("paths./all-things", "paths./all-things/"),),
    "path-parameter-is-bounded": (drop(f"{GET}.parameters.1.schema.maxLength"),),
    "operation-id-is-verb-and-noun": (
        put(f"{GET}.operationId", "get_thing"),
        put(f"{GET}.operationId", "get"),
        drop(f"{RETRY}.operationId"),
    ),
    "operation-id-fits-method": (
        put(f"{GET}.operationId", "deleteThing"),
        put(f"{DELETE}.operationId", "getThing"),
        put(f"{RETRY}.operationId", "getRetry"),
        put(f"{PUT}.operationId", "updateThing"),
        put(f"{PATCH}.operationId", "replaceThing"),
    ),
    "list-is-called-list": (
        put(f"{LIST}.operationId", "getThings"),
        put(f"{GET}.operationId", "listThing"),
    ),
    "operation-has-a-summary": (drop(f"{GET}.summary"), drop(f"{GET}.description")),
    "operation-has-one-tag": (drop(f"{GET}.tags"), put(f"{GET}.tags", ["things", "more"])),
    "get-and-delete-have-no-body": (put(f"{GET}.requestBody", BODY), put(f"{DELETE}.requestBody", BODY)),
    "request-body-has-a-shape": (
        drop(f"{CREATE}.requestBody.content.application/json.schema"),
        put(f"{CREATE}.requestBody", {"required": True}),
    ),
    "patch-is-a-merge-patch": (put(f"{PATCH}.requestBody", BODY),),
    "version-is-asked-for": (
        drop(f"{GET}.parameters.0"),
        drop(f"{GET}.parameters.0.required"),
        drop(f"{GET}.parameters.0.schema.const"),
    ),
    "version-is-this-one": (put(f"{GET}.parameters.0.schema.const", "2026-02-03"),),
    "success-is-described": (
        drop(f"{GET}.responses.200"),
        drop(f"{GET}.responses.200.content"),
        drop(f"{GET}.responses.200.content.application/json.schema"),
        put(f"{DELETE}.responses.204.content", answer("Thing")["content"]),
    ),
    "delete-answers-204": (
        both(drop(f"{DELETE}.responses.204"), put(f"{DELETE}.responses.200", answer("Thing"))),
    ),
    "put-answers-200-or-201": (move(f"{PUT}.responses.200", f"{PUT}.responses.203"),),
    "accepted-says-where": (
        drop(f"{RETRY}.responses.202.headers.Operation-Location"),
        drop(f"{RETRY}.responses.202.headers.Retry-After"),
    ),
    "created-says-where": (drop(f"{CREATE}.responses.201.headers.Location"),),
    "default-answer-is-an-error": (drop(f"{GET}.responses.default"),),
    "error-is-a-problem": (
        drop(f"{GET}.responses.default.content"),
        put(f"{GET}.responses.503.content", answer("Problem")["content"]),
        both(drop(f"{SCHEMAS}.Problem.properties.code"), drop(f"{SCHEMAS}.Problem.required.4")),
        put(f"{SCHEMAS}.Problem.required", ["type", "title", "status", "detail"]),
    ),
    "error-says-its-code": (drop(f"{GET}.responses.default.headers.x-ms-error-code"),),
    "busy-says-when": (drop(f"{GET}.responses.503.headers.Retry-After"),),
    "unchanged-has-a-tag": (drop(f"{LIST}.responses.200.headers.ETag"), drop(f"{LIST}.parameters.2")),
    "page-is-value-and-next-link": (
        drop(f"{SCHEMAS}.ThingPage.required"),
        put(f"{SCHEMAS}.ThingPage.properties.value", text()),
        put(f"{SCHEMAS}.ThingPage.properties.value.items", {"type": "string"}),
        drop(f"{SCHEMAS}.ThingPage.properties.nextLink"),
        put(f"{SCHEMAS}.ThingPage.required", ["value", "nextLink"]),
    ),
    "page-size-is-bounded": (
        drop(f"{LIST}.parameters.1"),
        drop(f"{LIST}.parameters.1.schema.maximum"),
        drop(f"{LIST}.parameters.1.schema.default"),
    ),
    "parameter-is-camel-case": (
        put(f"{GET}.parameters.1.name", "thing_id"),
        put(f"{GET}.parameters.1", {**IF_NONE_MATCH, "name": "ifNoneMatch"}),
    ),
    "parameter-has-a-sentence": (
        drop(f"{GET}.parameters.1.description"),
        put(f"{GET}.parameters.1.description", "which"),
    ),
    "parameter-has-a-type": (
        drop(f"{LIST}.parameters.2.schema"),
        put(f"{LIST}.parameters.2.schema", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        put(f"{LIST}.parameters.2.schema.type", ["string", "null"]),
    ),
    "required-has-no-default": (put(f"{LIST}.parameters.1.required", True),),
    "schema-is-pascal-case": (
        put(f"{SCHEMAS}.thing_part", {"type": "object", "description": "It.", "properties": {}}),
    ),
    "schema-has-a-sentence": (drop(f"{SCHEMAS}.Thing.description"),),
    "property-is-camel-case": (added("run_number", text()), added("RunNumber", text())),
    "property-has-a-sentence": (
        drop(f"{PROPERTIES}.count.description"),
        put(f"{PROPERTIES}.part.description", "a part"),
        put(f"{PROPERTIES}.count.description", "how many"),
    ),
    "property-has-an-example": (drop(f"{PROPERTIES}.count.examples"),),
    "nothing-is-untyped": (
        added("some", {"description": "It."}),
        put(f"{PROPERTIES}.names.items", {}),
        put(f"{PROPERTIES}.counts.additionalProperties", {"minimum": 1}),
    ),
    "array-has-items": (drop(f"{PROPERTIES}.names.items"),),
    "no-array-in-an-array": (
        put(f"{PROPERTIES}.names.items", {"type": "array", "items": {"type": "string"}}),
    ),
    "nothing-is-null": (
        put(f"{PROPERTIES}.count.type", ["integer", "null"]),
        added(
            "some", {"anyOf": [{"$ref": "#/components/schemas/Part"}, {"type": "null"}], "description": "It."}
        ),
    ),
    "object-says-what-it-holds": (added("some", {"type": "object", "description": "It."}),),
    "no-more-beside-properties": (
        put(f"{SCHEMAS}.Thing.additionalProperties", {"type": "string"}),
        put(f"{SCHEMAS}.Thing.additionalProperties", False),
    ),
    "object-has-a-name": (
        added("some", {"type": "object", "properties": {"name": text()}, "description": "It."}),
    ),
    "required-is-there": (put(f"{SCHEMAS}.Thing.required", ["id", "gone"]),),
    "format-is-known": (added("some", text(format="nanoid")), put(f"{PROPERTIES}.count.format", "float")),
    "number-has-a-format": (
        drop(f"{PROPERTIES}.count.format"),
        drop(f"{PROPERTIES}.waitedSeconds.format"),
        drop(f"{PROPERTIES}.counts.additionalProperties.format"),
    ),
    "integer-has-a-least": (drop(f"{PROPERTIES}.count.minimum"),),
    "values-are-texts": (
        drop(f"{PROPERTIES}.state.type"),
        put(f"{PROPERTIES}.state.enum", ["new", 2]),
        put(f"{PROPERTIES}.state.enum", ["new", "new"]),
    ),
    "time-is-a-date-time": (drop(f"{PROPERTIES}.createdAt.format"),),
    "date-time-is-called-at": (added("created", text(format="date-time")),),
    "size-says-its-unit": (
        added("timeout", THING["count"]),
        added("fileSize", THING["count"]),
    ),
    "identifier-has-a-pattern": (drop(f"{PROPERTIES}.id.pattern"), added("runId", text())),
}
ALSO = {
    "version-is-a-date": {"version-is-this-one"},
    "values-are-texts": {"nothing-is-untyped"},
    "operation-id-fits-method": {"list-is-called-list"},
    "operation-id-is-verb-and-noun": {"list-is-called-list"},
}
"""What a break may break beside the rule it is for."""
CASES = [(rule, number) for rule, breaks in BREAKS.items() for number in range(len(breaks))]


@pytest.fixture(scope="module")
def found(linters: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Fault]]:
    """What Spectral finds in each broken description, all in one run."""
    folder = tmp_path_factory.mktemp("descriptions")
    (folder / "good.json").write_text(json.dumps(GOOD))
    for rule, number in CASES:
        broken = copy.deepcopy(GOOD)
        BREAKS[rule][number](broken)
        (folder / f"{rule}-{number}.json").write_text(json.dumps(broken))
    all_ = faults(sorted(folder.glob("*.json")), STYLE)
    return lambda name: [fault for fault in all_ if Path(fault.file).stem == name]


def test_a_description_in_our_style_is_clean(found: Callable[[str], list[Fault]]) -> None:
    assert [str(fault) for fault in found("good")] == []


@pytest.mark.parametrize(("rule", "number"), CASES)
def test_a_rule_finds_what_breaks_it(rule: str, number: int, found: Callable[[str], list[Fault]]) -> None:
    faults_ = found(f"{rule}-{number}")
    assert rule in {fault.rule for fault in faults_}
    assert {fault.rule for fault in faults_} <= {rule} | ALSO.get(rule, set()), [
        str(each) for each in faults_
    ]


def test_each_rule_is_broken_here() -> None:
    rules = re.findall(r'^    "([a-z0-9-]+)": rule\(', STYLE.read_text(), re.MULTILINE)
    assert len(rules) > 40
    assert list(BREAKS) == rules


def test_an_exemption_is_told_with_its_reason_and_ends_when_nothing_needs_it(
    tmp_path: Path, found: Callable[[str], list[Fault]], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = copy.deepcopy(GOOD)
    drop(f"{GET}.parameters.0")(broken)
    file = tmp_path / "broken.json"
    file.write_text(json.dumps(broken))
    exempt = api_description.Exempt(
        rule="version-is-asked-for", parts=("/all-things/{thingId}",), reason="it is a test"
    )
    monkeypatch.setattr(api_description, "EXEMPT_OF_STYLE", (exempt,))
    spared = api_description.style(file)
    assert spared.lines == ()
    assert spared.figure == "0 findings in 7 operations"
    assert spared.remarks == ("version-is-asked-for is not asked of /all-things/{thingId}: it is a test",)
    file.write_text(json.dumps(GOOD))
    (stale,) = api_description.style(file).lines
    assert "needs to be exempt from it any more" in stale
