"""Which API version a request is made for: `?api-version=YYYY-MM-DD`, always said, never guessed; no parameter twice."""

from __future__ import annotations

from urllib.parse import parse_qsl

from functions.http.problems import Problem, rules_broken

PARAMETER = "api-version"
KNOWN = ("2026-11-29",)
FREE = ("/api/health", "/api/openapi.json", "/api/docs", "/api/session")
"""Addresses that are the same in every version, and what lies below them."""


def check(path: str, query_string: bytes) -> None:
    """raises: Problem when the version is missing or not one we know, or when any parameter is given twice"""
    query = _parameters(query_string)
    if not path.startswith("/api/") or any(path == free or path.startswith(f"{free}/") for free in FREE):
        return
    given = query.get(PARAMETER)
    if not given:
        raise Problem(400, f"Add {PARAMETER}={KNOWN[-1]} to the address.", code="MissingApiVersionParameter")
    if given not in KNOWN:
        known = ", ".join(KNOWN)
        raise Problem(
            400, f"There is no such {PARAMETER}; known: {known}.", code="UnsupportedApiVersionValue"
        )


def _parameters(query_string: bytes) -> dict[str, str]:
    """raises: Problem when a parameter is given twice: whichever we took, the caller may have meant the other"""
    given: dict[str, str] = {}
    for name, value in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True):
        if name in given:
            raise rules_broken({"location": f"query.{name}", "rule": "given once"})
        given[name] = value
    return given
