"""Online endpoints' rules: keys of one's own, tokens, mirrored traffic, large requests, operations by switch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from running_azure.waiting import until
from running_azure.workspace import GROUP, NAME, SUBSCRIPTION, WS, Server

CONDA = "dependencies: [python=3.11, pip, {pip: [azureml-inference-server-http==1.5.1]}]\n"
SCORE = """
import os, pathlib

def init():
    if os.environ.get("BROKEN"):
        raise RuntimeError("cannot begin")

def run(raw):
    with open(os.environ["SEEN"], "a") as seen:
        seen.write("x")
    return "ok"
"""


class Made:
    """An endpoint `ruled` with a deployment `live` that takes all traffic and `shadow` that takes none."""

    def __init__(self, client: Any, server: Server, folder: Path) -> None:
        from azure.ai.ml.entities import Environment, ManagedOnlineEndpoint

        self.client, self.server, self.folder = client, server, folder
        (folder / "code").mkdir()
        (folder / "code" / "score.py").write_text(SCORE)
        (folder / "conda.yaml").write_text(CONDA)
        self.environment = Environment(name="serving", image="ubuntu", conda_file=str(folder / "conda.yaml"))
        client.online_endpoints.begin_create_or_update(
            ManagedOnlineEndpoint(name="ruled", auth_mode="key")
        ).result()
        for name in ("live", "shadow"):
            self.deploy(name).result()
        self.put(traffic={"live": 100})

    def deploy(self, name: str, **variables: str) -> Any:
        from azure.ai.ml.entities import CodeConfiguration, ManagedOnlineDeployment

        return self.client.online_deployments.begin_create_or_update(
            ManagedOnlineDeployment(
                name=name, endpoint_name="ruled", environment=self.environment,
                code_configuration=CodeConfiguration(code=str(self.folder / "code"), scoring_script="score.py"),
                environment_variables={"SEEN": str(self.folder / name), **variables},
                instance_type="Standard_DS3_v2", instance_count=1,
            )
        )  # fmt: skip

    def put(self, **properties: Any) -> Any:
        return self.server.call(
            "PUT", f"{WS}/onlineEndpoints/ruled", {"properties": {"authMode": "Key", **properties}}
        )

    def score(self, **how: Any) -> Any:
        key = self.client.online_endpoints.get_keys("ruled").primary_key
        return self.server.call("POST", "/online/ruled/score", how.pop("body", {}), token=key, **how)

    def seen(self, name: str) -> int:
        file = self.folder / name
        return len(file.read_text()) if file.exists() else 0


@pytest.fixture(scope="module")
def made(new_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    server = new_server()
    server.start()
    with pytest.MonkeyPatch.context() as variables:
        for name, value in server.variables.items():
            variables.setenv(name, value)
        client = MLClient(DefaultAzureCredential(), SUBSCRIPTION, GROUP, NAME)
        yield Made(client, server, tmp_path_factory.mktemp("ruled"))
    server.stop()


@pytest.fixture(autouse=True)
def _variables(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in made.server.variables.items():
        monkeypatch.setenv(name, value)


def test_mirrored_requests_are_answered_by_the_live_one_alone(made: Made) -> None:
    assert made.put(traffic={"live": 100}, mirrorTraffic={"shadow": 50}).ok
    assert made.client.online_endpoints.get("ruled").mirror_traffic == {"shadow": 50}

    def mirrored() -> bool:
        reply = made.score()
        assert (reply.json(), reply.headers["azureml-model-deployment"]) == ("ok", "live")
        return made.seen("shadow") > 0

    until(mirrored)
    assert made.seen("live") > 0
    assert made.put(traffic={"live": 100}).ok


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"traffic": {"live": 60}}, "adds up to 60"),
        ({"traffic": {"live": 150, "shadow": -50}}, "not a percentage"),
        ({"traffic": {"none": 100}}, "not a deployment"),
        ({"traffic": {"live": 100}, "mirrorTraffic": {"shadow": 60}}, "50 percent at most"),
        ({"traffic": {"live": 100}, "mirrorTraffic": {"live": 10}}, "as well"),
        ({"authMode": "Password"}, "authMode"),
        ({"compute": "k8s"}, "managed"),
        ({"scaling": "auto"}, "scaling"),
    ],
)
def test_what_an_endpoint_cannot_be_is_refused_and_changes_nothing(
    made: Made, properties: Any, says: str
) -> None:
    before = made.client.online_endpoints.get("ruled").traffic
    reply = made.put(**properties)
    assert reply.status_code in (400, 501)
    assert says in reply.json()["error"]["message"]
    assert made.client.online_endpoints.get("ruled").traffic == before


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"endpointComputeType": "Kubernetes", "codeConfiguration": {"codeId": "x"}}, "managed"),
        ({"model": "x"}, "MLflow no-code"),
        (
            {"codeConfiguration": {"codeId": "x"}, "scaleSettings": {"scaleType": "TargetUtilization"}},
            "do not scale",
        ),
        ({"codeConfiguration": {"codeId": "x"}, "modelMountPath": "/m"}, "AZUREML_MODEL_DIR"),
        ({"codeConfiguration": {"codeId": "x"}, "dataCollector": {"collections": {}}}, "not collected"),
        ({"codeConfiguration": {"codeId": "x"}, "requestSettings": {"retries": 3}}, "retries"),
    ],
)
def test_what_a_deployment_cannot_be_is_refused(made: Made, properties: Any, says: str) -> None:
    reply = made.server.call("PUT", f"{WS}/onlineEndpoints/ruled/deployments/odd", {"properties": properties})
    assert reply.status_code in (400, 501)
    assert says in reply.json()["error"]["message"]


def test_a_request_that_is_too_large_is_413(made: Made) -> None:
    assert made.score(body="x" * (11 * 1024 * 1024)).status_code == 413


def test_a_deployment_that_is_not_there_cannot_be_chosen(made: Made) -> None:
    assert made.score(headers={"azureml-model-deployment": "none"}).status_code == 404


def test_keys_may_be_ones_own_and_each_is_renewed_alone(made: Made) -> None:
    keys = {"primaryKey": "first-of-mine", "secondaryKey": "second-of-mine"}
    body = {"properties": {"authMode": "Key", "keys": keys}}
    told = made.server.call("PUT", f"{WS}/onlineEndpoints/owned", body)
    assert (told.status_code, "first-of-mine" in told.text) == (201, False)
    client = made.client.online_endpoints
    assert client.get_keys("owned").primary_key == "first-of-mine"
    client.begin_regenerate_keys("owned", key_type="secondary").result()
    assert client.get_keys("owned").primary_key == "first-of-mine"
    assert client.get_keys("owned").secondary_key != "second-of-mine"
    for key, status in (("second-of-mine", 401), ("first-of-mine", 404)):  # 404: no deployment takes traffic
        assert made.server.call("POST", "/online/owned/score", {}, token=key).status_code == status
    client.begin_delete("owned").result()


def test_an_endpoint_with_tokens_of_its_own(made: Made) -> None:
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    client = made.client.online_endpoints
    client.begin_create_or_update(ManagedOnlineEndpoint(name="tokened", auth_mode="aml_token")).result()
    token = client.get_keys("tokened").access_token
    assert made.server.call("POST", "/online/tokened/score", {}, token=token).status_code == 404
    assert made.server.call("POST", "/online/tokened/score", {}, token="none").status_code == 401
    assert made.server.call("POST", f"{WS}/onlineEndpoints/tokened/listKeys").status_code == 400
    assert made.server.call("POST", f"{WS}/onlineEndpoints/ruled/token").status_code == 400
    client.begin_delete("tokened").result()


def test_when_asked_to_be_quick_a_deployment_answers_when_it_serves_or_says_why_not(made: Made) -> None:
    assert made.server.call("PUT", "/__localazure/operations", {"mode": "sync"}).ok
    try:
        assert made.deploy("quick").result().provisioning_state == "Succeeded"
        assert made.score(headers={"azureml-model-deployment": "quick"}).status_code == 200
        with pytest.raises(HttpResponseError, match="cannot begin"):
            made.deploy("broken", BROKEN="1").result()
    finally:
        assert made.server.call("POST", "/__localazure/reset", {}).ok
    for name in ("quick", "broken"):
        made.client.online_deployments.begin_delete(name, "ruled").result()


def test_the_sdks_invoke_goes_on_naming_a_deployment_it_named_once(made: Made, tmp_path: Path) -> None:
    """A fault of the SDK's that smoke tests meet: what is called after them goes the same way."""
    (tmp_path / "request.json").write_text("{}")
    invoke = made.client.online_endpoints.invoke
    before = made.seen("shadow")
    invoke("ruled", request_file=str(tmp_path / "request.json"), deployment_name="shadow")
    invoke("ruled", request_file=str(tmp_path / "request.json"))
    assert made.seen("shadow") == before + 2
    from azure.ai.ml.constants._endpoint import EndpointInvokeFields

    EndpointInvokeFields.DEFAULT_HEADER.pop(EndpointInvokeFields.MODEL_DEPLOYMENT, None)
    invoke("ruled", request_file=str(tmp_path / "request.json"))
    assert made.seen("shadow") == before + 2


def test_logs_end_with_as_many_lines_as_asked(made: Made) -> None:
    logs = made.client.online_deployments.get_logs
    assert len(logs("live", "ruled", lines=3).splitlines()) == 3
    assert "azmlinfsrv" in logs("live", "ruled", lines=500, container_type="inference-server")
