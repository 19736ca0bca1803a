"""The workspace with roles: each call needs its action, and what acts in the workspace's name is an identity of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from localazure.workspace.identity import actions
from localazure.workspace.routes import ROUTES
from running_azure import access
from running_azure.access import ACCOUNT, GROUP, Credential
from running_azure.front import Front, running
from running_azure.waiting import until
from running_azure.workspace import GROUP as RESOURCE_GROUP
from running_azure.workspace import NAME, SUBSCRIPTION, WS, Server

ML = actions.WORKSPACES
ROLES = {
    "scientist": {
        "actions": [f"{ML}/*"],
        "notActions": [f"{ML}/write", f"{ML}/datastores/listSecrets/action"],
    },
    "reader": {"actions": [f"{ML}/*/read"]},
    "storage": {"actions": ["Microsoft.Storage/*"], "dataActions": ["Microsoft.Storage/*"]},
    "pull": {"actions": [actions.PULL]},
    "telemetry": {"dataActions": [actions.TELEMETRY]},
}
REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/images"
INSIGHTS = f"{GROUP}/providers/Microsoft.Insights/components/insights"
ASSIGNMENTS = (
    ("scientist", "scientist", WS),
    ("scientist", "storage", ACCOUNT),
    ("reader", "reader", WS),
    ("cluster", "storage", ACCOUNT),
    ("cluster", "pull", REGISTRY),
    ("sender", "telemetry", INSIGHTS),
)


@dataclass(frozen=True)
class Guarded:
    """A workspace whose callers' roles count, and its storage."""

    front: Front
    server: Server

    def call(self, who: Any, method: str, path: str, body: Any = None) -> Any:
        credential = Credential(who) if isinstance(who, str) else who
        token = credential.get_token("https://management.azure.com/.default").token
        return self.server.call(method, path, body, token=token)

    def client(self, who: str) -> Any:
        from azure.ai.ml import MLClient

        return MLClient(Credential(who), SUBSCRIPTION, RESOURCE_GROUP, NAME)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Iterator[Guarded]:
    state = tmp_path_factory.mktemp("guarded")

    def write(file: Path, addresses: dict[str, str]) -> object:
        return access.write(
            file, roles=ROLES, assignments=ASSIGNMENTS, endpoints=addresses,
            acts={"compute": "cluster", "endpoint": "cluster"},
            scopes={"registry": REGISTRY, "workspace account": ACCOUNT, "insights": INSIGHTS},
        )  # fmt: skip

    with running(state, free_port, write) as front:
        server = Server(
            state=state,
            port=free_port(),
            identity_port=free_port(),
            storage=front.connection_string,
            access=front.file,
        )
        server.start()
        try:
            yield Guarded(front=front, server=server)
        finally:
            server.stop()


def test_what_a_role_allows_and_what_it_does_not(guarded: Guarded) -> None:
    assert guarded.call("reader", "GET", WS).status_code == 200
    assert guarded.call("reader", "GET", f"{WS}/data").status_code == 200
    rows = {"properties": {"dataUri": "a", "dataType": "uri_file"}}
    refusal = guarded.call("reader", "PUT", f"{WS}/data/rows/versions/1", rows)
    assert refusal.status_code == 403
    error = refusal.json()["error"]
    assert error["code"] == "AuthorizationFailed"
    assert f"'{ML}/data/versions/write' over scope '{WS}'" in error["message"]
    assert "principal-reader" in error["message"]
    assert guarded.call("nobody", "GET", WS).status_code == 403
    assert (
        guarded.call("scientist", "POST", f"{WS}/datastores/workspaceblobstore/listSecrets", {}).status_code
        == 403
    )


@pytest.mark.parametrize(
    ("credential", "code"),
    [
        (Credential("reader", audience="https://storage.azure.com"), "InvalidAuthenticationTokenAudience"),
        (Credential("reader", seconds=-1), "ExpiredAuthenticationToken"),
        (Credential("reader", key="another"), "InvalidAuthenticationToken"),
        (Credential("stranger"), "InvalidAuthenticationToken"),
    ],
    ids=["another service's", "expired", "signed by another", "nobody's"],
)
def test_who_does_not_sign_in_is_401(guarded: Guarded, credential: Credential, code: str) -> None:
    refusal = guarded.call(credential, "GET", WS)
    assert (refusal.status_code, refusal.json()["error"]["code"]) == (401, code)


