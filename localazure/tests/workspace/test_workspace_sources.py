"""Every source of data and of models, through the SDK; and the lists, labels and archives over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from running_azure.waiting import until
from running_azure.workspace import WS, Server

BLOBSTORE = "azureml://datastores/workspaceblobstore/paths"

LONG = "azureml://subscriptions/"


def _data(client: Any, **given: Any) -> Any:
    from azure.ai.ml.entities import Data

    return client.data.create_or_update(Data(**given))


def _model(client: Any, **given: Any) -> Any:
    from azure.ai.ml.entities import Model

    return client.models.create_or_update(Model(**given))


def _blobs(client: Any, azurite: str, path: str) -> dict[str, bytes]:
    """The files below a datastore path."""
    store, _, inside = path.partition("/datastores/")[2].partition("/paths/")
    container = BlobServiceClient.from_connection_string(azurite).get_container_client(
        client.datastores.get(store).container_name
    )
    names = list(container.list_blob_names(name_starts_with=inside))
    return {name.rpartition("/")[2]: container.download_blob(name).readall() for name in names}


def test_a_local_file_is_uploaded_once(client: Any, name: str, azurite: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(name)
    made = [_data(client, name=name, path=str(file), type="uri_file") for _ in range(2)]
    assert [one.version for one in made] == ["1", "2"]
    assert made[0].path == made[1].path
    assert made[0].path.startswith(LONG)
    assert _blobs(client, azurite, made[0].path) == {"rows.csv": name.encode()}


def test_a_local_folder_is_uploaded_with_what_is_deeper(
    client: Any, name: str, azurite: str, tmp_path: Path
) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.csv").write_text(name)
    (tmp_path / "in" / "deep" / "b.csv").write_text("b")
    made = _data(client, name=name, path=str(tmp_path / "in"), type="uri_folder")
    assert _blobs(client, azurite, made.path) == {"a.csv": name.encode(), "b.csv": b"b"}


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("https://other.blob.core.windows.net/c/rows.csv", "https://other.blob.core.windows.net/c/rows.csv"),
        (
            "http://127.0.0.1:10000/devstoreaccount1/c/r.csv",
            "http://127.0.0.1:10000/devstoreaccount1/c/r.csv",
        ),
        ("wasbs://c@other.blob.core.windows.net/rows.csv", "wasbs://c@other.blob.core.windows.net/rows.csv"),
        (
            "azureml://datastores/workspaceblobstore/paths/a/b.csv",
            "/datastores/workspaceblobstore/paths/a/b.csv",
        ),
    ],
)
def test_a_path_that_is_somewhere_already_is_kept(client: Any, name: str, path: str, kept: str) -> None:
    made = _data(
        client, name=name, version="1", path=path, type="uri_file", description="here", tags={"a": "b"}
    )
    found = client.data.get(name, version="1")
    assert found.path.endswith(kept)
    assert (found.description, found.tags, made.version) == ("here", {"a": "b"}, "1")


def test_archived_assets_leave_lists_and_come_back(client: Any, name: str) -> None:
    for version in ("1", "2"):
        _data(client, name=name, version=version, path=f"https://x/c/{version}", type="uri_file")
    client.data.archive(name, version="2")
    assert client.data.get(name, label="latest").version == "1"
    assert [one.version for one in client.data.list(name, list_view_type="ArchivedOnly")] == ["2"]
    client.data.archive(name)
    assert name not in [one.name for one in client.data.list()]
    assert name in [one.name for one in client.data.list(list_view_type="ArchivedOnly")]
    client.data.restore(name)
    client.data.restore(name, version="2")
    assert name in [one.name for one in client.data.list()]
    assert client.data.get(name, label="latest").version == "2"
    assert client.data.get(name, version="2").path == "https://x/c/2"


def _job(client: Any, name: str) -> None:
    """A job with a named output and an artifact."""
    from azure.ai.ml import Output, command
    from azure.ai.ml.entities import Environment

    client.environments.create_or_update(Environment(name="python", image="ubuntu"))
    line = (
        "mkdir -p outputs/model logs; echo artifact > outputs/model/m; echo log > logs/l; "
        "echo named > ${{outputs.trained}}/m"
    )
    job = command(
        name=name, command=line, environment="python@latest", outputs={"trained": Output(type="uri_folder")}
    )
    client.jobs.create_or_update(job)
    until(lambda: client.jobs.get(name).status == "Completed", seconds=60)


def test_models_come_from_wherever_they_are(client: Any, name: str, azurite: str, tmp_path: Path) -> None:
    _job(client, f"job-{name}")
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "m").write_text("local")
    stored = _data(client, name=name, path=str(tmp_path / "local"), type="uri_folder").path
    sources = {
        "local": (str(tmp_path / "local"), "local"),
        "file": (str(tmp_path / "local" / "m"), "local"),
        "output": (f"azureml://jobs/job-{name}/outputs/trained", "named\n"),
        "artifact": (f"azureml://jobs/job-{name}/outputs/artifacts/paths/outputs/model/", "artifact\n"),
        "runs": (f"runs:/job-{name}/outputs/model/", "artifact\n"),
        "datastore": (
            f"azureml://datastores/workspaceblobstore/paths/{stored.partition('/paths/')[2]}",
            "local",
        ),
    }
    for kind, (path, says) in sources.items():
        made = _model(client, name=f"{name}-{kind}", path=path, type="custom_model", tags={"n": 1})
        assert (made.version, made.tags) == ("1", {"n": "1"})
        assert made.path.startswith(LONG), kind
        assert made.job_name == (f"job-{name}" if kind in ("output", "artifact", "runs") else None)
        client.models.download(made.name, version="1", download_path=str(tmp_path / "down"))
        (file,) = [one for one in (tmp_path / "down" / made.name).rglob("*") if one.is_file()]
        assert file.read_text() == says, kind


def test_models_are_listed_labelled_and_archived(client: Any, name: str, tmp_path: Path) -> None:
    (tmp_path / "m").write_text("m")
    for stage in ("Development", "Production"):
        _model(client, name=name, path=str(tmp_path / "m"), stage=stage)
    assert [one.version for one in client.models.list(name)] == ["2", "1"]
    assert client.models.get(name, label="latest").stage == "Production"
    assert [one.version for one in client.models.list(name, stage="Production")] == ["2"]
    client.models.archive(name, version="2")
    assert client.models.get(name, label="latest").version == "1"
    client.models.archive(name)
    assert name not in [one.name for one in client.models.list()]
    client.models.restore(name)
    assert name in [one.name for one in client.models.list()]


def test_a_model_from_nowhere_is_refused(client: Any, name: str, server: Server) -> None:
    body = {"properties": {"modelUri": f"azureml://jobs/{name}/outputs/none", "modelType": "custom_model"}}
    reply = server.call("PUT", f"{WS}/models/{name}/versions/1", body)
    assert (reply.status_code, "no output 'none'" in reply.text) == (400, True)
    with pytest.raises(ResourceNotFoundError):
        client.models.get(name, version="1")


@pytest.mark.parametrize(
    "uri",
    [
        f"{BLOBSTORE}/none-{{name}}/",
        f"{BLOBSTORE}/there-{{name}}/model.pk",
        f"{BLOBSTORE}/there-{{name}}/mod",
        "azureml:nobody-{name}:1",
        "wasbs://no-such-container@account/model",
    ],
)
def test_a_model_of_files_that_are_not_there_is_refused(server: Server, name: str, uri: str) -> None:
    """Nor is a path there that only begins like one that is."""
    server.put_blob(f"there-{name}/model.pkl")
    at = f"{WS}/models/{name}/versions/1"
    reply = server.call("PUT", at, {"properties": {"modelUri": uri.format(name=name)}})
    assert (reply.status_code, server.call("GET", at).status_code) == (400, 404), reply.text


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("uri_folder", "folder", "folder/"),
        ("mltable", "folder", "folder/"),
        ("uri_folder", "folder/", "folder/"),
        ("uri_file", "folder/file.csv", "folder/file.csv"),
    ],
)
def test_the_path_of_a_folder_ends_with_a_slash(
    server: Server, name: str, kind: str, given: str, kept: str
) -> None:
    """As azure-ai-ml's own tests of data assets expect it; the same path without it is no other one."""
    for path in (given, given.rstrip("/")):
        body = {"properties": {"dataUri": f"{BLOBSTORE}/{path}", "dataType": kind}}
        told = server.call("PUT", f"{WS}/data/{name}/versions/1", body).json()["properties"]
        assert told["dataUri"].endswith(f"/datastores/workspaceblobstore/paths/{kept}")


