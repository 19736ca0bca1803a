"""S2: what each role opens, route by route. What a route takes is said here once more, so that a mistake in one shows."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from flow.world import World

from functions.http.auth.scopes import SESSION, Scope
from functions.http.middleware.gate import LIVE
from functions.http.routes.dashboard import PUBLIC
from tests.http.asking import app_over, client_of
from tests.http.test_who_may import routes_of

ADMIN = {("GET", "/api/audit"), ("HEAD", "/api/audit"), ("POST", "/api/config")}
FREE = (LIVE, SESSION, f"{PUBLIC}x")


def _takes(method: str, address: str) -> Scope:
    if (method, address) in ADMIN:
        return Scope.ADMIN
    return Scope.READER if method in ("GET", "HEAD") else Scope.OPERATOR


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return app_over(World(), rate_limit_per_minute=1_000_000)


@pytest.mark.parametrize("scope", Scope, ids=lambda scope: scope.label)
def test_a_role_opens_its_routes_and_no_other(app: FastAPI, scope: Scope) -> None:
    client = client_of(app, scope=scope)
    routes = [(method, address) for method, address in routes_of(app) if address not in FREE]
    assert len(routes) > 60
    assert set(routes) >= ADMIN
    opened = {route: client.request(*route).status_code != 403 for route in routes}
    assert opened == {route: scope >= _takes(*route) for route in routes}
