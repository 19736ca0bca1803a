"""Faults on request: refusals, lost answers, late arrivals, lagging lists, failing operations; and their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from azure.core.exceptions import HttpResponseError

from running_azure.waiting import until
from running_azure.workspace import WS, Server

JOB = {"properties": {"jobType": "Command", "command": "true", "experimentName": "e"}}


@pytest.fixture(autouse=True)
def _healed(server: Server) -> Iterator[None]:
    yield
    assert server.call("POST", "/__localazure/reset", {}).ok


def _order(server: Server, **order: Any) -> int:
    reply = server.call("POST", "/__localazure/faults", order)
    assert reply.status_code == 201, reply.text
    return int(reply.json()["id"])


def _used(server: Server, number: int) -> int:
    (one,) = [
        one for one in server.call("GET", "/__localazure/faults").json()["value"] if one["id"] == number
    ]
    return int(one["used"])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 412, 429, 500, 502, 503, 504])
def test_any_status_with_its_words_as_often_as_asked(server: Server, status: int) -> None:
    _order(server, path="*/computes", method="GET", status=status, code="Told", message="as told", times=2)
    for _ in range(2):
        reply = server.call("GET", f"{WS}/computes")
        assert (reply.status_code, reply.json()["error"]) == (status, {"code": "Told", "message": "as told"})
    assert server.call("GET", f"{WS}/computes").status_code == 200


def test_the_sdk_waits_as_long_as_it_is_told_and_tries_again(client: Any, name: str, server: Server) -> None:
    from azure.ai.ml.entities import Data

    client.data.create_or_update(Data(name=name, version="1", path="https://x/c/a.json", type="uri_file"))
    number = _order(server, path=f"*/data/{name}/*", status=429, headers={"Retry-After": "0"}, times=2)
    assert client.data.get(name, version="1").version == "1"
    assert _used(server, number) == 2


def test_an_answer_that_is_lost_was_an_accepted_request(server: Server, name: str) -> None:
    _order(server, path=f"*/jobs/{name}", method="PUT", lose="reply")
    with pytest.raises(requests.ConnectionError):
        server.call("PUT", f"{WS}/jobs/{name}", JOB)
    assert server.call("GET", f"{WS}/jobs/{name}").status_code == 200
    assert server.call("PUT", f"{WS}/jobs/{name}", JOB).status_code == 200  # not 201: it is there


def test_a_request_that_is_lost_did_nothing(server: Server, name: str) -> None:
    _order(server, path=f"*/jobs/{name}", method="PUT", lose="request")
    with pytest.raises(requests.ConnectionError):
        server.call("PUT", f"{WS}/jobs/{name}", JOB)
    assert server.call("GET", f"{WS}/jobs/{name}").status_code == 404


def test_a_request_that_arrives_late_is_carried_out_all_the_same(server: Server, name: str) -> None:
    _order(server, path=f"*/jobs/{name}", method="PUT", lateSeconds=1)
    with pytest.raises(requests.ConnectionError):
        server.call("PUT", f"{WS}/jobs/{name}", JOB)
    assert server.call("GET", f"{WS}/jobs/{name}").status_code == 404
    until(lambda: server.call("GET", f"{WS}/jobs/{name}").status_code == 200)


def test_a_delay_outlasts_an_impatient_client(server: Server, name: str) -> None:
    _order(server, path=f"*/jobs/{name}", method="PUT", delaySeconds=2)
    headers = {"Authorization": f"Bearer {server.token()}"}
    with pytest.raises(requests.ReadTimeout):
        requests.put(
            f"{server.base}{WS}/jobs/{name}", json=JOB, headers=headers, verify=server.bundle, timeout=0.3
        )
    until(lambda: server.call("GET", f"{WS}/jobs/{name}").status_code == 200)


def test_a_list_lags_behind_while_the_thing_itself_is_there(client: Any, name: str, server: Server) -> None:
    from azure.ai.ml.entities import Data

    client.data.create_or_update(Data(name=name, version="1", path="https://x/c/a.json", type="uri_file"))
    _order(server, path="*/data/*/versions", lagSeconds=3600, times=None)
    assert list(client.data.list(name)) == []
    assert client.data.get(name, version="1").name == name
    assert server.call("DELETE", "/__localazure/faults").ok
    assert len(list(client.data.list(name))) == 1


def test_only_some_calls_are_hit(server: Server) -> None:
    number = _order(server, path="*/computes", status=503, skip=1, times=1)
    statuses = [server.call("GET", f"{WS}/computes").status_code for _ in range(3)]
    assert statuses == [200, 503, 200]
    assert server.call("DELETE", f"/__localazure/faults/{number}").status_code == 200
    assert server.call("DELETE", f"/__localazure/faults/{number}").status_code == 404


def test_storage_behind_the_front_fails_in_its_own_words(client: Any, name: str, server: Server) -> None:
    _order(server, path="/devstoreaccount1/*", status=403, code="AuthorizationFailure", message="no", times=1)
    reply = requests.get(
        f"{server.base}/devstoreaccount1/azureml?restype=container", verify=server.bundle, timeout=5
    )
    assert (reply.status_code, reply.headers["x-ms-error-code"]) == (403, "AuthorizationFailure")
    assert "<Code>AuthorizationFailure</Code>" in reply.text


def test_an_operation_can_be_accepted_and_fail(client: Any, name: str, server: Server) -> None:
    from azure.ai.ml.entities import BatchEndpoint

    _order(server, path=f"*/batchEndpoints/{name}", method="PUT", operationFails="no quota left")
    with pytest.raises(HttpResponseError, match="no quota left"):
        client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    assert client.batch_endpoints.get(name).provisioning_state == "Failed"
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    assert client.batch_endpoints.get(name).provisioning_state == "Succeeded"


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"path": "*"},
        {"path": "*", "statusCode": 500},
        {"path": "*", "lose": "it"},
        {"path": "*", "status": 99},
    ],
)
def test_an_order_that_is_not_understood_is_refused(server: Server, order: Any) -> None:
    assert server.call("POST", "/__localazure/faults", order).status_code == 400


def test_orders_cannot_be_kept_from_being_taken_back(server: Server) -> None:
    _order(server, path="*", status=500, times=None)
    assert server.call("GET", f"{WS}/computes").status_code == 500
    assert server.call("POST", "/__localazure/reset").ok
    assert server.call("GET", f"{WS}/computes").status_code == 200
