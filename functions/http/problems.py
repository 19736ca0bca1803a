"""Errors as problem+json (RFC 9457), each with a code that stays the same from release to release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse

CODES = {
    400: "InvalidParameter",
    401: "AuthenticationRequired",
    403: "AuthorizationFailed",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    413: "RequestTooLarge",
    415: "UnsupportedMediaType",
    422: "InvalidContent",
    429: "TooManyRequests",
    500: "InternalError",
    503: "NotReady",
}
"""The code of a status when nothing more exact is known; the others are named where they arise."""

PATH = "/:@!$&'()*+,;=~"
"""What stands for itself in a path; source: RFC 3986, 3.3."""


class Problem(Exception):
    """Ends a request with an error the caller can act on."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str = "",
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, errors
        self.code = code or CODES.get(status, "BadRequest")
        self.headers = dict(headers or {})


def rules_broken(*errors: Mapping[str, str], status: int = 400) -> Problem:
    """errors: its `location` in the request, and the `rule` that holds there; never what was sent"""
    return Problem(status, "The request breaks the rules named in `errors`.", errors=errors)


RENAMED = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
"""As RFC 9110 has them, and Python from 3.13 on: a title is the same whatever runs the app."""


def answer(problem: Problem, request: Request) -> JSONResponse:
    """The problem as a response; nothing of our inside is in it."""
    return response(problem, instance=request.url.path, trace_id=getattr(request.state, "trace_id", ""))


def response(problem: Problem, *, instance: str, trace_id: str = "") -> JSONResponse:
    """instance: the request's path, as the server reads it: a URI reference in the answer"""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": RENAMED.get(problem.status) or HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "instance": quote(instance, safe=PATH),
        "code": problem.code,
        "traceId": trace_id,
    }
    if problem.errors:
        body["errors"] = [dict(error) for error in problem.errors]
    headers = {"x-ms-error-code": problem.code, "Cache-Control": "no-store", **problem.headers}
    return JSONResponse(body, problem.status, headers, media_type="application/problem+json")
