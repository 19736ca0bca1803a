"""HTTP triggers: who may call what, which function answers, and what passes through."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from running_azure.host import Hosted, Pipe
from running_azure.waiting import until


@pytest.mark.parametrize(
    ("path", "none", "function", "master"),
    [
        ("/api/open", 200, 200, 200),
        ("/api/keyed", 401, 200, 200),
        ("/api/master", 401, 401, 204),
        ("/api/off", 404, 404, 200),
        ("/admin/host/status", 401, 401, 200),
        ("/admin/host/ping", 200, 200, 200),
        ("/api/fails", 500, 500, 500),
        ("/elsewhere", 404, 404, 404),
        ("/", 204, 204, 204),
    ],
)
def test_each_level_opens_what_it_should(
    shared_host: Hosted, path: str, none: int, function: int, master: int
) -> None:
    keys = {"": none, "wrong": none, shared_host.function_key: function, shared_host.master_key: master}
    for key, expected in keys.items():
        assert shared_host.ask("GET", path, headers={"x-functions-key": key}).status == expected
        assert shared_host.ask("GET", f"{path}?code={key}").status == expected


def test_a_wrong_header_beats_a_right_query(shared_host: Hosted) -> None:
    path = f"/api/keyed?code={shared_host.function_key}"
    assert shared_host.ask("GET", path).status == 200
    assert shared_host.ask("GET", path, headers={"x-functions-key": "wrong"}).status == 401


def test_keys_are_private_and_outlive_the_host(hosted: Hosted) -> None:
    hosted.start()
    file = hosted.folder / "host" / "keys.json"
    assert file.stat().st_mode & 0o077 == 0
    assert (hosted.folder / "host" / "function-key").stat().st_mode & 0o077 == 0
    before = file.read_text()
    hosted.kill()
    hosted.start()
    assert file.read_text() == before


def test_without_auth_everything_opens(hosted: Hosted) -> None:
    hosted.start("--no-auth")
    paths = ("/api/keyed", "/api/master", "/admin/host/status")
    assert [hosted.ask("GET", path).status for path in paths] == [200, 204, 200]


def test_another_method_is_not_found(shared_host: Hosted) -> None:
    """The catch-all takes what `a_open` does not, and FastAPI says what it says."""
    reply = shared_host.ask("POST", "/api/open/bob")
    assert (reply.status, json.loads(reply.body)) == (404, {"detail": "Not Found"})


def test_a_function_sees_the_request_as_azure_shows_it(shared_host: Hosted) -> None:
    headers = {"X-Shout": "Hello", "X-Empty": ""}
    reply = shared_host.ask("GET", "/API/open/Bob?a=1&empty=&a=2&b=%C3%A9", headers=headers)
    told = json.loads(reply.body)
    assert reply.header("content-type") == "application/json"
    assert told["name"] == "Bob"
    assert told["params"] == {"a": "1,2", "b": "é"}
    assert told["headers"]["x-shout"] == "Hello"
    assert "x-empty" not in told["headers"]
    assert told["url"] == f"http://127.0.0.1:{shared_host.port}/API/open/Bob?a=1&empty=&a=2&b=%C3%A9"
    assert told["function"] == "a_open"


def test_an_asgi_app_gets_and_gives_everything(shared_host: Hosted) -> None:
    body = bytes(range(256)) * 300
    headers = {"content-type": "application/x-thing"}
    reply = shared_host.ask("PUT", "/api/echo/a%20b?q=1&r=", body=body, headers=headers)
    assert (reply.status, reply.body) == (201, body)
    assert reply.header("content-type") == "application/x-thing"
    assert reply.header("x-name") == "a b"
    assert reply.header("x-query") == "q=1&r="
    cookies = [value.split(";")[0] for name, value in reply.headers if name.lower() == "set-cookie"]
    assert cookies == ["first=1", "second=2"]


def test_a_failure_is_logged_with_the_apps_own_line_and_without_keys(shared_host: Hosted) -> None:
    reply = shared_host.ask("GET", f"/api/fails?code={shared_host.function_key}&secret=no")
    assert (reply.status, reply.body) == (500, b"")
    until(lambda: "e_fails failed" in shared_host.log.read_text(), "the log line")
    said = shared_host.log.read_text()
    assert 'raise RuntimeError(f"called with {req.url}")' in said
    assert "code=***&secret=no" in said
    assert shared_host.function_key not in said
    assert shared_host.master_key not in said


def test_functions_are_listed_and_called_by_hand(shared_host: Hosted) -> None:
    master = {"x-functions-key": shared_host.master_key}
    listed = {
        one["name"]: one
        for one in json.loads(shared_host.ask("GET", "/admin/functions", headers=master).body)
    }
    assert listed["d_off"]["isDisabled"] is True
    assert listed["on_work"]["config"]["bindings"][0]["type"] == "queueTrigger"
    ask = shared_host.ask
    assert ask("POST", "/admin/functions/on_work", body=b'{"input": "by hand"}', headers=master).status == 202
    assert ask("POST", "/admin/functions/ON_TICK", body=b'{"input": ""}', headers=master).status == 202
    assert ask("POST", "/admin/functions/on_work", body=b"by hand", headers=master).status == 400
    assert ask("POST", "/admin/functions/nobody", body=b'{"input": ""}', headers=master).status == 404
    assert shared_host.await_notes("work")[0]["text"] == "by hand"
    assert shared_host.await_notes("tick")[0]["past_due"] is False


def test_drained_it_fetches_nothing_and_still_answers(hosted: Hosted) -> None:
    hosted.start()
    master = {"x-functions-key": hosted.master_key}

    def state() -> str:
        told: str = json.loads(hosted.ask("GET", "/admin/host/drain/status", headers=master).body)["state"]
        return told

    assert state() == "Disabled"
    assert hosted.ask("POST", "/admin/host/drain", headers=master).status == 202
    assert state() == "Completed"
    assert hosted.ask("POST", "/api/send", body=b"later").status == 202
    assert hosted.ask("POST", "/admin/host/resume", headers=master).status == 200
    assert hosted.await_notes("work")[0]["text"] == "later"
    assert state() == "Disabled"


@pytest.fixture
def resumed(hosted: Hosted, queue: Callable[[str], Pipe]) -> Iterator[Callable[[], Callable[[], int]]]:
    """A drained host that still works on a message. Call it to ask to resume, and what it returns for the answer."""
    hosted.start()
    master = {"x-functions-key": hosted.master_key}
    queue("work").send(b"slow")
    hosted.await_notes("work")
    assert hosted.ask("POST", "/admin/host/drain", headers=master).status == 202
    with ExitStack() as connections:

        def ask() -> Callable[[], int]:
            made = http.client.HTTPConnection("127.0.0.1", hosted.port, timeout=40)
            connections.callback(made.close)
            made.request("POST", "/admin/host/resume", headers=master)
            assert (
                hosted.ask("GET", "/admin/host/status", headers=master).status == 200
            )  # it came before this
            return lambda: made.getresponse().status

        yield ask


def test_resumed_twice_at_once_it_listens_once_and_ends_when_asked(
    hosted: Hosted, resumed: Callable[[], Callable[[], int]]
) -> None:
    first, second = resumed(), resumed()
    hosted.open_gate()
    assert (first(), second()) == (200, 200)
    assert hosted.log.read_text().count(" Functions: ") == 2  # at the start, and now
    hosted.terminate()
    assert hosted.ended() == 0


def test_asked_to_stop_while_it_resumes_it_listens_no_more(
    hosted: Hosted, resumed: Callable[[], Callable[[], int]], queue: Callable[[str], Pipe]
) -> None:
    answer = resumed()
    hosted.terminate()
    until(lambda: "Stopping: nothing more is fetched" in hosted.log.read_text(), "the signal")
    queue("work").send(b"too late")
    hosted.open_gate()
    assert answer() == 503
    assert hosted.ended() == 0
    assert [note["text"] for note in hosted.notes("work")] == ["slow"]


def test_asked_to_stop_it_still_answers_what_it_began(hosted: Hosted) -> None:
    hosted.start()
    answers: list[tuple[int, bytes]] = []

    def ask() -> None:
        reply = hosted.ask("GET", "/api/slow")
        answers.append((reply.status, reply.body))

    asking = threading.Thread(target=ask)
    asking.start()
    hosted.await_notes("slow request")
    hosted.terminate()
    until(lambda: "Stopping" in hosted.log.read_text(), "the log line")
    hosted.open_gate()
    asking.join(15)
    assert answers == [(200, b"finished")]
    assert hosted.ended() == 0


def test_what_takes_too_long_fails_and_the_host_goes_on(hosted: Hosted) -> None:
    hosted.start(AzureFunctionsJobHost__functionTimeout="00:00:00.2")
    assert hosted.ask("GET", "/api/slow").status == 500
    assert "f_slow failed" in hosted.log.read_text()
    assert "not done within functionTimeout (0.2 s)" in hosted.log.read_text()
    assert hosted.ask("GET", "/api/open").status == 200


def test_a_reply_does_not_wait_for_an_acknowledgement(shared_host: Hosted) -> None:
    """Twenty requests on one connection take 0.8 s when Nagle's algorithm meets a delayed ACK."""
    connection = http.client.HTTPConnection("127.0.0.1", shared_host.port, timeout=20)
    took = []
    for _ in range(20):
        started = time.monotonic()
        connection.request("GET", "/api/open")
        connection.getresponse().read()
        took.append(time.monotonic() - started)
    connection.close()
    assert min(took[1:]) < 0.03


