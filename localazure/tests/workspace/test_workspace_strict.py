"""As unkind as Azure, on request: what is changed one at a time, kept, refused, late; and kind again without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from azure.core.exceptions import HttpResponseError

from localazure.strict import NAMES
from running_azure.waiting import until
from running_azure.workspace import WS, Server

BATCH = "2024-04-01"


@pytest.fixture(autouse=True)
def _kind_again(server: Server) -> Iterator[None]:
    yield
    assert server.call("POST", "/__localazure/reset", {}).ok
    assert unkindnesses(server) == []


def strict(server: Server, *names: str) -> None:
    reply = server.call("PUT", "/__localazure/strict", {"unkindnesses": list(names)})
    assert reply.ok, reply.text


def unkindnesses(server: Server) -> list[str]:
    return list(server.call("GET", "/__localazure/strict").json()["unkindnesses"])


def put(server: Server, path: str, version: str = BATCH, **properties: Any) -> requests.Response:
    return server.call("PUT", f"{WS}/{path}?api-version={version}", {"properties": properties})


def endpoint(server: Server, name: str, **properties: Any) -> requests.Response:
    return put(server, f"onlineEndpoints/{name}", **{"authMode": "AADToken", **properties})


def deployment_that_fails(server: Server, endpoint: str, name: str) -> requests.Response:
    """There is no code at its code's address."""
    put(server, f"codes/{name}/versions/1", codeUri="azureml://datastores/workspaceblobstore/paths/none/")
    code = {"codeId": f"{WS}/codes/{name}/versions/1", "scoringScript": "score.py"}
    return put(server, f"onlineEndpoints/{endpoint}/deployments/{name}", codeConfiguration=code)


def state_of(server: Server, path: str) -> str:
    reply = server.call("GET", f"{WS}/{path}?api-version={BATCH}")
    return str(reply.json()["properties"]["provisioningState"]) if reply.ok else str(reply.status_code)


def test_it_is_started_unkind_and_told_other_things(new_server: Callable[..., Server]) -> None:
    server = new_server(strict="logs-late,keyless")
    server.start()
    assert unkindnesses(server) == ["keyless", "logs-late"]
    strict(server, "all")
    assert set(unkindnesses(server)) == NAMES
    server.call("POST", "/__localazure/reset", {})
    assert unkindnesses(server) == ["keyless", "logs-late"]
    server.stop()


@pytest.mark.parametrize(
    ("body", "says"),
    [({"unkindnesses": ["no-such"]}, "put-replaces"), ({}, "a list"), ({"unkindnesses": "all"}, "a list")],
)
def test_an_unkindness_that_there_is_not_is_refused(server: Server, body: Any, says: str) -> None:
    reply = server.call("PUT", "/__localazure/strict", body)
    assert (reply.status_code, says in reply.text) == (400, True)


@pytest.mark.parametrize("names", [(), ("put-replaces",)])
def test_a_put_replaces_tags_and_defaults_and_traffic(server: Server, name: str, names: tuple[str]) -> None:
    strict(server, *names)
    path = f"{WS}/onlineEndpoints/{name}"
    body = {"properties": {"authMode": "AADToken", "description": "first"}, "tags": {"a": "b"}}
    server.call("PUT", path, body)
    told = server.call("PUT", path, {"properties": {"authMode": "AADToken"}}).json()
    assert (told["tags"], told["properties"].get("description")) == ({}, None)
    server.call("DELETE", path)


def test_an_endpoint_takes_one_change_at_a_time(server: Server, name: str) -> None:
    strict(server, "endpoint-busy")
    made = endpoint(server, name)
    assert (made.status_code, made.json()["properties"]["provisioningState"]) == (201, "Creating")
    for refused in (
        endpoint(server, name),
        server.call("DELETE", f"{WS}/onlineEndpoints/{name}"),
        server.call("DELETE", f"{WS}/onlineEndpoints/{name}/deployments/any"),
        deployment_that_fails(server, name, "blue"),
    ):
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "Conflict")
        assert "Retry-After" not in refused.headers  # the SDK would try again by itself
    assert endpoint(server, f"{name}2").status_code == 201  # another one is free
    until(lambda: state_of(server, f"onlineEndpoints/{name}") == "Succeeded")
    deleted = server.call("DELETE", f"{WS}/onlineEndpoints/{name}")
    assert deleted.status_code == 202
    until(lambda: server.call("GET", deleted.headers["Location"]).status_code == 200)


