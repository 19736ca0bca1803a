"""Online endpoints: a scoring script served by Microsoft's inference server, called by plain REST."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from running_azure.waiting import until
from running_azure.workspace import GROUP, NAME, SUBSCRIPTION, WS, Server, alive

CONDA = "dependencies: [python=3.11, pip, {pip: [azureml-inference-server-http==1.5.1]}]\n"
SCORE = """
import json, os, pathlib, time
from azureml_inference_server_http.api.aml_response import AMLResponse

def init():
    global told
    folder = pathlib.Path(os.environ["AZUREML_MODEL_DIR"])
    told = next(folder.rglob("model.txt")).read_text()
    if told == "broken":
        raise RuntimeError("this model is broken")

def run(raw):
    asked = json.loads(raw)
    if "sleep" in asked:
        time.sleep(asked["sleep"])
    if "status" in asked:
        return AMLResponse({"error": {"code": "Told"}}, asked["status"], json_str=True)
    if "exit" in asked:
        os._exit(9)
    return {"model": told, "environment": os.environ.get("GREETING")}
"""


class Endpoint:
    """One endpoint of the module's, with deployments `blue` and `green`."""

    def __init__(self, client: Any, server: Server, folder: Path) -> None:
        from azure.ai.ml.entities import Environment, ManagedOnlineEndpoint

        self.client, self.server, self.folder, self.name = client, server, folder, "scorer"
        (folder / "code").mkdir()
        (folder / "code" / "score.py").write_text(SCORE)
        (folder / "conda.yaml").write_text(CONDA)
        self.environment = Environment(name="serving", image="ubuntu", conda_file=str(folder / "conda.yaml"))
        client.online_endpoints.begin_create_or_update(
            ManagedOnlineEndpoint(name=self.name, auth_mode="key")
        ).result()
        for color in ("blue", "green"):
            self.deploy(color, color)
        self.split(blue=100)

    def deploy(self, name: str, says: str, **more: Any) -> Any:
        from azure.ai.ml.entities import (
            CodeConfiguration,
            ManagedOnlineDeployment,
            Model,
            OnlineRequestSettings,
        )

        model = self.folder / f"{says}-model"
        model.mkdir(exist_ok=True)
        (model / "model.txt").write_text(says)
        deployment = ManagedOnlineDeployment(
            name=name,
            endpoint_name=self.name,
            model=self.client.models.create_or_update(
                Model(name=f"model-{says}", version="1", path=str(model))
            ),
            environment=self.environment,
            code_configuration=CodeConfiguration(code=str(self.folder / "code"), scoring_script="score.py"),
            environment_variables={"GREETING": f"hello {name}"},
            instance_type="Standard_DS3_v2",
            instance_count=1,
            request_settings=OnlineRequestSettings(
                request_timeout_ms=1500, max_concurrent_requests_per_instance=1
            ),
            **more,
        )
        return self.client.online_deployments.begin_create_or_update(deployment)

    def split(self, **traffic: int) -> None:
        endpoint = self.client.online_endpoints.get(self.name)
        endpoint.traffic = traffic
        self.client.online_endpoints.begin_create_or_update(endpoint).result()

    def score(
        self, body: Any, *, to: str | None = None, key: str | None = None, **headers: str
    ) -> requests.Response:
        token = key or self.client.online_endpoints.get_keys(self.name).primary_key
        headers |= {"azureml-model-deployment": to} if to else {}
        return self.server.call("POST", f"/online/{self.name}/score", body, token=token, headers=headers)

    def answer(self, body: Any = None, *, to: str) -> Any:
        """Which model a deployment says it has."""
        answered = self.score(body or {}, to=to)
        assert answered.status_code == 200, answered.text
        return answered.json()["model"]


@pytest.fixture(scope="module")
def endpoint(
    new_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Endpoint]:
    """On a server of its own, since it is killed here."""
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    server = new_server()
    server.start()
    with pytest.MonkeyPatch.context() as variables:
        for name, value in server.variables.items():
            variables.setenv(name, value)
        client = MLClient(DefaultAzureCredential(), SUBSCRIPTION, GROUP, NAME)
        made = Endpoint(client, server, tmp_path_factory.mktemp("scorer"))
        for color in ("blue", "green"):
            deployed = until(lambda name=color: _succeeded(client, name), seconds=120)
            assert deployed.provisioning_state == "Succeeded"
        yield made
    server.stop()


def _succeeded(client: Any, name: str) -> Any:
    found = client.online_deployments.get(name, "scorer")
    return found if found.provisioning_state in ("Succeeded", "Failed") else None


