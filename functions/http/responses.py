"""What a route declares of its answers (FastAPI's `responses`): the 202 of an action, and the problems it may end with."""

from __future__ import annotations

from typing import Any

from functions.http.views import schemas

Responses = dict[int | str, dict[str, Any]]


def problems(*statuses: int) -> Responses:
    """The problems a route may end with, beside those that the layers before every route may end with."""
    return {status: {} for status in statuses}


def accepted(*statuses: int) -> Responses:
    """The 202 of an action, and the problems it may end with; two of them come of its Idempotency-Key."""
    headers = {
        "Operation-Location": header("Where to ask how far it is."),
        "Location": header("What it is about, where that is known already."),
        "Retry-After": header("Seconds after which it is worth asking."),
    }
    under_way = {"model": schemas.Operation, "description": "It is under way.", "headers": headers}
    return {202: under_way, **problems(409, 422, *statuses)}


def header(about: str) -> dict[str, Any]:
    """A header of an answer, as the description has it."""
    return {"description": about, "schema": {"type": "string"}}