def test_an_input_of_a_component_says_that_it_is_not_optional(client: Any, name: str) -> None:
    """As azure-ai-ml's own tests of components expect it."""
    from azure.ai.ml import Input, command
    from azure.ai.ml.entities import Environment

    client.environments.create_or_update(Environment(name="python", image="ubuntu"))
    say = command(
        name=name, environment="python@latest", command="echo ${{inputs.a}} $[[${{inputs.b}}]]",
        inputs={"a": Input(type="uri_folder"), "b": Input(type="number", optional=True, default=10.99)},
    ).component  # fmt: skip
    made = client.components.create_or_update(say)._to_dict()["inputs"]
    assert made["a"] == {"type": "uri_folder", "optional": False}
    assert made["b"] == {"type": "number", "optional": True, "default": "10.99"}


def _command(**more: Any) -> dict[str, Any]:
    return {"jobType": "Command", "command": "true", "experimentName": "e", **more}


def _pipeline_of(step: dict[str, Any]) -> dict[str, Any]:
    one = {"name": "a", "type": "command", "command": "true", **step}
    return {"jobType": "Pipeline", "experimentName": "e", "jobs": {"a": one}}


def _reading(uri: str) -> dict[str, Any]:
    return {"inputs": {"d": {"jobInputType": "uri_folder", "uri": uri}}}


