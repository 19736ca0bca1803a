"""Last of its folder: no route is without a test that calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from localazure.workspace.routes import ROUTES
from tests.localazure.workspace.running import ROUTES_CALLED, Server


def test_every_route_was_called_by_some_test(request: pytest.FixtureRequest, server: Server) -> None:
    files = {item.path for item in request.session.items}
    if not set(Path(__file__).parent.glob("test_*.py")) <= files:
        pytest.skip("says something only when the whole folder ran")
    called = ROUTES_CALLED | set(server.call("GET", "/__localazure/calls", token="").json())
    uncalled = [f"{one.method} {one.path}" for one in ROUTES if f"{one.method} {one.path}" not in called]
    assert not uncalled, "\n".join(uncalled)