def test_without_it_changes_come_one_after_the_other(server: Server, name: str) -> None:
    assert [endpoint(server, name).status_code for _ in range(3)] == [201, 200, 200]


def test_a_change_that_is_refused_leaves_the_endpoint_free(server: Server, name: str) -> None:
    strict(server, "endpoint-busy")
    assert endpoint(server, name, authMode="Password").status_code == 400
    assert endpoint(server, name).status_code == 201


def test_a_deployment_that_never_served_is_made_anew(server: Server, name: str) -> None:
    endpoint(server, name)
    path = f"onlineEndpoints/{name}/deployments/blue"
    for unkindness, status in (("", 200), ("failed-stays", 400)):
        strict(server, *filter(None, [unkindness]))
        deployment_that_fails(server, name, "blue")
        until(lambda: state_of(server, path) == "Failed")
        assert deployment_that_fails(server, name, "blue").status_code == status
        until(lambda: state_of(server, path) == "Failed")
    assert server.call("DELETE", f"{WS}/{path}").status_code == 200
    assert deployment_that_fails(server, name, "blue").status_code == 201


@pytest.mark.parametrize(
    ("version", "status"), [("2023-02-01-preview", 400), ("2024-04-01", 201), ("2023-10-01", 201)]
)
def test_preview_versions_of_batch_routes_are_gone(
    server: Server, name: str, version: str, status: int
) -> None:
    assert put(server, f"batchEndpoints/{name}", "2023-02-01-preview").status_code == 201
    strict(server, "preview-retired")
    assert put(server, f"batchEndpoints/{name}2{version[-2:]}{version[:4]}", version).status_code == status
    asked = server.call("GET", f"{WS}/batchEndpoints?api-version={version}")
    assert asked.status_code == (200 if status == 201 else 400)
    assert server.call("GET", f"{WS}/onlineEndpoints?api-version={version}").status_code == 200


def test_an_environments_version_keeps_what_it_was(server: Server, name: str) -> None:
    path = f"environments/{name}/versions/1"
    assert put(server, path, image="first").status_code == 201
    assert put(server, path, image="second").status_code == 409
    strict(server, "environments-stay")
    told = put(server, path, image="second")
    assert (told.status_code, told.json()["properties"]["image"]) == (200, "first")


def test_a_new_endpoint_refuses_a_good_token_for_a_while(server: Server, name: str) -> None:
    endpoint(server, name)
    put(server, f"batchEndpoints/{name}")
    strict(server, "roles-late")
    token = server.token("https://ml.azure.com")
    for path in (f"/online/{name}/score", f"/batch/{name}/jobs"):
        assert server.call("POST", path, {}, token="none").status_code == 401
        refused = server.call("POST", path, {}, token=token)
        assert (refused.status_code, "denied by policy" in refused.text) == (403, True)
        until(lambda path=path: server.call("POST", path, {}, token=token).status_code in (400, 404))


def test_logs_come_when_a_run_has_ended(server: Server, name: str) -> None:
    strict(server, "logs-late")
    rules = [{"job": name, "mode": "manual"}]
    server.call("PUT", "/__localazure/transitions", {"rules": rules})
    job = {"jobType": "Command", "command": "echo spoken", "experimentName": "e"}
    assert put(server, f"jobs/{name}", **job).status_code == 201

    def logs() -> dict[str, str]:
        told = server.call("GET", f"/history/v1.0{WS}/runs/{name}/details").json()
        return {file: server.call("GET", url).text for file, url in told["logFiles"].items()}

    until(lambda: server.call("GET", f"/__localazure/runs/{name}").json()["waitingFor"])
    server.call("POST", f"/__localazure/runs/{name}/move", {"to": "Running"})
    until(lambda: "can be read when the run" in "".join(logs().values()))
    assert "spoken" not in "".join(logs().values())
    server.call("PUT", "/__localazure/transitions", {"rules": []})
    until(lambda: "spoken" in "".join(logs().values()))


