"""What routes, and the routing itself, raise becomes problem+json: no such address, wrong method, invalid request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from functions.http.problems import Problem, rules_broken

Respond = Callable[[Problem, Request], Response]


def add_exception_handlers(app: FastAPI, respond: Respond) -> None:
    """Has the app answer with `respond` whatever ends a request early."""

    def handled(problem_of: Callable[[Request, Any], Problem]) -> Any:
        async def handler(request: Request, cause: Exception) -> Response:
            return respond(problem_of(request, cause), request)

        return handler

    app.add_exception_handler(Problem, handled(lambda _, problem: problem))
    app.add_exception_handler(HTTPException, handled(_of_routing))
    app.add_exception_handler(RequestValidationError, handled(_of_validation))


def _of_routing(request: Request, cause: HTTPException) -> Problem:
    """What the routing itself refuses: no such address, or not with this method."""
    details = {
        404: "There is nothing at this address; /api/openapi.json lists what there is.",
        405: "This address does not take this method; the Allow header names those it takes.",
    }
    detail = details.get(cause.status_code, "The request cannot be answered as it is.")
    headers = {"Allow": _allowed(request)} if cause.status_code == 405 else cause.headers
    return Problem(cause.status_code, detail, headers=headers)


def _allowed(request: Request) -> str:
    """The methods the address takes, of whichever route they are (Starlette names those of the first only)."""
    taken: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        pattern, _, _ = compile_path(str(route.path))
        if pattern.match(request.url.path):
            taken |= set(route.methods or ())
    return ", ".join(sorted(taken))


def _of_validation(request: Request, cause: RequestValidationError) -> Problem:
    """A parameter (400) or a body (422) that breaks the rules; what was sent is not repeated."""
    errors = [_broken(error) for error in cause.errors()]
    in_body = any(error["location"].startswith("body") for error in errors)
    return rules_broken(*errors, status=422 if in_body else 400)


def _broken(error: Mapping[str, Any]) -> dict[str, str]:
    return {"location": ".".join(map(str, error["loc"])), "rule": str(error["msg"])}
