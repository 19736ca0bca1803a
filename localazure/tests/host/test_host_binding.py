"""What goes into the converters of azure.functions, and what is made of that which comes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import azure.functions as func
import pytest

from localazure.host import binding
from localazure.host.message import Message, Undecodable, decode, encode
from localazure.host.wire import Reply, Request


def queued(body: bytes) -> binding.Incoming:
    return binding.queue_message(Message(id="m", receipt="r", text="", dequeue_count=1), body)


TEXT = ("content-type", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ("hi", Reply(status=200, headers=(TEXT,), body=b"hi")),
        ('{"a": 1}', Reply(status=200, headers=(TEXT,), body=b'{"a": 1}')),
        ('{"body": "x", "status": 418}', Reply(status=418, headers=(TEXT,), body=b"x")),
        (
            '{"body": {"a": 1}, "headers": {"X": "y"}}',
            Reply(status=200, headers=(("content-type", "application/json"), ("x", "y")), body=b'{"a": 1}'),
        ),
        (func.HttpResponse(b"\xff", status_code=201, mimetype="a/b"),
         Reply(status=201, headers=(("content-type", "a/b"),), body=b"\xff")),
    ],
)  # fmt: skip
def test_what_a_function_returns_becomes_a_reply(returned: Any, expected: Reply) -> None:
    """A string that is an object with a `body` is a whole response: Azure's host takes it so."""
    assert binding.http_reply(returned) == expected


@pytest.mark.parametrize(
    ("cookie", "said"),
    [
        ("a=1; Expires=Thu, 12-Jan-2017 13:55:08 GMT", "Expires='Thu, 12-Jan-2017 13:55:08 GMT'"),
        ("a=1; Expires=Dummy", "Expires='Dummy'"),
        ("a=1; Max-Age=Dummy", "Max-Age='Dummy'"),
    ],
)
def test_a_cookie_that_the_worker_refuses_is_no_response(cookie: str, said: str) -> None:
    response = func.HttpResponse("x")
    response.headers.add("Set-Cookie", cookie)
    with pytest.raises(binding.Unreadable, match=said):
        binding.http_reply(response)


@pytest.mark.parametrize("encode", [binding.http_reply, binding.queue_bodies, binding.blob_content])
def test_nothing_is_no_value_of_a_return(encode: Callable[[Any], Any]) -> None:
    """The worker encodes whatever a `$return` binding gets, and can encode no None."""
    with pytest.raises(binding.Unreadable, match="NoneType"):
        encode(None)


def test_every_cookie_comes_through() -> None:
    response = func.HttpResponse("x")
    response.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly")
    response.headers.add("Set-Cookie", "b=2; Expires=Thu, 12 Jan 2017 13:55:08 GMT; Max-Age=5")
    cookies = [value for name, value in binding.http_reply(response).headers if name == "set-cookie"]
    assert cookies == [
        "a=1; HttpOnly; Path=/",
        "b=2; expires=Thu, 12 Jan 2017 13:55:08 GMT; Max-Age=5",
    ]


@pytest.mark.parametrize(
    ("value", "bodies"),
    [
        ("a", [b"a"]),
        (b"\xff", [b"\xff"]),
        (["a", "b"], [b"a", b"b"]),
        (func.QueueMessage(body="a"), [b"a"]),
        ([func.QueueMessage(body="a"), "b"], [b"a", b"b"]),
    ],
)
def test_an_output_becomes_messages(value: Any, bodies: list[bytes]) -> None:
    assert binding.queue_bodies(value) == bodies


def test_a_message_is_what_the_worker_gets() -> None:
    sent = Message(id="m", receipt="r", text="", dequeue_count=3)
    message = binding.queue_message(sent, b'{"a": 1}').decoded()
    assert (message.id, message.pop_receipt, message.dequeue_count) == ("m", "r", 3)
    assert message.get_json() == {"a": 1}
    assert message.insertion_time is None


@pytest.mark.parametrize(
    ("incoming", "data_type", "value"),
    [
        (queued(b"text"), "", "text"),
        (queued(b"\xff"), "", b"\xff"),
        (queued(b"text"), "binary", b"text"),
        (binding.blob_input(b"text"), "", b"text"),
        (binding.blob_input(b"text"), "string", "text"),
        (binding.event_grid_event({"a": 1}), "", '{"a": 1}'),
    ],
)
def test_a_plain_parameter_gets_what_the_host_sends(
    incoming: binding.Incoming, data_type: str, value: str | bytes
) -> None:
    assert incoming.decoded(plain=True, data_type=data_type) == value


def test_a_request_is_never_plain() -> None:
    request = Request(method="GET", path="/", url="http://h/", headers={}, query={}, body=b"")
    with pytest.raises(binding.Unreadable, match="no plain text"):
        binding.http_request(request, {}).decoded(plain=True)


def test_a_timer_is_what_the_worker_gets() -> None:
    timer = binding.timer_request(status={"Last": "x"}, past_due=True).decoded()
    assert timer.past_due is True
    assert timer.schedule_status == {"Last": "x"}
    assert timer.schedule == {"AdjustForDST": True}


@pytest.mark.parametrize("body", [b"", b"text", json.dumps({"a": "\u00e9"}).encode(), bytes(range(256))])
def test_base64_there_and_back(body: bytes) -> None:
    assert decode(encode(body, base64_encoded=True), base64_encoded=True) == body


def test_line_breaks_in_base64_do_no_harm_and_other_signs_do() -> None:
    assert decode("YWJj\r\nZGVm", base64_encoded=True) == b"abcdef"
    assert decode("YWJj", base64_encoded=False) == b"YWJj"
    for text in ("{}", "YWJ", "YW-j"):
        with pytest.raises(Undecodable):
            decode(text, base64_encoded=True)
