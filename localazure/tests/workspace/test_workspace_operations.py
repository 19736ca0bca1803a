"""Long-running operations, answered at once or by and by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from running_azure.waiting import until
from running_azure.workspace import WS, Server


@pytest.fixture(autouse=True)
def _natural(server: Server) -> Iterator[None]:
    yield
    assert server.call("POST", "/__localazure/reset", {}).ok


def _mode(server: Server, mode: str, seconds: float = 1) -> None:
    reply = server.call("PUT", "/__localazure/operations", {"mode": mode, "seconds": seconds})
    assert reply.json() == {"mode": mode, "seconds": seconds}


def test_as_azure_does_it_a_change_is_accepted_first_and_done_later(server: Server, name: str) -> None:
    _mode(server, "async", 1.5)
    at = f"{WS}/batchEndpoints/{name}"
    made = server.call("PUT", at, {"properties": {"authMode": "aadToken"}})
    assert (made.status_code, made.json()["properties"]["provisioningState"]) == (201, "Creating")
    assert made.headers["retry-after"] == "1"
    assert server.call("GET", at).json()["properties"]["provisioningState"] == "Updating"
    status = made.headers["azure-asyncoperation"]
    assert server.call("GET", status).json()["status"] == "InProgress"
    assert server.call("GET", made.headers["location"]).status_code == 202
    until(lambda: server.call("GET", status).json()["status"] == "Succeeded")
    assert server.call("GET", made.headers["location"]).status_code == 200
    assert server.call("GET", at).json()["properties"]["provisioningState"] == "Succeeded"
    gone = server.call("DELETE", at)
    assert gone.status_code == 202
    until(lambda: server.call("GET", gone.headers["location"]).status_code == 200)


@pytest.mark.slow
def test_the_sdk_waits_for_all_its_operations(client: Any, name: str, server: Server) -> None:
    from azure.ai.ml.entities import BatchEndpoint, ManagedOnlineEndpoint

    _mode(server, "async", 0.2)
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    made = client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name)).result()
    assert made.provisioning_state == "Succeeded"
    client.online_endpoints.begin_regenerate_keys(name, key_type="secondary").result()
    client.online_endpoints.begin_delete(name).result()
    client.batch_endpoints.begin_delete(name).result()
    assert name not in [one.name for one in client.batch_endpoints.list()]


def test_when_asked_to_be_quick_a_cancelled_job_has_ended(server: Server, name: str) -> None:
    _mode(server, "sync")
    job = {"properties": {"jobType": "Command", "command": "sleep 1000", "experimentName": "e"}}
    server.call("PUT", f"{WS}/jobs/{name}", job)
    until(lambda: server.call("GET", f"{WS}/jobs/{name}").json()["properties"]["status"] == "Running")
    assert server.call("POST", f"{WS}/jobs/{name}/cancel").status_code == 200
    assert server.call("GET", f"{WS}/jobs/{name}").json()["properties"]["status"] == "Canceled"


def test_operations_nobody_began_and_modes_there_are_not(server: Server) -> None:
    at = WS.partition("/resourceGroups")[0] + "/providers/Microsoft.MachineLearningServices/locations/local"
    assert server.call("GET", f"{at}/mfeOperationsStatus/none").status_code == 404
    assert server.call("PUT", "/__localazure/operations", {"mode": "slow"}).status_code == 400
