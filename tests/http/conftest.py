"""Fixtures of the HTTP tests: a world in memory and the API over it."""

from __future__ import annotations

import pytest
from _pytest.nodeid import coerce_node_id
from fastapi import FastAPI
from flow.world import World

from functions.http.auth.scopes import Scope
from tests.http.asking import Client, Tenant, app_over, client_of


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Schemathesis 4.32 names its tests by their operations, but pytest 9.2 leaves that out of their ids."""
    for item in items:
        operation = getattr(item, "operation_label", None)
        if operation and operation not in item.nodeid:
            item._id = coerce_node_id(f"{item.nodeid}[{operation}]")


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
