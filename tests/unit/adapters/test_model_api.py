"""One question passed to the model's endpoint, against real HTTP: answers as they are, failures as errors of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from stub_server import Answer, Request, stub_server

from shared.adapters import model_api
from shared.adapters.model_api import RestModelApi
from shared.errors import Transient


@dataclass
class Endpoint:
    """A model's endpoint that takes one key, and answers what the test wants."""

    status: int = 200
    body: bytes = b'{"probability": [0.5]}'
    key: str = "new"
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Method, path and body of each request."""
    looked_up: int = 0
    url: str = ""

    def address(self, endpoint: str) -> tuple[str, str]:
        """Its URL and key: at the first look an old one."""
        self.looked_up += 1
        return f"{self.url}/score", "old" if self.looked_up == 1 else "new"

    def answer(self, request: Request) -> Answer:
        self.asked.append((request.method, request.path, request.body))
        known = request.headers["Authorization"] == f"Bearer {self.key}"
        return Answer(self.status if known else 401, self.body)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    served = Endpoint()
    with stub_server(served.answer) as served.url:
        yield served


@pytest.mark.parametrize("status", [200, 422, 424, 500])
def test_an_answer_is_passed_on_as_it_is(endpoint: Endpoint, status: int) -> None:
    endpoint.status, endpoint.key = status, "old"
    assert RestModelApi(endpoint.address).score("bank", b'{"data": []}') == (status, endpoint.body)
    assert endpoint.asked == [("POST", "/score", b'{"data": []}')]


def test_a_rotated_key_is_looked_up_once_more(endpoint: Endpoint) -> None:
    api = RestModelApi(endpoint.address)
    assert api.score("bank", b"{}")[0] == 200
    assert api.score("bank", b"{}")[0] == 200
    assert (endpoint.looked_up, len(endpoint.asked)) == (2, 3)


def test_a_late_refusal_does_not_forget_the_key_another_request_fetched(endpoint: Endpoint) -> None:
    api = RestModelApi(endpoint.address)
    refused = endpoint.answer

    def renewed_meanwhile(request: Request) -> Answer:
        if request.headers["Authorization"] == "Bearer old":
            api._addresses._known["bank"] = (f"{endpoint.url}/score", "new")
        return refused(request)

    with stub_server(renewed_meanwhile) as endpoint.url:
        assert api.score("bank", b"{}")[0] == 200
    assert endpoint.looked_up == 1


def test_a_key_may_be_forgotten_while_it_is_looked_for(endpoint: Endpoint) -> None:
    class Forgetful(dict[str, tuple[str, str]]):
        def __contains__(self, key: object) -> bool:
            return super().__contains__(key) and self.pop(str(key)) is not None

    api = RestModelApi(endpoint.address)
    api._addresses._known = Forgetful(bank=(f"{endpoint.url}/score", "new"))
    assert api.score("bank", b"{}")[0] == 200


def test_a_key_that_is_never_accepted_is_said(endpoint: Endpoint) -> None:
    endpoint.key = "another"
    assert RestModelApi(endpoint.address).score("bank", b"{}")[0] == 401
    assert len(endpoint.asked) == 2


def test_the_endpoint_describes_itself_beside_its_scoring_address(endpoint: Endpoint) -> None:
    endpoint.body = b'{"swagger": "2.0"}'
    assert RestModelApi(endpoint.address).swagger("bank") == {"swagger": "2.0"}
    assert endpoint.asked[-1] == ("GET", "/swagger.json", b"")


@pytest.mark.parametrize(
    ("status", "body"), [(404, b"{}"), (200, b"<html>"), (200, b"[1]"), (200, b"\xff\xfe")]
)
def test_what_is_no_description_is_transient(endpoint: Endpoint, status: int, body: bytes) -> None:
    endpoint.status, endpoint.body = status, body
    with pytest.raises(Transient, match="endpoint bank does not describe itself"):
        RestModelApi(endpoint.address).swagger("bank")


def test_an_endpoint_that_is_not_there_is_transient(endpoint: Endpoint) -> None:
    endpoint.url = "http://127.0.0.1:1"
    with pytest.raises(Transient, match="endpoint bank gave no answer"):
        RestModelApi(endpoint.address).score("bank", b"{}")


def test_an_answer_beyond_all_bounds_is_not_passed_on(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_api, "LARGEST_ANSWER", 10)
    with pytest.raises(Transient, match="more than 10 bytes"):
        RestModelApi(endpoint.address).score("bank", b"{}")