def test_a_body_without_a_length_arrives_empty(shared_host: Hosted) -> None:
    """As in Azure, where only a streaming app sees it."""
    headers = {"transfer-encoding": "chunked", "content-type": "text/x"}
    reply = shared_host.ask("PUT", "/api/echo/a", body=b"3\r\nabc\r\n0\r\n\r\n", headers=headers)
    assert (reply.status, reply.body) == (201, b"")


def test_a_body_too_large_is_refused_unread(shared_host: Hosted) -> None:
    headers = {"content-length": str(104_857_601)}
    assert shared_host.ask("PUT", "/api/echo/a", headers=headers).status == 413


def test_a_whole_asgi_app_is_served(azurite: str, tmp_path: Path, free_port: Callable[[], int]) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}')
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\n"
        "from fastapi import FastAPI\n"
        "api = FastAPI()\n"
        "@api.get('/hello/{name}')\n"
        "def hello(name: str): return {'hello': name}\n"
        "@api.get('/')\n"
        "def root(): return {'at': 'the root'}\n"
        "app = func.AsgiFunctionApp(api, func.AuthLevel.ANONYMOUS)\n"
    )
    host = Hosted(folder=tmp_path, port=free_port(), storage=azurite, prefix="-", app=tmp_path)
    host.start()
    try:
        reply = host.ask("GET", "/hello/bob")
        assert (reply.status, json.loads(reply.body)) == (200, {"hello": "bob"})
        assert host.ask("GET", "/nothing").status == 404
        assert host.ask("GET", "/").body == b'{"at":"the root"}'
    finally:
        host.stop()


def test_a_port_that_is_taken_is_named(shared_host: Hosted, hosted: Hosted) -> None:
    hosted.port = shared_host.port
    with pytest.raises(AssertionError, match=f"host: Port {shared_host.port} of 127.0.0.1 cannot be taken"):
        hosted.start()
    assert hosted.ended() == 1
