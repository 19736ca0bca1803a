"""The door of the HTTP API: what the ASGI adapter cannot read is refused with a problem, and not a failure of ours."""

from __future__ import annotations

import asyncio
import json

import azure.functions as func
import pytest
from fastapi import FastAPI
from flow.world import World

from functions import api
from tests.http.asking import app_over

HOST = "http://campanha.test"


@pytest.fixture(autouse=True)
def _app(monkeypatch: pytest.MonkeyPatch) -> None:
    made: FastAPI = app_over(World())
    monkeypatch.setattr(api, "_app", lambda: func.AsgiMiddleware(made))


def _asked(path: str) -> func.HttpResponse:
    request = func.HttpRequest("GET", HOST + path, headers={"host": "campanha.test"}, body=b"")
    return asyncio.run(api._answer(request, None))  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["/api/uploads/caf%E9.csv", "/api/%ff", "/dashboard/%C3", "/api/%ed%a0%80"])
def test_a_path_that_is_no_utf_8_is_a_problem_of_the_caller(path: str) -> None:
    answer = _asked(path)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert "not UTF-8" in json.loads(answer.get_body())["detail"]


@pytest.mark.parametrize("path", ["/api/uploads/caf%C3%A9.csv", "/api/uploads/a?name=%ff", "/api/%25ff"])
def test_what_is_utf_8_comes_to_the_gate(path: str) -> None:
    assert _asked(path).status_code == 401
