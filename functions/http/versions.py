"""Which version of the API a request is made for: `?api-version=YYYY-MM-DD`, always said, never guessed."""

from __future__ import annotations

from urllib.parse import parse_qs

from functions.http.problems import Problem

PARAMETER = "api-version"
KNOWN = ("2026-11-24",)
FREE = ("/api/health", "/api/openapi.json", "/api/docs", "/api/session")
"""Addresses that are the same in every version, and what lies below them."""


def check(path: str, query: bytes) -> None:
    """raises: Problem when the version is missing or not one we know"""
    if not path.startswith("/api/") or any(path == free or path.startswith(f"{free}/") for free in FREE):
        return
    given = parse_qs(query.decode("latin-1")).get(PARAMETER)
    if not given:
        raise Problem(400, f"Add {PARAMETER}={KNOWN[-1]} to the address.", code="MissingApiVersionParameter")
    if given[0] not in KNOWN or len(given) > 1:
        known = ", ".join(KNOWN)
        raise Problem(
            400, f"There is no such {PARAMETER}; known: {known}.", code="UnsupportedApiVersionValue"
        )
