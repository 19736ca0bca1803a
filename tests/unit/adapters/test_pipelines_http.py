"""The pipelines' endpoints over real HTTP that misbehaves: the token goes to one address, and answers have bounds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from stub_server import Answer, Request, stub_server

from shared import telemetry
from shared.adapters import pipelines
from shared.adapters.pipelines import TRACE_TAG, BatchPipeline, PublishedPipeline
from shared.domain.trace import Trace
from shared.errors import Refused, Transient
from shared.ports import RunRequest
from shared.telemetry.spans import Active

REQUEST = RunRequest(name="bank-v1-a1", dataset="bank", version=1, parts_url="p", manifest_sha256="a")


@dataclass
class Service:
    """Answers the same to whatever is asked."""

    status: int = 200
    body: bytes = b"[]"
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    def answer(self, request: Request) -> Answer:
        self.asked.append(request.path)
        self.bodies.append(request.body)
        return Answer(self.status, self.body, self.headers)


@pytest.fixture
def service() -> Iterator[Service]:
    served = Service()
    with stub_server(served.answer) as served.url:
        yield served


class Credential:
    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken("a token", 2**31)


def _submit(service: Service) -> str:
    url = f"{service.url}/PipelineRuns/PipelineSubmit/p"
    return PublishedPipeline(Credential(), url=url, workspace_id="w").submit(REQUEST)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_token_goes_nowhere_else(service: Service, status: int) -> None:
    service.status, service.headers = status, {"Location": f"{service.url}/elsewhere"}
    with pytest.raises(Refused, match=str(status)):
        _submit(service)
    assert service.asked == ["/PipelineRuns/Pipeline/p"]


def test_an_answer_beyond_all_bounds_is_transient(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "LARGEST_ANSWER", 10)
    service.body = b"[" + b" " * 100 + b"]"
    with pytest.raises(Transient, match="gave no answer"):
        _submit(service)


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"\xff", b"null"])
def test_whatever_is_answered_is_an_error_of_ours(service: Service, status: int, body: bytes) -> None:
    service.status, service.body = status, body
    with pytest.raises((Refused, Transient)):
        _submit(service)


def test_a_run_is_tagged_with_the_trace_it_belongs_to(service: Service) -> None:
    """Outside of any trace it has no such tag."""
    service.body, place = b'{"name":"bank-v1-a1","Id":"bank-v1-a1"}', Trace.begun()
    made = BatchPipeline(
        Credential(), workspace_id="w", address=lambda: service.url, find_run=lambda *_: None
    )
    with telemetry.span(Active("start_run", place, "")):
        made.submit(REQUEST)
    made.submit(REQUEST)
    within, without = (json.loads(body)["properties"]["tags"] for body in service.bodies)
    assert within.pop(TRACE_TAG) == place.traceparent
    assert within == without
