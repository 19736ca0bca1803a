"""Routing and limits of HTTP triggers as Azure's host has them, where they surprise."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from running_azure.host import Answer, Hosted
from running_azure.waiting import until

APP = """
@app.route(route="items/{id}", methods=["GET"])
def items_by_id(req: func.HttpRequest) -> str:
    return "by id " + req.route_params["id"]


@app.route(route="items/search", methods=["GET"])
def items_search(req: func.HttpRequest) -> str:
    return "search"


@app.route(route="orders/{id:int}", methods=["GET"])
def orders_by_id(req: func.HttpRequest) -> str:
    return "by id"


@app.route(route="orders/search", methods=["GET"])
def orders_search(req: func.HttpRequest) -> str:
    return "search"


@app.route(route="any")
def any_method(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.method, headers={"x-seen": req.headers.get("x-many", "")})


@app.route(route="some", methods=["POST", "HEAD"])
def some_methods(req: func.HttpRequest) -> func.HttpResponse:
    note("some", length=len(req.get_body()))
    return func.HttpResponse(json.dumps({"length": len(req.get_body())}), mimetype="application/json")


@app.route(route="wait", methods=["GET"])
async def waits(req: func.HttpRequest) -> str:
    import asyncio
    note("waiting")
    while not Path(os.environ["GATE"]).exists():
        await asyncio.sleep(0.01)
    return "done"


@app.route(route="work", methods=["POST"])
async def works(req: func.HttpRequest) -> str:
    import asyncio
    note("working")
    while not Path(os.environ["GATE"]).exists():
        await asyncio.sleep(0.01)
    return "worked"


@app.route(route="odd")
def returns_an_object(req: func.HttpRequest):
    return '{"status": 418, "body": {"a": 1}, "headers": {"x-teapot": "yes"}}'


@app.route(route="says", methods=["POST"])
def says(req: func.HttpRequest) -> str:
    return req.get_body().decode()


@app.route(route="wrong")
def returns_no_response(req: func.HttpRequest):
    return 3
