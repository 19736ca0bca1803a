"""The API's own description, OpenAPI 3.1: what the routes declare, and what every request passes on its way to them.

A route names its answer (`response_model`) and the problems of its own (`responses`). Here is what is the same for all:
the scopes, the parameters and answers of the layers before the routes, and the shape of a problem.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from functions.http.api_versions import newest
from functions.http.auth.scopes import required
from functions.http.examples import add_examples
from functions.http.middleware.api_version import FREE, PARAMETER
from functions.http.middleware.polling import LONGEST_WAIT, is_polled
from functions.http.responses import header
from functions.http.views.schemas import Problem
from functions.http.webhooks import add_webhooks
from shared.domain.kinds.field import camel_case
from shared.kinds import BY_PLURAL, STATES

Json = dict[str, Any]

ABOUT = """What became of every file, dataset version, run, model and batch; and what an operator may ask for.

Poll with `If-None-Match`, or wait for a change with `?wait=`. Every error is `application/problem+json` with a stable
`code`."""
LICENCE = {"name": "MIT", "identifier": "MIT"}
CONTACT = {"name": "Whoever runs this installation"}
SERVERS = [
    {
        "url": "/",
        "description": "The app that gives this description. Each installation has its own address, and keys go to no"
        " other, so none is written here.",
    }
]
TAGS = {
    "status": "The whole at a glance: what serves, what is under way, what needs a person.",
    "health": "Whether Campanha could work now.",
    "uploads": "Files to train on, and what became of each.",
    "quarantine": "What breaks the data contract, and an operator's decision on it.",
    "datasets": "Versions of datasets: the exact files a model is trained on.",
    "runs": "Runs of the published pipelines, step by step.",
    "models": "Model versions, the verdict on each, and promotion.",
    "endpoints": "The scoring endpoint of a dataset's model: score records, roll back.",
    "deployments": "Model versions behind an endpoint, and how well they answer.",
    "batches": "Files of clients that are scored, and their rows.",
    "outcomes": "Files of what calls brought, joined to the scores of their batches.",
    "alerts": "What a person is told of: raised once for each cause, and over once; and a test of the channels.",
    "failures": "Dead letters: steps that failed as often as they may.",
    "lineage": "What became of a file, forward and back.",
    "events": "Every move of anything from one state to the next.",
    "operations": "How far an accepted action is.",
    "audit": "Who requested what, as a hash chain.",
    "work": "Pause and resume of whatever would begin something new.",
    "config": "Choices of the owner that change without a restart, each with who changed it and why.",
    "session": "Signing in to the dashboard.",
}
"""What each group of operations is about, in the order of the dashboard's page on the API."""
SECURITY: list[dict[str, list[str]]] = [{"key": []}, {"token": []}, {"session": []}]
SCHEMES: Json = {
    "key": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "session": {"type": "apiKey", "in": "cookie", "name": "campanha-session"},
}
PROBLEMS = {
    400: "The request breaks a rule.",
    401: "No credential, or none that is accepted.",
    403: "The credential opens too little.",
    404: "There is no such thing.",
    409: "What is there does not allow it now.",
    413: "The body is too large.",
    415: "The body is of another kind.",
    422: "The body breaks a rule.",
    429: "Too many requests.",
    500: "Something failed on our side.",
    503: "Something needed does not respond now.",
}
EVERYWHERE = (400, 401, 403, 429, 500, 503)
"""What the layers before every route may answer; 413 is among them for whatever takes a body."""
UNLISTED = "An error that no other status stands for."
REFERENCE, RESPONSES = "#/components/schemas/", "#/components/responses/"
FORMATS = {"integer": "int64", "number": "double"}
FASTAPIS = ("HTTPValidationError", "ValidationError")
"""What FastAPI says of a request that breaks a rule, and we answer in our own way."""


def describe(app: FastAPI) -> Json:
    """The description, the same for the same routes."""
    made = get_openapi(
        title=app.title, version=app.version, openapi_version="3.1.0", description=ABOUT, routes=app.routes,
        license_info=LICENCE, contact=CONTACT, servers=SERVERS,
        tags=[{"name": name, "description": about} for name, about in TAGS.items()],
    )  # fmt: skip
    for path, method, operation in _operations(made):
        _complete(path, method, operation)
    problem = Problem.model_json_schema(mode="serialization", ref_template=f"{REFERENCE}{{model}}")
    schemas = made["components"]["schemas"] | problem.pop("$defs") | {Problem.__name__: problem}
    made["components"] = {
        "schemas": {name: schemas[name] for name in sorted(schemas) if name not in FASTAPIS},
        "responses": {
            **{_problem_name(status): _problem(PROBLEMS[status], status) for status in PROBLEMS},
            Problem.__name__: _problem(UNLISTED),
        },
        "securitySchemes": SCHEMES,
    }
    made["security"] = SECURITY
    described = {
        name: _plain(part) if name in ("paths", "components") else part for name, part in made.items()
    }
    add_examples(described)
    shared, used = described["components"]["responses"], set(_references(described["paths"]))
    described["components"]["responses"] = {
        name: shared[name] for name in shared if f"{RESPONSES}{name}" in used
    }
    add_webhooks(described)
    return described


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for one in part:
            yield from _references(one)
    elif isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for one in part.values():
            yield from _references(one)


