"""Names in paths: found in a blob's name, and filled in for other bindings."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from localazure.host import binding_data
from localazure.host.binding_data import NoValue
from localazure.host.errors import BrokenApp
from localazure.host.message import Message
from localazure.host.wire import Request


@pytest.mark.parametrize(
    ("path", "name", "found"),
    [
        ("incoming/{name}", "a.csv", {"name": "a.csv"}),
        ("incoming/{name}", "deep/a.csv", {"name": "deep/a.csv"}),
        ("incoming/{a}/{b}", "x/y/z.csv", {"a": "x/y", "b": "z.csv"}),
        ("incoming/{name}.csv", "a.b.csv", {"name": "a.b"}),
        ("incoming/{name}.csv", "a.CSV", None),
        ("incoming/year-{y}/{name}", "year-2026/a", {"y": "2026", "name": "a"}),
        ("incoming/year-{y}/{name}", "month-1/a", None),
        ("incoming/fixed.csv", "fixed.csv", {}),
        ("incoming/fixed.csv", "fixedxcsv", None),
        ("incoming", "anything/at/all", {}),
        ("incoming/{{{name}}}", "{a}", {"name": "a"}),
    ],
)
def test_what_a_path_finds_in_a_name(path: str, name: str, found: dict[str, str] | None) -> None:
    container, find = binding_data.matcher(path, where="f")
    assert container == "incoming"
    assert find(name) == found


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("{container}/x", "does not begin with the name of a container"),
        ("In/x", "does not begin with the name of a container"),
        ("incoming/{a.b}", "{a.b} in 'incoming/{a.b}' is no name"),
        ("incoming/{a}{", "do not pair"),
        ("incoming/{a}/{a}", "one name twice"),
    ],
)
def test_a_path_that_is_none_is_named(path: str, said: str) -> None:
    with pytest.raises(BrokenApp, match=f"f: .*{re.escape(said)}"):
        binding_data.matcher(path, where="f")


def filled(template: str, data: Mapping[str, str] | None = None) -> str:
    return binding_data.fill(template, data or {}, function="fun")


@pytest.mark.parametrize(
    ("template", "pattern"),
    [
        ("out/{NAME}.txt", r"out/a\.csv\.txt"),
        ("{{x}}/{name}", r"\{x\}/a\.csv"),
        ("{rand-guid}", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        ("{rand-guid:N}", r"[0-9a-f]{32}"),
        ("{sys.randguid}", r"[0-9a-f-]{36}"),
        ("{DateTime}", r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ"),
        ("{datetime:yyyy/MM/dd-HHmmss}", r"\d{4}/\d\d/\d\d-\d{6}"),
        ("{sys.utcnow}", r"\d{4}-.*Z"),
        ("{sys.methodname}", "fun"),
    ],
)
def test_what_is_filled_in(template: str, pattern: str) -> None:
    assert re.fullmatch(pattern, filled(template, {"name": "a.csv"}))


def test_what_nobody_gives_is_named() -> None:
    with pytest.raises(NoValue, match=r"no value for \{missing\} in 'x/\{missing\}'"):
        filled("x/{missing}", {"name": "a"})


@pytest.mark.parametrize("template", ["x/{", "x/}", "{a{b}", "{datetime:dddd}", "{datetime:yyyy-QQ}"])
def test_a_template_that_can_never_be_filled_is_named(template: str) -> None:
    with pytest.raises(BrokenApp, match="f: "):
        binding_data.check(template, where="f")
    binding_data.check("x/{a}-{datetime:yyyyMMdd}-{{b}}", where="f")


def test_a_message_gives_its_fields() -> None:
    message = Message(id="m", receipt="r", text="", dequeue_count=2)
    data = binding_data.of_message(message, b'{"file": {"name": "a.csv"}, "n": 3, "ok": true, "none": null}')
    assert filled("{file.name}-{n}-{ok}-{id}-{dequeueCount}", data) == "a.csv-3-true-m-2"
    plain = binding_data.of_message(message, b"a.csv")
    assert filled("in/{queueTrigger}", plain) == "in/a.csv"


def test_a_request_gives_its_route_its_query_and_its_body() -> None:
    request = Request(
        method="POST", path="/", url="", headers={"x-a": "h"}, query={"q": "1"}, body=b'{"b": "body"}'
    )
    data = binding_data.of_request(request, {"id": "7"})
    assert filled("{id}-{Query.q}-{headers.X-A}-{b}", data) == "7-1-h-body"