def test_the_identity_endpoint_gives_each_its_own_token(guarded: Guarded) -> None:
    import requests

    def asked(header: str, **query: str) -> int:
        return requests.get(
            f"http://127.0.0.1:{guarded.server.identity_port}/msi/token",
            params={"api-version": "2019-08-01", "resource": "https://storage.azure.com", **query},
            headers={"X-IDENTITY-HEADER": header},
            timeout=10,
        ).status_code

    assert asked("secret-reader") == 200
    assert asked("secret-reader", client_id="client-reader") == 200
    assert asked("secret-reader", client_id="client-cluster") == 401
    assert asked("only-for-tests") == 401


def test_a_step_acts_as_the_cluster(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its code goes up as its caller, by the SDK; its outputs and its log as the cluster."""
    for name, value in guarded.server.variables.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "say.py").write_text("import os; print('as', os.environ['AZURE_CLIENT_ID'])")
    client = guarded.client("scientist")
    from azure.ai.ml import command
    from azure.ai.ml.entities import Environment

    python = Environment(name="python", image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04")

    def run() -> Any:
        made = client.jobs.create_or_update(
            command(command="python say.py", code=str(tmp_path), environment=python, compute="serverless")
        )
        until(lambda: client.jobs.get(made.name).status in ("Completed", "Failed"), "the job", seconds=120)
        return client.jobs.get(made.name)

    assert run().status == "Completed"
    noted = (guarded.front.state / "asked-storage.jsonl").read_text()
    assert '"identity": "cluster", "call": "Put Blob"' in noted
    for role, said in (("pull", actions.PULL), ("storage", "not authorized to perform this operation")):
        with guarded.front.without("cluster", role):
            job = run()
            assert job.status == "Failed"
            whole = guarded.call("scientist", "GET", f"/history/v1.0{WS}/runs/{job.name}").json()
            assert said in str(whole["error"])


def test_the_action_of_a_route_is_what_azure_derives() -> None:
    found = {
        f"{route.method} {route.path}": actions.of_route(route.method, route.path, {"kind": "data"})
        for route in ROUTES
    }
    of = {name: (action or "").removeprefix(f"{ML}/") for name, action in found.items()}
    assert of["GET {WS}"] == "read"
    assert (
        of["PUT {WS}/onlineEndpoints/{endpoint}/deployments/{deployment}"]
        == "onlineEndpoints/deployments/write"
    )
    assert of["PUT {WS}/{kind:kind}/{name}/versions/{version}"] == "data/versions/write"
    assert of["POST {WS}/jobs/{name}/cancel"] == "jobs/cancel/action"
    assert of["POST {WS}/onlineEndpoints/{endpoint}/listKeys"] == "onlineEndpoints/listKeys/action"
    open_or_operations = {name for name, action in found.items() if action is None}
    beside = {
        f"{route.method} {route.path}" for route in ROUTES if route.open or "mfeOperation" in route.path
    }
    assert open_or_operations - beside == set()


def test_nobody_gets_past_the_accounts_front(guarded: Guarded) -> None:
    """The workspace's own way to storage is for the addresses that it signs."""
    token = Credential("nobody").get_token("https://storage.azure.com/.default").token
    answer = guarded.server.call("GET", "/devstoreaccount1/azureml?restype=container&comp=list", token=token)
    assert answer.status_code == 403
    assert answer.headers["x-ms-error-code"] == "AuthorizationFailure"


def test_telemetry_asks_for_a_token_and_the_right_to_send(guarded: Guarded) -> None:
    """In the words that Application Insights was reported to have; without roles anybody may send."""
    envelopes = [{"name": "Microsoft.ApplicationInsights.Request"}]

    def sent(credential: Credential) -> Any:
        token = credential.get_token("https://monitor.azure.com/.default").token
        return guarded.server.call("POST", "/v2.1/track", envelopes, token=token)

    assert sent(Credential("sender")).json() == {"itemsReceived": 1, "itemsAccepted": 1, "errors": []}
    for credential, status, said in (
        (Credential("reader"), 403, "provided credentials do not grant the access"),
        (Credential("sender", audience="https://management.azure.com"), 401, "valid authorization token"),
    ):
        refusal = sent(credential)
        assert (refusal.status_code, said in refusal.text) == (status, True)


def test_without_roles_telemetry_is_taken_from_anybody(server: Server) -> None:
    assert server.call("POST", "/v2.1/track", [{}, {}], token="").json()["itemsAccepted"] == 2
    assert server.call("POST", "/v2.1/track", {"not": "a list"}, token="").status_code == 200
