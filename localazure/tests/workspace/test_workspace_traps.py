"""What is known to go wrong between the SDK and the service, one test each: here it goes as in Azure, or right."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.exceptions import ResourceExistsError

from running_azure import DISTRIBUTION
from running_azure.waiting import until
from running_azure.workspace import GROUP, NAME, SUBSCRIPTION, WS, Server

URL = "https://x.blob.core.windows.net/c/{}.json"


def _data(client: Any, name: str, version: str | None, path: str) -> Any:
    from azure.ai.ml.entities import Data

    return client.data.create_or_update(
        Data(name=name, version=version, path=URL.format(path), type="uri_file")
    )


def test_automatic_versions_pass_over_words(client: Any, name: str) -> None:
    _data(client, name, "draft", "a")
    assert _data(client, name, None, "b").version == "1"
    _data(client, name, "7", "c")
    assert _data(client, name, None, "d").version == "8"


def test_automatic_versions_are_not_atomic(client: Any, name: str, server: Server) -> None:
    """Two callers may be given the same number; the second one is told when its content is another."""
    _data(client, name, None, "a")
    told = [server.call("GET", f"{WS}/data/{name}").json()["properties"]["nextVersion"] for _ in range(2)]
    assert told == ["2", "2"]
    _data(client, name, "2", "b")
    with pytest.raises(ResourceExistsError, match="Asset paths cannot be updated"):
        _data(client, name, "2", "c")


def test_latest_is_what_was_made_last_not_the_highest_number(client: Any, name: str, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model

    (tmp_path / "m.txt").write_text("m")
    for version in ("9", "2"):
        client.models.create_or_update(Model(name=name, version=version, path=str(tmp_path / "m.txt")))
        _data(client, name, version, version)
    assert client.models.get(name, label="latest").version == "2"
    assert client.data.get(name, label="latest").version == "2"


def test_short_and_long_paths_of_a_datastore_are_the_same_content(client: Any, name: str) -> None:
    from azure.ai.ml.entities import Data

    short = "azureml://datastores/workspaceblobstore/paths/here/"
    made = client.data.create_or_update(Data(name=name, version="1", path=short, type="uri_folder"))
    assert made.path.startswith("azureml://subscriptions/")
    again = Data(name=name, version="1", path=made.path, type="uri_folder")
    assert client.data.create_or_update(again).path == made.path


def test_an_input_says_latest_without_the_azureml_prefix(client: Any, name: str) -> None:
    from azure.ai.ml import Input, command
    from azure.ai.ml.entities import Environment
    from azure.ai.ml.exceptions import MlException

    client.environments.create_or_update(Environment(name="python", image="ubuntu"))
    _data(client, name, "1", "a")

    def submit(path: str) -> Any:
        job = command(
            command="echo ${{inputs.d}}", environment="python@latest",
            inputs={"d": Input(type="uri_file", path=path, mode="direct")},
        )  # fmt: skip
        return client.jobs.create_or_update(job)

    assert submit(f"{name}@latest").status == "NotStarted"
    assert submit(f"azureml:{name}:1").status == "NotStarted"
    with pytest.raises(MlException, match="Resource was not found"):
        submit(f"azureml:{name}@latest")


def test_a_component_used_inline_stays_anonymous(client: Any, name: str) -> None:
    from azure.ai.ml import command, dsl
    from azure.ai.ml.entities import Environment

    client.environments.create_or_update(Environment(name="python", image="ubuntu"))
    step = command(name=name, command="true", environment="python@latest")

    @dsl.pipeline(default_compute="serverless")
    def used() -> None:
        step()

    job = client.jobs.create_or_update(used())
    assert list(client.jobs.get(job.name).jobs) == [name]
    assert "azureml_anonymous" in client.components.create_or_update(step.component).id


def test_a_registered_component_has_a_version_and_is_found_without(client: Any, name: str) -> None:
    from azure.ai.ml import command
    from azure.ai.ml.entities import Environment

    client.environments.create_or_update(Environment(name="python", image="ubuntu"))
    step = command(name=name, command="true", environment="python@latest", version="3")
    assert client.components.create_or_update(step.component).version == "3"
    assert client.components.get(name).version == "3"
    assert [one.version for one in client.components.list(name)] == ["3"]


def test_the_same_code_is_uploaded_once_under_whatever_name(
    client: Any, tmp_path: Path, server: Server
) -> None:
    from azure.ai.ml import command
    from azure.ai.ml.entities import Environment

    client.environments.create_or_update(Environment(name="python", image="ubuntu"))
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text(f"# {tmp_path}")
    for _ in range(2):
        job = command(code=str(tmp_path / "src"), command="test -e a.py", environment="python@latest")
        client.jobs.create_or_update(job)
    jobs = server.call("GET", f"{WS}/jobs").json()["value"][:2]
    codes = {one["properties"]["codeId"] for one in jobs}
    assert len(codes) == 1
    code = server.call("GET", codes.pop()).json()
    assert code["properties"]["codeUri"].endswith("/src")


def test_upload_containers_have_names_storage_takes(server: Server) -> None:
    path = f"{WS}/codes/any/versions/1/startPendingUpload"
    told = server.call("POST", path, {"pendingUploadType": "TemporaryBlobReference"}).json()
    container = told["blobReferenceForConsumption"]["blobUri"].rpartition("/")[2]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{32}", container)
    assert len(container) <= 63


def test_models_always_have_flavors_and_deployments_a_scale(server: Server, name: str) -> None:
    """Without these the SDK fails in every call that meets one."""
    server.put_blob("m/model")
    body = {"properties": {"modelUri": "azureml://datastores/workspaceblobstore/paths/m/"}}
    assert server.call("PUT", f"{WS}/models/{name}/versions/1", body).json()["properties"]["flavors"] == {}
    body["properties"]["modelType"] = "mlflow_model"
    told = server.call("PUT", f"{WS}/models/{name}/versions/2", body).json()["properties"]
    assert list(told["flavors"]) == ["python_function"]


def test_a_new_job_says_it_has_not_started_and_has_no_default_output(server: Server, name: str) -> None:
    job = {"properties": {"jobType": "Command", "command": "true", "experimentName": "e"}}
    told = server.call("PUT", f"{WS}/jobs/{name}", job).json()["properties"]
    assert told["status"] == "NotStarted"
    assert told["services"]["Studio"]["endpoint"].startswith("https://")
    assert "default" not in told["outputs"]


def test_a_step_answers_as_a_job_without_properties(server: Server, name: str) -> None:
    spec = {"type": "command", "command": "true"}
    component = server.call(
        "PUT", f"{WS}/components/azureml_anonymous/versions/{name}",
        {"properties": {"componentSpec": spec, "isAnonymous": True}},
    ).json()["id"]  # fmt: skip
    jobs = {"one": {"type": "command", "componentId": component}}
    body = {"properties": {"jobType": "Pipeline", "experimentName": "e", "jobs": jobs}}
    server.call("PUT", f"{WS}/jobs/{name}", body)
    (child,) = server.call("GET", f"/history/v1.0{WS}/runs/{name}/children").json()["value"]
    assert server.call("GET", f"{WS}/jobs/{child['runId']}").json()["properties"] is None


def test_a_model_typed_output_can_be_downloaded(client: Any, name: str, tmp_path: Path) -> None:
    """The SDK cannot follow outputs that say they are models; so they say they are folders."""
    from azure.ai.ml import Output, command
    from azure.ai.ml.entities import Environment

    client.environments.create_or_update(Environment(name="python", image="ubuntu"))
    job = command(
        name=name, command="echo m > ${{outputs.model}}/m", environment="python@latest",
        outputs={"model": Output(type="mlflow_model")},
    )  # fmt: skip
    client.jobs.create_or_update(job)
    until(lambda: client.jobs.get(name).status == "Completed")
    client.jobs.download(name, download_path=str(tmp_path), output_name="model")
    assert (tmp_path / "named-outputs" / "model" / "m").read_text() == "m\n"


def test_bodies_may_come_in_pieces_or_not_at_all(server: Server, name: str) -> None:
    body = json.dumps(
        {"properties": {"jobType": "Command", "command": "true", "experimentName": "e"}}
    ).encode()
    headers = {"Authorization": f"Bearer {server.token()}", "Content-Type": "application/json"}
    reply = requests.put(
        f"{server.base}{WS}/jobs/{name}",
        data=iter([body[:10], body[10:]]),  # which requests sends in chunks
        headers=headers,
        verify=server.bundle,
        timeout=10,
    )
    assert reply.status_code == 201
    empty = requests.post(
        f"{server.base}{WS}/jobs/{name}/cancel", headers=headers, verify=server.bundle, timeout=10
    )
    assert (empty.status_code, empty.content) == (202, b"")


def test_each_service_wants_a_token_for_itself(server: Server, name: str) -> None:
    management = server.token("https://management.azure.com")
    learning = server.token("https://ml.azure.com")
    assert server.call("GET", WS, token=management).status_code == 200
    server.call("PUT", f"{WS}/batchEndpoints/{name}", {"properties": {"authMode": "AADToken"}})
    assert server.call("POST", f"/batch/{name}/jobs", {}, token=management).status_code == 401
    assert server.call("POST", f"/batch/{name}/jobs", {}, token=learning).status_code == 400  # no deployment


@pytest.mark.slow
def test_an_mltable_of_local_files_is_registered_though_its_schema_is_far(
    client: Any, name: str, tmp_path: Path
) -> None:
    from azure.ai.ml.entities import Data

    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "rows.csv").write_text("a,b\n1,2\n")
    (tmp_path / "table" / "MLTable").write_text(
        "type: mltable\npaths:\n  - file: ./rows.csv\ntransformations:\n  - read_delimited: {delimiter: ','}\n"
    )
    made = client.data.create_or_update(Data(name=name, path=str(tmp_path / "table"), type="mltable"))
    assert (made.type, made.version) == ("mltable", "1")
    assert client.data.get(name, version="1").type == "mltable"


def test_steps_are_named_in_lower_case(client: Any) -> None:
    from azure.ai.ml import command, dsl
    from azure.ai.ml.exceptions import UserErrorException

    step = command(name="step", command="true", environment="python@latest")

    @dsl.pipeline(default_compute="serverless")
    def named() -> None:
        stepOne = step()  # noqa: F841 - the SDK reads the variable's name

    with pytest.raises(UserErrorException, match="lower letters"):
        named()


def test_a_job_says_from_which_commit_it_came(
    client: Any, name: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK asks git in the current folder; what it says is kept."""
    monkeypatch.chdir(DISTRIBUTION)
    from azure.ai.ml import command
    from azure.ai.ml.entities import Environment

    client.environments.create_or_update(Environment(name="python", image="ubuntu"))
    client.jobs.create_or_update(command(name=name, command="true", environment="python@latest"))
    told = server.call("GET", f"{WS}/jobs/{name}").json()["properties"]["properties"]
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=DISTRIBUTION, capture_output=True, text=True, check=False
    )
    assert told.get("mlflow.source.git.commit", "") == commit.stdout.strip()


def test_without_retries_a_workspace_that_is_not_there_is_found_out_at_once(
    monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]
) -> None:
    from azure.ai.ml import MLClient
    from azure.core.exceptions import ServiceRequestError
    from azure.identity import DefaultAzureCredential

    monkeypatch.setenv("AZUREML_DEV_URL_MFE", f"https://127.0.0.1:{free_port()}")
    nobody = MLClient(DefaultAzureCredential(), SUBSCRIPTION, GROUP, NAME, retry_total=0)
    with pytest.raises(ServiceRequestError):
        nobody.data.get("any", version="1")


def test_relative_paths_are_below_the_current_folder(
    client: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from azure.ai.ml.entities import Data

    (tmp_path / "rows.csv").write_text(name)
    monkeypatch.chdir(tmp_path)
    made = client.data.create_or_update(Data(name=name, path="rows.csv", type="uri_file"))
    assert made.path.endswith("/rows.csv")
