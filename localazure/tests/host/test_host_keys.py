"""The key management API, and what the keys open that it makes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from running_azure.host import Answer, Hosted

APP = """
@app.route(route="one", auth_level=func.AuthLevel.FUNCTION)
def one(req: func.HttpRequest) -> str:
    return "one"


@app.route(route="two", auth_level=func.AuthLevel.FUNCTION)
def two(req: func.HttpRequest) -> str:
    return "two"
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


def asked(host: Hosted, method: str, path: str, **value: str) -> Answer:
    body = json.dumps(value).encode() if value else b""
    return host.ask(method, path, body=body, headers={"x-functions-key": host.master_key})


def told(answer: Answer) -> Any:
    return json.loads(answer.body)


def opens(host: Hosted, function: str, key: str) -> bool:
    return host.ask("GET", f"/api/{function}?code={key}").status == 200


def test_each_function_has_a_key_that_opens_it_alone(host: Hosted) -> None:
    listed = told(asked(host, "GET", "/admin/functions/one/keys"))
    [key] = listed["keys"]
    assert (key["name"], key["links"][0]["rel"]) == ("default", "self")
    here = f"http://127.0.0.1:{host.port}/admin/functions/one/keys"
    assert listed["links"] == [{"rel": "self", "href": here}]
    assert key["links"][0]["href"] == f"{here}/default"
    assert opens(host, "one", key["value"])
    assert not opens(host, "two", key["value"])


def test_keys_are_made_changed_and_deleted(host: Hosted) -> None:
    path = "/admin/functions/one/keys/Mine"
    assert asked(host, "GET", path).status == 404
    made = asked(host, "PUT", path, name="Mine", value="my-own-key")
    assert (made.status, told(made)["value"]) == (201, "my-own-key")
    assert opens(host, "one", "my-own-key")
    again = asked(host, "POST", path.lower())
    assert (again.status, told(again)["name"]) == (200, "Mine")
    assert not opens(host, "one", "my-own-key")
    assert opens(host, "one", told(again)["value"])
    assert told(asked(host, "GET", path))["value"] == told(again)["value"]
    assert asked(host, "DELETE", path).status == 204
    assert asked(host, "DELETE", path).status == 404
    assert not opens(host, "one", told(again)["value"])


def test_a_host_key_opens_every_function(host: Hosted) -> None:
    made = told(asked(host, "POST", "/admin/host/keys/partner"))
    assert opens(host, "one", made["value"])
    assert opens(host, "two", made["value"])
    names = [one["name"] for one in told(asked(host, "GET", "/admin/host/functionkeys"))["keys"]]
    assert names == ["default", "partner"]


def test_the_master_key_is_shown_and_changed_but_not_listed(host: Hosted) -> None:
    before = host.master_key
    assert told(asked(host, "GET", "/admin/host/systemkeys/_master"))["value"] == before
    assert told(asked(host, "GET", "/admin/host/systemkeys"))["keys"] == []
    assert asked(host, "GET", "/admin/host/keys/_master").status == 404
    changed = told(asked(host, "POST", "/admin/host/systemkeys/_master"))["value"]
    assert changed == host.master_key != before
    assert host.ask("GET", "/admin/host/status", headers={"x-functions-key": before}).status == 401
    assert asked(host, "GET", "/admin/host/status").status == 200


@pytest.mark.parametrize(
    ("method", "path", "value", "status"),
    [
        ("PUT", "/admin/host/keys/x", {}, 400),
        ("PUT", "/admin/host/keys/x", {"value": ""}, 400),
        ("PUT", "/admin/host/systemkeys/_master", {}, 400),
        ("DELETE", "/admin/host/systemkeys/_master", {}, 400),
        ("DELETE", "/admin/host/keys/default", {}, 400),
        ("DELETE", "/admin/host/keys/x", {}, 404),
        ("GET", "/admin/functions/nobody/keys", {}, 404),
        ("POST", "/admin/functions/nobody/keys/x", {}, 404),
        ("POST", "/admin/host/otherkeys/x", {}, 404),
    ],
)
def test_what_cannot_be_done_is_refused(
    calm: Hosted, method: str, path: str, value: dict[str, str], status: int
) -> None:
    assert asked(calm, method, path, **value).status == status


def test_keys_ask_for_the_master_key_and_outlive_the_host(host: Hosted) -> None:
    for path in ("/admin/host/keys", "/admin/functions/one/keys/default"):
        assert host.ask("GET", path).status == 401
        assert host.ask("GET", path, headers={"x-functions-key": host.function_key}).status == 401
    made = told(asked(host, "POST", "/admin/functions/two/keys/mine"))["value"]
    host.kill()
    host.start()
    assert opens(host, "two", made)


def test_no_key_is_ever_in_the_log(host: Hosted) -> None:
    made = told(asked(host, "POST", "/admin/host/keys/partner"))["value"]
    assert opens(host, "one", made)
    said = host.log.read_text()
    assert made not in said
    assert host.master_key not in said