def test_logs_of_a_deployment_come_when_it_is_ready(server: Server, name: str) -> None:
    strict(server, "logs-late")
    endpoint(server, name)
    path = f"onlineEndpoints/{name}/deployments/{name}"
    conda = f"dependencies: [python=3.11, pip, {{pip: [there-is-no-such-package-{name}]}}]"
    put(server, f"environments/{name}/versions/1", image="ubuntu", condaFile=conda)
    server.put_blob(f"{name}/score.py")
    put(server, f"codes/{name}/versions/1", codeUri=f"azureml://datastores/workspaceblobstore/paths/{name}/")
    code = {"codeId": f"{WS}/codes/{name}/versions/1", "scoringScript": "score.py"}
    made = put(server, path, codeConfiguration=code, environmentId=f"{WS}/environments/{name}/versions/1")
    assert made.status_code == 201

    def told() -> str:
        return str(server.call("POST", f"{WS}/{path}/getLogs", {"tail": 10}).json()["content"])

    assert "when it is no longer Creating" in told()  # its environment is being built
    until(lambda: state_of(server, path) == "Failed")
    assert "failed: " in told()


def test_datastores_hold_no_key_and_endpoints_take_none(server: Server, name: str) -> None:
    store = f"{WS}/datastores/workspaceblobstore"
    strict(server, "keyless")
    told = server.call("GET", store).json()["properties"]
    assert told["credentials"] == {"credentialsType": "None"}
    assert server.call("POST", f"{store}/listSecrets", {"expirableSecret": True}).status_code == 400
    refused = endpoint(server, name, authMode="Key")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "RequestDisallowedByPolicy")
    assert endpoint(server, name).status_code == 201


def test_files_go_up_and_come_down_by_token_alone(
    client: Any, server: Server, name: str, tmp_path: Any
) -> None:
    from azure.ai.ml.entities import Model

    strict(server, "keyless")
    (tmp_path / "model.json").write_text('{"says": "keyless"}')
    model = Model(name=name, version="1", path=str(tmp_path / "model.json"))
    assert client.models.create_or_update(model).version == "1"
    client.models.download(name=name, version="1", download_path=str(tmp_path / "down"))
    (found,) = (tmp_path / "down").rglob("model.json")
    assert found.read_text() == '{"says": "keyless"}'


@pytest.mark.parametrize(
    ("authorization", "status"),
    [("Bearer {token}", 200), ("Bearer {other}", 401), ("SharedKey devstoreaccount1:none", 403)],
)
def test_storage_behind_the_workspace_asks_for_a_token(
    server: Server, authorization: str, status: int
) -> None:
    strict(server, "keyless")
    store = server.call("GET", f"{WS}/datastores/workspaceblobstore").json()["properties"]
    tokens = {
        "token": server.token("https://storage.azure.com"),
        "other": server.token("https://ml.azure.com"),
    }
    reply = server.call(
        "GET",
        f"/devstoreaccount1/{store['containerName']}?restype=container&comp=list",
        headers={"Authorization": authorization.format(**tokens), "x-ms-version": "2021-12-02"},
    )
    assert reply.status_code == status
    if status == 403:
        assert reply.headers["x-ms-error-code"] == "KeyBasedAuthenticationNotPermitted"


def test_the_sdk_meets_a_busy_endpoint_as_an_error(client: Any, server: Server, name: str) -> None:
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    strict(server, "endpoint-busy")
    made = client.online_endpoints.begin_create_or_update(
        ManagedOnlineEndpoint(name=name, auth_mode="aad_token")
    )
    with pytest.raises(HttpResponseError, match="under way"):
        client.online_endpoints.begin_delete(name)
    made.result()
    client.online_endpoints.begin_delete(name).result()