@pytest.fixture(autouse=True)
def _variables(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in endpoint.server.variables.items():
        monkeypatch.setenv(name, value)


def test_a_deployment_answers_with_its_model_and_its_variables(endpoint: Endpoint) -> None:
    reply = endpoint.score({})
    assert reply.json() == {"model": "blue", "environment": "hello blue"}
    assert reply.headers["azureml-model-deployment"] == "blue"


def test_the_header_chooses_and_traffic_is_split(endpoint: Endpoint) -> None:
    assert endpoint.score({}, to="green").json()["model"] == "green"
    endpoint.split(blue=90, green=10)
    asked = Counter(endpoint.score({}).json()["model"] for _ in range(200))
    assert 3 <= asked["green"] <= 45, asked  # 20 are expected; outside of this once in 300,000 times
    assert asked.total() == 200
    endpoint.split(blue=100)
    assert endpoint.client.online_endpoints.get("scorer").traffic == {"blue": 100, "green": 0}


def test_who_has_no_key_gets_401_and_keys_can_be_renewed(endpoint: Endpoint) -> None:
    old = endpoint.client.online_endpoints.get_keys("scorer").primary_key
    assert endpoint.score({}, key="wrong").status_code == 401
    for header in (old, f"Basic {old}", f"Bearer{old}", ""):
        told = endpoint.server.call("POST", "/online/scorer/score", {}, headers={"Authorization": header})
        assert (header, told.status_code) == (header, 401)
    endpoint.client.online_endpoints.begin_regenerate_keys("scorer", key_type="primary").result()
    assert endpoint.score({}, key=old).status_code == 401
    assert endpoint.score({}).status_code == 200


def test_a_model_that_does_not_answer_200_is_424(endpoint: Endpoint) -> None:
    reply = endpoint.score({"status": 400})
    assert (reply.status_code, reply.headers["ms-azureml-model-error-statuscode"]) == (424, "400")
    assert reply.json() == {"error": {"code": "Told"}}


def _metrics(endpoint: Endpoint, **query: str) -> requests.Response:
    now = datetime.now(UTC)
    span = "/".join((now + timedelta(minutes=by)).strftime("%Y-%m-%dT%H:%M:%SZ") for by in (-60, 1))
    asked = {
        "api-version": "2023-10-01",
        "timespan": span,
        "interval": "PT1M",
        "aggregation": "Average",
        **query,
    }
    path = f"{WS}/onlineEndpoints/scorer/providers/Microsoft.Insights/metrics"
    return endpoint.server.call("GET", f"{path}?{urlencode(asked)}")


def test_requests_and_latencies_are_metrics_by_deployment(endpoint: Endpoint) -> None:
    def counted() -> dict[tuple[str, str], float]:
        where = "deployment eq '*' and statusCode eq '*'"
        (metric,) = _metrics(endpoint, metricnames="RequestsPerMinute", **{"$filter": where}).json()["value"]
        found = {}
        for series in metric["timeseries"]:
            of = tuple(one["value"] for one in series["metadatavalues"])
            found[of[0], of[1]] = sum(point["average"] for point in series["data"])
        return found

    before = Counter(counted())
    for _ in range(3):
        endpoint.score({}, to="green")
    endpoint.score({"status": 400}, to="green")
    assert Counter(counted()) - before == {("green", "200"): 3, ("green", "424"): 1}
    times = _metrics(
        endpoint, metricnames="RequestLatency_P50,RequestLatency_P95", **{"$filter": "deployment eq 'green'"}
    )
    half, most = (
        [point["average"] for point in one["timeseries"][0]["data"]] for one in times.json()["value"]
    )
    assert all(0 < low <= high for low, high in zip(half, most, strict=True))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"metricnames": "Wishes"}, 400),
        ({"metricnames": ""}, 400),
        ({"metricnames": "RequestLatency_P95", "$filter": "statusCode eq '*'"}, 400),
        ({"metricnames": "RequestsPerMinute", "timespan": "yesterday"}, 400),
        ({"metricnames": "RequestsPerMinute", "aggregation": "Total"}, 501),
        ({"metricnames": "RequestsPerMinute", "interval": "PT1H"}, 501),
    ],
)
def test_a_metric_that_is_not_there_is_refused(
    endpoint: Endpoint, query: dict[str, str], status: int
) -> None:
    assert _metrics(endpoint, **query).status_code == status