@pytest.mark.parametrize(
    ("job", "says"),
    [
        (_command(environmentId=f"{WS}/environments/none/versions/1"), "environments 'none:1'"),
        (_command(environmentId="azureml:none@latest"), "environments 'none:latest'"),
        (_command(codeId=f"{WS}/codes/none/versions/1"), "codes 'none:1'"),
        (_command(**_reading(f"azureml:{WS}/data/none/versions/1")), "data asset none:1"),
        (_command(**_reading(f"{WS}/data/none/versions/labels/latest")), "data asset none:latest"),
        (_command(**_reading(f"{WS}/models/none/versions/1")), "model asset none:1"),
        (_command(**_reading("azureml:none:1")), "data asset none:1"),
        (
            _pipeline_of({"environment": f"azureml:{WS}/environments/none/versions/1"}),
            "environments 'none:1'",
        ),
    ],
)
def test_a_job_that_names_what_is_not_there_is_refused(
    server: Server, name: str, job: dict[str, Any], says: str
) -> None:
    """When it is submitted, not when it runs; and so is a schedule that would start it."""
    reply = server.call("PUT", f"{WS}/jobs/{name}", {"properties": job})
    assert (reply.status_code, says in reply.json()["error"]["message"]) == (400, True), reply.text
    assert server.call("GET", f"{WS}/jobs/{name}").status_code == 404
    action = {"actionType": "CreateJob", "jobDefinition": job}
    schedule = {"trigger": {"triggerType": "Cron", "expression": "0 0 * * 0"}, "action": action}
    assert server.call("PUT", f"{WS}/schedules/{name}", {"properties": schedule}).status_code == 400


@pytest.mark.parametrize("path", ["", "/", "/model.pkl"])
def test_a_model_of_a_file_or_a_folder_is_taken(server: Server, name: str, path: str) -> None:
    server.put_blob(f"there-{name}/model.pkl")
    body = {"properties": {"modelUri": f"{BLOBSTORE}/there-{name}{path}"}}
    assert server.call("PUT", f"{WS}/models/{name}/versions/1", body).status_code == 201


def test_artifacts_of_a_job_are_its_logs_and_what_it_left_in_outputs(
    client: Any, name: str, tmp_path: Path
) -> None:
    _job(client, name)
    client.jobs.download(name, download_path=str(tmp_path))
    files = {
        file.relative_to(tmp_path / "artifacts").as_posix() for file in tmp_path.rglob("*") if file.is_file()
    }
    assert files == {"outputs/model/m", "logs/l", "user_logs/std_log.txt"}
    client.jobs.download(name, download_path=str(tmp_path / "all"), all=True)
    assert (tmp_path / "all" / "named-outputs" / "trained" / "m").read_text() == "named\n"


def test_environments_by_version_label_and_list(client: Any, name: str) -> None:
    from azure.ai.ml.entities import Environment

    for image in ("a", "b"):
        client.environments.create_or_update(Environment(name=name, image=image))
    assert client.environments.get(name, label="latest").image == "b"
    assert [one.version for one in client.environments.list(name)] == ["2", "1"]
    client.environments.archive(name, version="2")
    assert [one.version for one in client.environments.list(name)] == ["1"]
    client.environments.restore(name, version="2")
    assert client.environments.get(name, version="2").image == "b"


def test_a_datastore_of_ones_own_holds_what_is_put_there(
    client: Any, name: str, azurite: str, tmp_path: Path
) -> None:
    from azure.ai.ml.entities import AzureBlobDatastore

    made = client.datastores.create_or_update(
        AzureBlobDatastore(name=name, account_name="devstoreaccount1", container_name=name)
    )
    assert (made.name, made.container_name) == (name, name)
    (tmp_path / "f").write_text("f")
    data = _data(client, name=name, path=str(tmp_path / "f"), type="uri_file", datastore=name)
    assert f"/datastores/{name}/paths/" in data.path
    assert _blobs(client, azurite, data.path) == {"f": b"f"}
    assert client.datastores.get_default().name == "workspaceblobstore"
    client.datastores.delete(name)
    assert name not in [one.name for one in client.datastores.list()]
