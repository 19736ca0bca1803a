"""Apps in the shapes of the Python worker's own tests, which any host of such apps has to run."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from azure.storage.blob import BlobServiceClient

from running_azure.host import Hosted, Pipe

APP = """
@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-work", connection="DATA")
@app.blob_output(arg_name="$return", path="%PREFIX%-out/from-queue", connection="DATA")
def plain_message(msg: str) -> str:
    note("plain", kind=type(msg).__name__, text=msg)
    return msg


@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-none", connection="DATA")
@app.queue_output(arg_name="$return", queue_name="%PREFIX%-work", connection="DATA")
def nothing_to_a_queue(msg: str) -> str:
    note("none", text=msg)


@app.route(route="put", binding_arg_name="resp")
@app.blob_output(arg_name="$return", path="%PREFIX%-out/returned", connection="DATA")
def put(req: func.HttpRequest, resp: func.Out[func.HttpResponse]) -> str:
    if req.params.get("status"):
        resp.set(func.HttpResponse("set", status_code=int(req.params["status"])))
    return "FROM RETURN"


@app.route(route="get")
@app.blob_input(arg_name="raw", path="%PREFIX%-out/given", connection="DATA")
@app.blob_input(arg_name="text", path="%PREFIX%-out/given", connection="DATA", data_type="STRING")
def get(req: func.HttpRequest, raw: bytes, text: str) -> str:
    return json.dumps([type(raw).__name__, type(text).__name__, text])


@app.route(route="context")
def traced(req: func.HttpRequest, context: func.Context) -> str:
    trace = context.trace_context
    assert (trace.Traceparent, trace.Tracestate) == (trace.trace_parent, trace.trace_state)
    return json.dumps([trace.Traceparent, trace.Tracestate, trace.Attributes])


@app.route(route="nothing")
def nothing(req: func.HttpRequest):
    pass


@app.route(route="cookie")
@app.blob_output(arg_name="out", path="%PREFIX%-out/cookie", connection="DATA")
def cookie(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse:
    out.set("written although the response is none")
    response = func.HttpResponse("x")
    response.headers.add("Set-Cookie", "foo=bar; Domain=123; Expires=Dummy")
    return response


@app.route(route="both")
@app.queue_output(arg_name="out", queue_name="%PREFIX%-never", connection="DATA")
def both(req: func.HttpRequest, out: func.Out[str]) -> str:
    return "nothing was set"
"""
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def host(lasting_app: Callable[..., Hosted]) -> Hosted:
    made = lasting_app(APP)
    made.start()
    return made


def blob(host: Hosted, name: str) -> bytes | None:
    service = BlobServiceClient.from_connection_string(host.storage)
    found = service.get_blob_client(f"{host.prefix}-out", name)
    return bytes(found.download_blob().readall()) if found.exists() else None


def test_a_message_as_plain_text(host: Hosted) -> None:
    Pipe(host.storage, f"{host.prefix}-work").send(b"hello")
    [told] = host.await_notes("plain")
    assert (told["kind"], told["text"]) == ("str", "hello")


def test_a_return_of_nothing_to_a_queue_fails_the_call(host: Hosted) -> None:
    """Five times, and then it is poison: the worker cannot encode None for a `$return` binding."""
    Pipe(host.storage, f"{host.prefix}-none").send(b"x")
    host.await_notes("none", 5)


def test_a_response_by_parameter(host: Hosted) -> None:
    """What is returned goes to the blob; a response that is never set is Azure's default, 204."""
    answer = host.ask("GET", "/api/put?status=201")
    assert (answer.status, answer.body, blob(host, "returned")) == (201, b"set", b"FROM RETURN")
    assert host.ask("GET", "/api/put").status == 204


def test_blobs_as_bytes_and_as_text(host: Hosted) -> None:
    service = BlobServiceClient.from_connection_string(host.storage)
    assert host.ask("GET", "/api/put").status == 204  # makes the container
    service.get_blob_client(f"{host.prefix}-out", "given").upload_blob("gr\u00fc\u00dfe", overwrite=True)
    assert json.loads(host.ask("GET", "/api/get").body) == ["bytes", "str", "gr\u00fc\u00dfe"]


def test_a_call_is_a_span_of_its_callers_trace(host: Hosted) -> None:
    told = host.ask("GET", "/api/context", headers={"traceparent": PARENT, "tracestate": "a=1"}).body
    parent, state, attributes = json.loads(told)
    version, trace, span, flags = parent.split("-")
    assert [version, trace, flags] == [*PARENT.split("-")[:2], "01"]
    assert span != PARENT.split("-")[2]
    assert (state, attributes) == ("a=1", {})


@pytest.mark.parametrize("headers", [{}, {"traceparent": "nonsense", "tracestate": "a=1"}])
def test_without_a_caller_a_call_begins_a_trace(host: Hosted, headers: dict[str, str]) -> None:
    first, second = (json.loads(host.ask("GET", "/api/context", headers=headers).body) for _ in "12")
    assert first[0].split("-")[1] != second[0].split("-")[1]
    assert len(first[0]) == len(PARENT)
    assert first[1] == ""


def test_no_response_at_all_is_an_empty_500(host: Hosted) -> None:
    answer = host.ask("GET", "/api/nothing")
    assert (answer.status, answer.body) == (500, b"")


def test_a_cookie_the_worker_refuses_is_a_500_and_writes_nothing(host: Hosted) -> None:
    assert host.ask("GET", "/api/cookie").status == 500
    assert "Expires='Dummy'" in host.log.read_text()
    assert blob(host, "cookie") is None


def test_what_is_never_set_is_not_written(host: Hosted) -> None:
    assert host.ask("GET", "/api/both").status == 200