"""


@pytest.fixture(scope="module")
def calm(lasting_app: Callable[..., Hosted]) -> Hosted:
    """One host for the tests that leave nothing behind."""
    made = lasting_app(APP)
    made.start()
    return made


@pytest.fixture
def host(hosted_app: Callable[..., Hosted]) -> Hosted:
    made = hosted_app(APP)
    made.start()
    return made


def test_the_first_by_name_answers_not_the_most_specific(calm: Hosted) -> None:
    assert calm.ask("GET", "/api/items/search").body == b"by id search"


def test_a_constraint_lets_the_other_one_answer(calm: Hosted) -> None:
    assert calm.ask("GET", "/api/orders/search").body == b"search"
    assert calm.ask("GET", "/api/orders/7").body == b"by id"


def test_a_function_without_methods_takes_all(calm: Hosted) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"):
        answer = calm.ask(method, "/api/any")
        assert (answer.status, answer.body) == (200, method.encode())
    assert calm.ask("HEAD", "/api/any").status == 200


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST"])
def test_a_method_that_is_not_named_is_not_found(calm: Hosted, method: str) -> None:
    """404, not 405; and HEAD does not come with GET."""
    answer = calm.ask(method, "/api/items/1")
    assert (answer.status, answer.body, answer.header("allow")) == (404, b"", None)


def test_head_has_the_length_and_no_body(calm: Hosted) -> None:
    answer = calm.ask("HEAD", "/api/some")
    assert (answer.status, answer.body, answer.header("content-length")) == (200, b"", "13")


def test_repeated_headers_are_joined(calm: Hosted) -> None:
    with socket.create_connection(("127.0.0.1", calm.port), timeout=10) as caller:
        caller.sendall(
            b"GET /api/any HTTP/1.1\r\nhost: x\r\nx-many: a\r\nX-Many: b\r\nconnection: close\r\n\r\n"
        )
        said = b""
        while part := caller.recv(4096):
            said += part
    assert b"x-seen: a,b" in said


def test_a_body_over_the_limit_is_refused(hosted_app: Callable[..., Hosted]) -> None:
    host = hosted_app(APP)
    host.start(FUNCTIONS_REQUEST_BODY_SIZE_LIMIT="10")
    assert json.loads(host.ask("POST", "/api/some", body=b"x" * 10).body) == {"length": 10}
    assert host.ask("POST", "/api/some", body=b"x" * 11).status == 413


def test_who_sends_too_much_can_read_that_it_is_too_much(hosted_app: Callable[..., Hosted]) -> None:
    """All of it is sent before the answer is read, as most clients do."""
    host = hosted_app(APP)
    host.start(FUNCTIONS_REQUEST_BODY_SIZE_LIMIT="10")
    for _ in range(3):
        reply = host.ask("POST", "/api/some", body=b"x" * 30_000_000)
        assert (reply.status, b"larger than the 10 bytes" in reply.body) == (413, True)


def test_two_lengths_of_one_body_are_refused(calm: Hosted) -> None:
    """What one server takes for the body another takes for the next request (RFC 9112, 6.1)."""
    with socket.create_connection(("127.0.0.1", calm.port), timeout=10) as caller:
        head = b"POST /api/some HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n"
        caller.sendall(head + b"connection: close\r\n\r\n0\r\n\r\n")
        assert caller.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_a_string_with_a_body_is_a_whole_response(calm: Hosted) -> None:
    answer = calm.ask("GET", "/api/odd")
    assert (answer.status, answer.body, answer.header("x-teapot")) == (418, b'{"a": 1}', "yes")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('{"body": "b", "status": "done"}', 200),
        ('{"body": "b", "status": null}', 200),
        ('{"body": "b", "status": true}', 200),
        ('{"body": "b", "status": 404.0}', 200),
        ('{"body": "b", "status": " 404 "}', 404),
        ('{"body": "b", "statusCode": 201, "status": 404}', 201),
        ('{"body": "b", "status": 404, "statusCode": "none"}', 200),
        ('{"BODY": "b", "StatusCode": 404}', 404),
        ('{"body": "b", "headers": ["x"], "status": 404}', 404),
        ('{"body": "b", "headers": "x"}', 200),
    ],
)
def test_a_status_that_is_no_whole_number_counts_for_nothing(calm: Hosted, text: str, status: int) -> None:
    answer = calm.ask("POST", "/api/says", body=text.encode())
    assert (answer.status, answer.body) == (status, b"b")


def test_a_status_that_no_answer_can_have_is_an_empty_500(calm: Hosted) -> None:
    answer = calm.ask("POST", "/api/says", body=b'{"body": "b", "status": 42}')
    assert (answer.status, answer.body) == (500, b"")
    assert "its status is 42: a number from 200 to 999" in calm.log.read_text()


def test_half_a_body_calls_nothing(calm: Hosted) -> None:
    with socket.create_connection(("127.0.0.1", calm.port), timeout=10) as caller:
        caller.sendall(b"POST /api/some HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n0123456789")
    until(lambda: "A caller hung up in the midst of its request" in calm.log.read_text(), "its end")
    assert not [note for note in calm.notes("some") if note["length"] == 10]


def test_what_is_no_response_is_an_empty_500(calm: Hosted) -> None:
    answer = calm.ask("GET", "/api/wrong")
    assert (answer.status, answer.body) == (500, b"")
    assert "returns_no_response returned a int, which is no response" in calm.log.read_text()


def limited(hosted_app: Callable[..., Hosted], **http: Any) -> Hosted:
    host = hosted_app(APP, json.dumps({"version": "2.0", "extensions": {"http": http}}))
    host.start()
    return host


class Waiting:
    """So many requests that wait for the gate, each in a thread of its own."""

    def __init__(self, host: Hosted, count: int, method: str = "GET", path: str = "/api/wait") -> None:
        self.answers: list[Answer] = []
        self._host, self._method, self._path = host, method, path
        self._threads = [threading.Thread(target=self._ask) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        self.answers.append(self._host.ask(self._method, self._path))

    def ended(self) -> list[int]:
        self._host.open_gate()
        for thread in self._threads:
            thread.join(15)
        return sorted(answer.status for answer in self.answers)


def test_more_requests_than_may_be_outstanding_get_429(hosted_app: Callable[..., Hosted]) -> None:
    host = limited(hosted_app, maxOutstandingRequests=2)
    waiting = Waiting(host, 2)
    host.await_notes("waiting", 2)
    assert host.ask("GET", "/api/any").status == 429
    assert host.ask("GET", "/admin/host/ping").status == 200
    assert waiting.ended() == [200, 200]
    assert host.ask("GET", "/api/any").status == 200


def test_more_than_may_run_at_once_wait_for_their_turn(hosted_app: Callable[..., Hosted]) -> None:
    host = limited(hosted_app, maxConcurrentRequests=1)
    waiting = Waiting(host, 3)
    host.await_notes("waiting", 1)
    assert host.ask("GET", "/admin/host/ping").status == 200
    assert len(host.notes("waiting")) == 1
    assert waiting.ended() == [200, 200, 200]
    assert len(host.notes("waiting")) == 3


def test_headers_of_host_json_go_out_with_every_answer(hosted_app: Callable[..., Hosted]) -> None:
    host = limited(hosted_app, customHeaders={"X-Content-Type-Options": "nosniff"}, routePrefix="v1")
    answer = host.ask("GET", "/v1/any")
    assert (answer.status, answer.header("x-content-type-options")) == (200, "nosniff")


def test_what_azure_has_and_this_host_has_not_is_said_by_name(calm: Hosted) -> None:
    master = {"x-functions-key": calm.master_key}
    for path in ("/admin/host/restart", "/admin/host/state", "/admin/host/processes"):
        answer = calm.ask("POST", path, headers=master)
        assert (answer.status, path in answer.body.decode()) == (501, True)
    assert json.loads(calm.ask("POST", "/admin/host/synctriggers", headers=master).body) == {
        "status": "success"
    }
    assert calm.ask("GET", "/admin/nothing", headers=master).status == 404


def test_the_status_is_azures(calm: Hosted) -> None:
    told = json.loads(
        calm.ask("GET", "/admin/host/status", headers={"x-functions-key": calm.master_key}).body
    )
    assert (told["id"], told["state"], told["errors"]) == (calm.prefix, "Running", [])
    assert told["version"].startswith("4.")
    assert told["processUptime"] >= 0


def test_a_drain_says_what_is_outstanding(host: Hosted) -> None:
    master = {"x-functions-key": host.master_key}

    def status() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(host.ask("GET", "/admin/host/drain/status", headers=master).body)
        return found

    waiting = Waiting(host, 1)
    host.await_notes("waiting")
    assert host.ask("POST", "/admin/host/drain", headers=master).status == 202
    assert status() == {"state": "InProgress", "outstandingInvocations": 1, "outstandingRetries": 0}
    assert waiting.ended() == [200]
    until(lambda: status()["state"] == "Completed", "the end of the drain")


def test_asked_to_stop_it_answers_long_polls_and_finishes_the_rest(host: Hosted) -> None:
    polling, working = Waiting(host, 1), Waiting(host, 1, "POST", "/api/work")
    host.await_notes("waiting")
    host.await_notes("working")
    host.terminate()
    until(lambda: bool(polling.answers), "the end of the long poll")
    assert [answer.status for answer in polling.answers] == [503]
    assert working.answers == []
    assert working.ended() == [200]
    assert host.ended() == 0


SLOW = 300
"""Connections that are kept open by a byte now and then."""


def test_who_sends_byte_by_byte_keeps_nobody_else_waiting(calm: Hosted) -> None:
    """Slowloris: half of them never end their headers, half announce a body and send a byte of it."""
    body = b"POST /api/some HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n"
    with ExitStack() as open_ones:
        slow = [
            open_ones.enter_context(socket.create_connection(("127.0.0.1", calm.port), timeout=20))
            for _ in range(SLOW)
        ]
        for drip in range(3):
            for number, connection in enumerate(slow):
                first = b"GET /api/any HTTP/1.1\r\nx-a: " if number % 2 else body
                connection.sendall(b"y" if drip else first)
            assert calm.ask("GET", "/api/items/7").status == 200
            assert calm.ask("POST", "/api/some", body=b"x" * 10).status == 200
        slow[0].sendall(b"y" * 998)  # and who comes to an end is served as well
        assert slow[0].recv(4096).startswith(b"HTTP/1.1 200 ")


def test_a_body_that_is_announced_too_large_is_refused_before_a_byte_of_it_comes(
    hosted_app: Callable[..., Hosted],
) -> None:
    host = hosted_app(APP)
    host.start(FUNCTIONS_REQUEST_BODY_SIZE_LIMIT="10")
    with socket.create_connection(("127.0.0.1", host.port), timeout=20) as caller:
        caller.sendall(b"POST /api/some HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n")
        assert caller.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_headers_that_do_not_end_are_refused_before_they_fill_the_memory(calm: Hosted) -> None:
    with socket.create_connection(("127.0.0.1", calm.port), timeout=20) as caller:
        caller.sendall(b"GET /api/any HTTP/1.1\r\nx-a: " + b"y" * 200_000)
        assert caller.recv(4096).startswith(b"HTTP/1.1 400 ")