def _plain(part: Any, *, item: bool = False) -> Any:
    """As generators of clients want it: without the titles that pydantic makes of each field's name, without null where
    something may be left out, and each number in the format that holds it.

    item: whether it is a list's, in which nothing can be left out
    """
    if isinstance(part, list):
        return [_plain(one) for one in part]
    if not isinstance(part, dict):
        return part
    plain = {
        name: _plain(of, item=name == "items")
        for name, of in part.items()
        if not (name == "title" and isinstance(of, str))
    }
    choice = plain.get("anyOf", ())
    given = [one for one in choice if one != {"type": "null"}]
    if len(given) == 1:
        del plain["anyOf"]
        plain = given[0] | plain
    for type_, format_ in FORMATS.items():
        if plain.get("type") == type_:
            plain.setdefault("format", format_)
    if item and len(given) == 1 < len(choice):
        plain["type"] = [plain["type"], "null"]
    return plain


def _operations(made: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _complete(path: str, method: str, operation: Json) -> None:
    operation["operationId"] = camel_case(str(operation["operationId"]))
    operation["x-scope"] = required(method, path).label
    operation["parameters"] = [*operation.get("parameters", []), *_parameters(path, method)]
    for parameter in operation["parameters"]:
        if parameter["name"] == "state" and parameter["in"] == "query":
            parameter["schema"] = {"type": "string", "enum": _states(path)}
    answers = operation["responses"]
    if method == "GET" and is_polled(path):
        answers["200"].setdefault("headers", {})["ETag"] = header("Changes with the answer.")
        answers["304"] = {"description": "Nothing has changed.", "headers": {"ETag": header("As it was.")}}
    for status in {*EVERYWHERE, *((413,) if "requestBody" in operation else ())}:
        answers.setdefault(str(status), {})
    declared = {status: answer for status, answer in answers.items() if not _is_fastapis(answer)}
    operation["responses"] = {
        status: _error(int(status), answer) if status >= "400" else answer
        for status, answer in sorted(declared.items())
    }
    operation["responses"]["default"] = {"$ref": f"{RESPONSES}{Problem.__name__}"}


def _states(path: str) -> list[str]:
    """The states a list can be filtered by."""
    kind = BY_PLURAL.get(path.removeprefix("/api/"))
    of = [STATES[kind.name]] if kind else STATES.values()
    return list(dict.fromkeys(state for states in of for state in states))


def _parameters(path: str, method: str) -> Iterator[Json]:
    """Those that are read before the routes are."""
    if not path.startswith(FREE):
        # A description is of one version. An enum would be a class of its own for each operation in generated clients.
        name = newest().name
        version = {"type": "string", "const": name}
        about = "The version of the API that the request is made for."
        asked = {"name": PARAMETER, "in": "query", "required": True, "schema": version, "description": about}
        yield {**asked, "example": name}
    if method == "GET" and is_polled(path):
        wait = {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT}
        about = "With If-None-Match: seconds to wait for a change before the answer is 304."
        yield {"name": "wait", "in": "query", "required": False, "schema": wait, "description": about}
        held = {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}}
        yield {**held, "description": "The ETag of the answer one has."}


def _is_fastapis(answer: Json) -> bool:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return bool(schema == {"$ref": f"{REFERENCE}{FASTAPIS[0]}"})


def _error(status: int, declared: Json) -> Json:
    """The problem of that status; beside what a route answers there itself, if it does (health)."""
    if "content" not in declared:
        return {"$ref": f"{RESPONSES}{_problem_name(status)}"}
    problem = _problem(PROBLEMS[status], status)
    return {**problem, "content": {**declared["content"], **problem["content"]}}


def _problem_name(status: int) -> str:
    return f"Problem{status}"


def _problem(about: str, status: int | None = None) -> Json:
    headers = {"x-ms-error-code": header("The problem's code.")}
    if status in (429, 503):
        headers["Retry-After"] = header("Seconds after which to try again.")
    content = {"application/problem+json": {"schema": {"$ref": f"{REFERENCE}{Problem.__name__}"}}}
    return {"description": about, "headers": headers, "content": content}
