"""What goes into the converters of azure.functions, and what is made of that which comes out."""

from __future__ import annotations

import json
from typing import Any

import azure.functions as func
import pytest

from localazure.host import binding
from localazure.host.message import Message, Undecodable, decode, encode
from localazure.host.wire import Reply

TEXT = ("content-type", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (None, Reply(status=204)),
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


def test_every_cookie_comes_through() -> None:
    response = func.HttpResponse("x")
    response.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly")
    response.headers.add("Set-Cookie", "b=2; Max-Age=5")
    cookies = [value for name, value in binding.http_reply(response).headers if name == "set-cookie"]
    assert cookies == ["a=1; HttpOnly; Path=/", "b=2; Max-Age=5"]


@pytest.mark.parametrize(
    ("value", "bodies"),
    [
        (None, []),
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
    message = binding.queue_message(Message(id="m", receipt="r", text="", dequeue_count=3), b'{"a": 1}')
    assert (message.id, message.pop_receipt, message.dequeue_count) == ("m", "r", 3)
    assert message.get_json() == {"a": 1}
    assert message.insertion_time is None


def test_a_timer_is_what_the_worker_gets() -> None:
    timer = binding.timer_request(status={"Last": "x"}, past_due=True)
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
