"""S18: whatever fails behind the API, its answer says nothing of the inside: no stack, no path, no words of a service."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from flow.world import World, bank_rows

from functions.http.auth.scopes import Scope
from shared.errors import Conflict, NotLetIn, Refused, Transient
from tests.http.asking import Client, app_over, client_of
from tests.http.test_who_may import routes_of

INSIDE = "INSIDE /home/site/wwwroot/shared/x.py https://ours.blob.core.windows.net/?sig=abc AccountKey=abc== ODBC 10.0.0.4"
CAUSES = [
    Transient(INSIDE),
    Refused(INSIDE),
    NotLetIn(INSIDE),
    Conflict(INSIDE),
    RuntimeError(INSIDE),
    KeyError(INSIDE),
]
WORDS = re.compile(
    r"INSIDE|Traceback|File \"|\.py\b|/site/|\bshared\b|sig=|AccountKey|10\.0\.0\.4|RuntimeError|KeyError|azure\.core"
)


class Down:
    """A service that fails with that, whatever it is asked."""

    def __init__(self, cause: Exception) -> None:
        self._cause = cause

    def __getattr__(self, name: str) -> Any:
        def fails(*_: Any, **__: Any) -> Any:
            raise self._cause

        return fails


def _answers(operator: Client) -> dict[str, tuple[int, str]]:
    """Of every route, with a body that is one."""
    found = {}
    for method, address in routes_of(operator.app):
        if "{" in address or method == "HEAD" or address.startswith("/dashboard"):
            continue
        file = method == "POST" and address in ("/api/uploads/x", "/api/batches/x", "/api/outcomes/x")
        body: dict[str, Any] = (
            {"content": bank_rows(2).encode(), "headers": {"content-type": "text/csv"}} if file else {}
        )
        if method == "POST" and not file:
            body = {"body": {"reason": "why", "data": [{"age": 1}], "key": "k" * 30}}
        answer = operator.request(method, address, **body)
        found[f"{method} {address}"] = (answer.status_code, answer.content.decode(errors="replace"))
    return found


@pytest.fixture
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


@pytest.mark.usefixtures("_quiet")
@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: type(cause).__name__)
@pytest.mark.parametrize("part", ["table", "files", "bus", "workspace", "endpoint"])
def test_a_service_that_fails_is_not_quoted(part: str, cause: Exception) -> None:
    world = World()
    world.tell(world.drop("x", bank_rows(30)))
    world.finish_run("bank-v1-a1")
    down: Any = Down(cause)
    setattr(world, part, down)
    if part == "table":
        world.present = down
    app = app_over(world, rate_limit_per_minute=1_000_000)
    app.state.model_api = lambda: down
    answers = _answers(client_of(app, scope=Scope.ADMIN))
    assert len(answers) > 50
    leaking = {
        route: body[:300] for route, (status, body) in answers.items() if status >= 400 and WORDS.search(body)
    }
    assert leaking == {}
    if part == "table":
        assert sum(status in (500, 503) for status, _ in answers.values()) > 30
