"""Which version of the API a request is made for: `?api-version=YYYY-MM-DD`, always said, never guessed."""

from __future__ import annotations

from collections.abc import Mapping

from functions.http.problems import Problem

PARAMETER = "api-version"
KNOWN = ("2026-11-24",)
FREE = ("/api/health", "/api/openapi.json", "/api/docs", "/api/session")
"""Addresses that are the same in every version, and what lies below them."""


def check(path: str, query: Mapping[str, str]) -> None:
    """raises: Problem when the version is missing or not one we know"""
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
