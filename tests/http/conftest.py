"""Fixtures of the HTTP tests: a world in memory and the API over it."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from flow.world import World

from functions.http.callers import Scope
from tests.http.asking import Client, Tenant, app_over, client_of


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="session")
def tenant() -> Tenant:
    return Tenant()


@pytest.fixture
def api(world: World) -> FastAPI:
    return app_over(world)


@pytest.fixture
def reader(api: FastAPI) -> Client:
    return client_of(api)


@pytest.fixture
def operator(api: FastAPI) -> Client:
    return client_of(api, scope=Scope.OPERATOR)
