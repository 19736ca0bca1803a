"""Last of its folder: no route is without a test that calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from localazure.workspace.routes import ROUTES
from running_azure.workspace import ROUTES_CALLED, Server


def test_every_route_was_called_by_some_test(request: pytest.FixtureRequest, server: Server) -> None:
    ran = {item.path for item in request.session.items}
    left_out = [file for file in Path(__file__).parent.glob("test_*.py") if file not in ran]
    if any("mark.slow" not in file.read_text(encoding="utf-8") for file in left_out):
        pytest.skip("says something only when the whole folder ran")
    called = ROUTES_CALLED | set(server.call("GET", "/__localazure/calls", token="").json())
    uncalled = [f"{one.method} {one.path}" for one in ROUTES if f"{one.method} {one.path}" not in called]
    assert not uncalled, "\n".join(uncalled)
