"""Data, models, environments: through the SDK, as the product uses it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from localazure.workspace.engine.outputs import Outputs
from localazure.workspace.handlers import assets
from localazure.workspace.planning.plan import Target
from localazure.workspace.store.documents import Store
from localazure.workspace.wire.calls import Call, Refusal
from running_azure.waiting import until
from running_azure.workspace import WS, Server


def test_data_gets_the_next_version_and_latest(client: Any, name: str) -> None:
    from azure.ai.ml.entities import Data

    url = "http://127.0.0.1:10000/devstoreaccount1/datasets/x/manifests/{}.json"
    for number in (1, 2):
        made = client.data.create_or_update(Data(name=name, path=url.format(number), type="uri_file"))
        assert made.version == str(number)
    assert client.data.get(name, label="latest").version == "2"
    assert [one.version for one in client.data.list(name)] == ["2", "1"]


def test_tags_of_a_version_can_change_but_its_path_cannot(client: Any, name: str) -> None:
    from azure.ai.ml.entities import Data

    asset = Data(name=name, version="7", path="https://x.blob.core.windows.net/c/a.json", type="uri_file")
    client.data.create_or_update(asset)
    asset.tags = {"rows": "12"}
    assert client.data.create_or_update(asset).tags == {"rows": "12"}
    with pytest.raises(ResourceExistsError, match="Asset paths cannot be updated"):
        client.data.create_or_update(
            Data(name=name, version="7", path="https://x.blob.core.windows.net/c/b.json", type="uri_file")
        )


def test_what_is_not_there_is_not_found(client: Any, name: str) -> None:
    with pytest.raises(ResourceNotFoundError):
        client.data.get(name, version="1")


def test_archived_versions_leave_the_list(client: Any, name: str) -> None:
    from azure.ai.ml.entities import Data

    client.data.create_or_update(Data(name=name, version="1", path="https://x/c/a.json", type="uri_file"))
    client.data.archive(name, version="1")
    assert list(client.data.list(name)) == []
    client.data.restore(name, version="1")
    assert len(list(client.data.list(name))) == 1


def test_a_folder_of_files_goes_up_and_comes_back(client: Any, name: str, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model

    folder = tmp_path / "model"
    (folder / "deeper").mkdir(parents=True)
    (folder / "model.txt").write_text(name)
    (folder / "deeper" / "empty.json").write_text("{}")
    made = client.models.create_or_update(
        Model(name=name, version="3", path=str(folder), type="custom_model", tags={"dataset": "bank"})
    )
    assert made.version == "3"
    client.models.download(name, version="3", download_path=str(tmp_path / "down"))
    assert (tmp_path / "down" / name / "model" / "model.txt").read_text() == name
    assert client.models.get(name, label="latest").tags == {"dataset": "bank"}
    assert [model.name for model in client.models.list(name)] == [name]


def test_registering_an_equal_model_again_is_fine_and_another_is_not(
    client: Any, name: str, tmp_path: Path
) -> None:
    from azure.ai.ml.entities import Model

    file = tmp_path / "model.txt"
    file.write_text(name)
    for _ in range(2):
        client.models.create_or_update(Model(name=name, version="1", path=str(file), type="custom_model"))
    file.write_text(name + "other")
    with pytest.raises(HttpResponseError):
        client.models.create_or_update(Model(name=name, version="1", path=str(file), type="custom_model"))


def test_environments_have_versions(client: Any, name: str, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Environment

    conda = tmp_path / "conda.yaml"
    conda.write_text("dependencies: [python=3.11, {pip: [pyyaml]}]\n")
    made = client.environments.create_or_update(Environment(name=name, image="ubuntu", conda_file=conda))
    assert (made.version, client.environments.get(name, label="latest").version) == ("1", "1")


def test_what_a_job_made_is_edited_and_stays_that_jobs(client: Any, server: Server, name: str) -> None:
    """The SDK sends the job's name of a data asset back, and that of a model not."""
    output = {"jobOutputType": "uri_folder", "assetName": name}
    job = {"jobType": "Command", "experimentName": name, "command": "echo x > ${{outputs.out}}/x"}
    server.call("PUT", f"{WS}/jobs/{name}", {"properties": job | {"outputs": {"out": output}}})
    until(lambda: client.jobs.get(name).status == "Completed")
    client.data.archive(name, version="1")
    assert list(client.data.list(name)) == []
    told = server.call("GET", f"{WS}/data/{name}/versions/1").json()["properties"]
    assert (told["jobName"], told["isArchived"]) == (name, True)
    at = f"{WS}/models/{name}/versions/1"
    uri = f"azureml://jobs/{name}/outputs/out/paths/"
    assert server.call("PUT", at, {"properties": {"modelUri": uri}}).json()["properties"]["jobName"] == name
    model = client.models.get(name, version="1")
    model.tags = {"a": "b"}
    assert client.models.create_or_update(model).tags == {"a": "b"}
    assert server.call("GET", at).json()["properties"]["jobName"] == name


class _Together(Store):
    """A store of which two threads read a version before either writes one, if nothing keeps them apart."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self._both = threading.Barrier(2)

    def meet(self, kind: str) -> None:
        if kind == "data/versions":
            try:
                self._both.wait(1)
            except threading.BrokenBarrierError:
                return  # the other one is kept out

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        found = super().get(kind, key)
        self.meet(kind)
        return found

    def all(self, kind: str, **more: Any) -> list[dict[str, Any]]:
        found = super().all(kind, **more)
        self.meet(kind)
        return found


def test_of_two_puts_of_one_version_at_once_one_is_refused(tmp_path: Path) -> None:
    store = _Together(tmp_path / "workspace.db")
    settings = SimpleNamespace(resource_id="of")
    resolver = SimpleNamespace(long_form=lambda uri: uri)
    workspace: Any = SimpleNamespace(store=store, settings=settings, resolver=resolver, strict=())

    def put(path: str) -> int:
        body = f'{{"properties": {{"dataUri": "{path}", "dataType": "uri_file"}}}}'.encode()
        names = {"kind": "data", "name": "one", "version": "1"}
        call = Call(method="PUT", path="", query={}, headers={}, body=body, names=names)
        try:
            return assets.put_version(workspace, call).status
        except Refusal as refusal:
            return refusal.status

    paths = ("https://x/a", "https://x/b")
    with ThreadPoolExecutor(2) as threads:
        statuses = dict(zip(paths, threads.map(put, paths), strict=True))
    assert sorted(statuses.values()) == [201, 409]
    [kept] = Store.all(store, "data/versions")
    assert statuses[kept["properties"]["dataUri"]] == 201


def test_two_outputs_registered_at_once_are_two_versions(tmp_path: Path) -> None:
    store, nothing = _Together(tmp_path / "workspace.db"), SimpleNamespace()
    parts: Any = {"blobs": nothing, "runs": nothing, "resolver": nothing}
    outputs = Outputs(store=store, **parts)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda job: outputs._register(Target(asset="one"), f"at {job}", job), "ab"))
    kept = {one["version"]: one["properties"]["jobName"] for one in Store.all(store, "data/versions")}
    assert sorted(kept) == ["1", "2"]
    assert sorted(kept.values()) == ["a", "b"]