def test_a_deployment_tells_application_insights_of_requests_where_that_is_on(endpoint: Endpoint) -> None:
    endpoint.deploy("told", "green", app_insights_enabled=True).result()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    for to, body in (("told", {}), ("blue", {}), ("told", {"status": 400})):
        endpoint.score(body, to=to, traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    endpoint.score({}, to="told")
    seen = endpoint.server.call("GET", f"/__localazure/telemetry?operation={trace}").json()["value"]
    assert [each["data"]["baseData"]["responseCode"] for each in seen] == ["200", "424"]
    assert {each["tags"]["ai.operation.parentId"] for each in seen} == {"00f067aa0ba902b7"}
    assert {each["data"]["baseData"]["properties"]["deployment"] for each in seen} == {"told"}
    everything = endpoint.server.call("GET", "/__localazure/telemetry").json()["value"]
    assert len(everything) == 3, "one of them in no trace"
    endpoint.client.online_deployments.begin_delete("told", endpoint.name).result()


def test_slow_is_408_and_too_many_are_429(endpoint: Endpoint) -> None:
    key = endpoint.client.online_endpoints.get_keys("scorer").primary_key
    assert endpoint.score({"sleep": 1.8}, key=key).status_code == 408
    until(lambda: endpoint.score({}, key=key).status_code == 200)
    with concurrent.futures.ThreadPoolExecutor(6) as crowd:
        replies = list(crowd.map(lambda _: endpoint.score({"sleep": 0.4}, key=key).status_code, range(6)))
    assert Counter(replies) == {200: 2, 429: 4}


def test_no_traffic_is_404(endpoint: Endpoint) -> None:
    endpoint.split(blue=0)
    assert endpoint.score({}).status_code == 404
    endpoint.split(blue=100)


def test_swagger_and_logs_are_the_servers_own(endpoint: Endpoint) -> None:
    key = endpoint.client.online_endpoints.get_keys("scorer").primary_key
    assert "paths" in endpoint.server.call("GET", "/online/scorer/swagger.json", token=key).json()
    log = endpoint.client.online_deployments.get_logs("blue", "scorer", lines=400)
    assert "azmlinfsrv" in log
    assert "Traceback" not in log  # the server reads name and version from the place of the model


def test_a_model_that_cannot_start_fails_the_deployment_with_its_log(endpoint: Endpoint) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="this model is broken"):
        endpoint.deploy("red", "broken").result()
    assert endpoint.client.online_deployments.get("red", "scorer").provisioning_state == "Failed"
    endpoint.client.online_deployments.begin_delete("red", "scorer").result()


def test_a_deployment_with_traffic_is_not_deleted(endpoint: Endpoint) -> None:
    reply = endpoint.server.call("DELETE", f"{WS}/onlineEndpoints/scorer/deployments/blue")
    assert reply.status_code == 400


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_only_this_machine_reaches_the_servers_behind(endpoint: Endpoint) -> None:
    groups = [file.name for file in (endpoint.server.state / "workspace" / "processes").iterdir()]
    sockets = {os.readlink(handle) for group in groups for handle in Path(f"/proc/{group}/fd").iterdir()}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    addresses = [
        row[1].partition(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets
    ]
    assert len(addresses) == 2
    assert set(addresses) == {"0100007F"}


def test_a_server_that_dies_or_an_emulator_that_is_killed_comes_back(endpoint: Endpoint) -> None:
    endpoint.score({"exit": 1})
    until(lambda: endpoint.score({}).status_code == 200)
    groups = [int(file.name) for file in (endpoint.server.state / "workspace" / "processes").iterdir()]
    endpoint.server.stop(signal.SIGKILL)
    until(lambda: not any(alive(group) for group in groups))
    endpoint.server.start()
    for color in ("blue", "green"):
        until(lambda name=color: endpoint.score({}, to=name).status_code == 200)


def test_a_deployment_changed_in_place_serves_the_old_until_the_new_answers(endpoint: Endpoint) -> None:
    poller = endpoint.deploy("green", "other")
    while not poller.done():
        assert endpoint.answer(to="green") in ("green", "other")
    assert endpoint.answer(to="green") == "other"


def test_a_deployment_that_is_replaced_answers_what_it_was_asked_before(endpoint: Endpoint) -> None:
    """One request is always on its way, so the exchange falls in the middle of one."""
    before = endpoint.answer(to="green")
    poller = endpoint.deploy("green", "another")
    answers = []
    while not poller.done() or answers[-1] != "another":
        answers.append(endpoint.answer({"sleep": 0.6}, to="green"))
    exchange = answers.index("another")
    assert set(answers[:exchange]) == {before}
    assert set(answers[exchange:]) == {"another"}


def test_what_served_before_a_change_serves_on_after_a_kill(endpoint: Endpoint) -> None:
    """Whether the change had failed or was under way; a server that dies says nothing of a change that failed."""
    from azure.core.exceptions import HttpResponseError

    def state() -> Any:
        return endpoint.client.online_deployments.get("green", "scorer").provisioning_state

    def restarted() -> None:
        endpoint.server.stop(signal.SIGKILL)
        endpoint.server.start()
        until(lambda: endpoint.score({}, to="green").status_code == 200, seconds=120)
        assert endpoint.answer(to="green") == before

    before = endpoint.answer(to="green")
    with pytest.raises(HttpResponseError, match="this model is broken"):
        endpoint.deploy("green", "broken").result()
    restarted()
    assert state() == "Failed"
    endpoint.score({"exit": 1}, to="green")
    until(lambda: endpoint.score({}, to="green").status_code == 200)
    assert state() == "Failed"
    endpoint.deploy("green", "broken")
    restarted()
    until(lambda: state() == "Failed", seconds=120)
    assert endpoint.answer(to="green") == before


def test_an_endpoint_for_tokens_takes_tokens(endpoint: Endpoint) -> None:
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    client = endpoint.client
    client.online_endpoints.begin_create_or_update(
        ManagedOnlineEndpoint(name="tokens", auth_mode="aad_token")
    ).result()
    token = endpoint.server.token("https://ml.azure.com")
    assert endpoint.server.call("POST", "/online/tokens/score", {}, token=token).status_code == 404
    assert endpoint.server.call("POST", "/online/tokens/score", {}).status_code == 401
    client.online_endpoints.begin_delete("tokens").result()
