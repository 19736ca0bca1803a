"""The API's own description, OpenAPI 3.1: made from the routes, and completed with what every request passes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from functions.http.auth.scopes import SESSION, required
from functions.http.middleware.api_version import FREE, KNOWN, PARAMETER
from functions.http.middleware.polling import LONGEST_WAIT, is_polled
from functions.http.views import schemas
from functions.http.views.pagination import LISTED
from shared.domain.records import STATES

Json = dict[str, Any]

ABOUT = """What became of every file, dataset version, run, model and batch; and what an operator may ask for.

Poll with `If-None-Match`, or wait for a change with `?wait=`. Every error is `application/problem+json` with a stable
`code`."""
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
ALWAYS = (400, 401, 403, 404, 429, 500, 503)
WITH_BODY = (409, 413, 415, 422)
ANSWERS: dict[str, type[schemas.Shape]] = {
    "GET /api/status": schemas.Status,
    "GET /api/health": schemas.HealthReport,
    "GET /api/uploads/{name}": schemas.Upload,
    "GET /api/datasets/{name}/{version}": schemas.Dataset,
    "GET /api/runs/{run}": schemas.Run,
    "GET /api/models/{name}/{version}": schemas.Model,
    "GET /api/deployments/{endpoint}/{deployment}": schemas.Deployment,
    "GET /api/batches/{batch}": schemas.Batch,
    "GET /api/batches/{batch}/rows": schemas.Rows,
    "GET /api/failures/{id}": schemas.Failure,
    "GET /api/quarantine/{name}": schemas.Quarantined,
    "GET /api/trace/{asked}": schemas.Trace,
    "GET /api/operations/{id}": schemas.Operation,
    "POST /api/endpoints/{dataset}/score": schemas.Answer,
}
PAGES: dict[str, type[schemas.Shape]] = {
    "GET /api/uploads": schemas.Upload,
    "GET /api/datasets": schemas.Dataset,
    "GET /api/runs": schemas.Run,
    "GET /api/models": schemas.Model,
    "GET /api/deployments": schemas.Deployment,
    "GET /api/batches": schemas.Batch,
    "GET /api/quarantine": schemas.Quarantine,
    "GET /api/failures": schemas.Failure,
    "GET /api/events": schemas.Event,
    "GET /api/audit": schemas.AuditEntry,
}


def describe(app: FastAPI) -> Json:
    """The description, the same for the same routes."""
    made = get_openapi(
        title="Campanha", version=KNOWN[-1], openapi_version="3.1.0", description=ABOUT, routes=app.routes
    )
    for path, method, operation in _operations(made):
        _complete(path, method, operation)
    _, described = models_json_schema(
        [(shape, "serialization") for shape in _shapes()], ref_template="#/components/schemas/{model}"
    )
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's, which we answer in our own way
        schemas.pop(name, None)
    schemas |= described["$defs"]
    made["components"]["schemas"] = dict(sorted(schemas.items()))
    made["components"]["responses"] = {_problem_name(status): _problem(status) for status in PROBLEMS}
    made["components"]["securitySchemes"] = SCHEMES
    made["security"] = SECURITY
    return made


def _operations(made: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _shapes() -> list[type[schemas.Shape]]:
    named: list[type[schemas.Shape]] = [*ANSWERS.values(), *PAGES.values(), schemas.Problem]
    return list(dict.fromkeys(named))


def _complete(path: str, method: str, operation: Json) -> None:
    name = f"{method} {path}"
    operation["operationId"] = _id(method, path)
    operation["tags"] = [path.split("/")[2]]
    operation["x-scope"] = required(method, path).label
    operation["parameters"] = [*operation.get("parameters", []), *_parameters(path, method)]
    for parameter in operation["parameters"]:
        if parameter["name"] == "state" and name in PAGES:
            parameter["schema"] = {"type": "string", "enum": _states(path)}
    if path == SESSION and method != "GET":
        operation["security"] = []
    answers = {
        status: answer for status, answer in operation["responses"].items() if status in ("200", "202", "204")
    }
    if name in ANSWERS:
        answers["200"] = _good(f"#/components/schemas/{ANSWERS[name].__name__}", ANSWERS[name].__doc__)
    elif name in PAGES:
        answers["200"] = {"description": "A page.", "content": _json(schemas.page_of(PAGES[name]))}
    elif "202" in answers:
        answers["202"] = {
            **_good("#/components/schemas/Operation", "It is under way."),
            "headers": _accepted(),
        }
    if method == "GET" and is_polled(path):
        answers["200"].setdefault("headers", {})["ETag"] = _header("Changes with the answer.")
        answers["304"] = {"description": "Nothing has changed.", "headers": {"ETag": _header("As it was.")}}
    if name == "GET /api/health":
        answers["200"]["content"] = {"application/health+json": answers["200"]["content"]["application/json"]}
    statuses = [*ALWAYS, *(WITH_BODY if method == "POST" else ())]
    answers |= {
        str(status): {"$ref": f"#/components/responses/{_problem_name(status)}"} for status in statuses
    }
    if name == "GET /api/health":
        answers["503"] = _problem(503)
        answers["503"]["content"] |= answers["200"]["content"]
    operation["responses"] = dict(sorted(answers.items()))


def _states(path: str) -> list[str]:
    """The states a list can be asked for."""
    kind = LISTED.get(path.removeprefix("/api/"))
    of = [STATES[kind]] if kind else STATES.values()
    return list(dict.fromkeys(state for states in of for state in states))


def _parameters(path: str, method: str) -> Iterator[Json]:
    if not path.startswith(FREE):
        version = {"type": "string", "enum": list(KNOWN)}
        yield {"name": PARAMETER, "in": "query", "required": True, "schema": version}
    if method == "GET" and is_polled(path):
        wait = {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT}
        about = "With If-None-Match: seconds to wait for a change before the answer is 304."
        yield {"name": "wait", "in": "query", "required": False, "schema": wait, "description": about}
        about = "The ETag of the answer one has."
        yield {
            "name": "If-None-Match",
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": about,
        }
    if method == "POST" and path != SESSION and not path.endswith("/score"):
        key = {"type": "string", "pattern": "^[!-~]{0,200}$"}
        about = "A text of one's own for this request: sent again, the answer is the same and nothing is done twice."
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": key,
            "description": about,
        }


def _id(method: str, path: str) -> str:
    words = path.removeprefix("/api/").replace("{", "by_").replace("}", "").replace(".", "_").split("/")
    return "_".join([method.lower(), *words])


def _good(reference: str, about: str | None) -> Json:
    return {"description": (about or "").strip() or "The answer.", "content": _json({"$ref": reference})}


def _problem_name(status: int) -> str:
    return f"Problem{status}"


def _problem(status: int) -> Json:
    headers = {"x-ms-error-code": _header("The problem's code.")}
    if status in (429, 503):
        headers["Retry-After"] = _header("Seconds after which to try again.")
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": PROBLEMS[status], "headers": headers, "content": content}


def _accepted() -> Json:
    return {
        "Operation-Location": _header("Where to ask how far it is."),
        "Location": _header("What it is about, where that is known already."),
        "Retry-After": _header("Seconds after which it is worth asking."),
    }


def _header(about: str) -> Json:
    return {"description": about, "schema": {"type": "string"}}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}
