"""Publishing: what is there is left alone, what changed is made beside it, and only the default moves."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest

from pipelines import code, publish
from pipelines.automl import pipeline as automl
from pipelines.experimentation import pipeline as experimentation
from pipelines.scoring import pipeline as scoring
from pipelines.training import pipeline as training
from shared.domain import sign_in

pytestmark = pytest.mark.filterwarnings("ignore:.*")  # the SDK warns about its own internals
STORAGE = "https://bank.blob.core.windows.net"
SETTINGS = {
    "AZURE_SUBSCRIPTION_ID": "s",
    "AZURE_RESOURCE_GROUP": "g",
    "AZUREML_WORKSPACE": "w",
    "CAMPANHA_STORAGE": "AccountName=bank;AccountKey=a",
}


class Assets:
    """One kind of a workspace's things, by what names one; `made` is in the order of making."""

    def __init__(self, *key: str) -> None:
        self.key = key
        self.kept: dict[tuple[str, ...], Any] = {}
        self.made: list[tuple[str, ...]] = []
        self.folders: list[set[str]] = []

    def get(self, *name: str, **named: str) -> Any:
        key = name or tuple(named[part] for part in self.key)
        if key not in self.kept:
            raise ResourceNotFoundError("/".join(key))
        return self.kept[key]

    def create_or_update(self, thing: Any, **more: str) -> Any:
        for name, value in more.items():
            setattr(thing, name, value)
        key = tuple(str(getattr(thing, part)) for part in self.key)
        self.kept[key] = thing
        self.made.append(key)
        return thing

    def begin_create_or_update(self, thing: Any) -> Any:
        self.create_or_update(thing)
        return SimpleNamespace(result=lambda: thing)


class Components(Assets):
    """Notes what lies in a component's code folder, which is gone when publishing is over."""

    def create_or_update(self, thing: Any, **more: str) -> Any:
        built = thing._pipeline_builder.build(user_provided_kwargs={})  # as the SDK does with a dsl.pipeline
        self.folders += [uploaded(job.component.code) for job in built.jobs.values() if job.type == "command"]
        return super().create_or_update(built, **more)


def uploaded(folder: str) -> set[str]:
    at = Path(folder)
    return {file.relative_to(at).as_posix() for file in at.rglob("*") if file.is_file()}


class Deployments:
    """Batch deployments, which are made by plain REST."""

    PATH = re.compile(r"/subscriptions/s/resourceGroups/g/.*/batchEndpoints/([^/]+)/deployments/([^?]+)\?.*")

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Any] = {}
        """By name and endpoint."""

    def send_request(self, request: HttpRequest) -> Any:
        found = self.PATH.fullmatch(request.url)
        assert found
        key = found[2], found[1]
        status = 200 if key in self.kept else 404
        if request.method == "PUT":
            self.kept[key] = json.loads(request.content)["properties"]["deploymentConfiguration"]
            status = 201
        return SimpleNamespace(status_code=status, headers={}, raise_for_status=lambda: None)


class Workspace:
    """An MLClient, as far as publishing uses one."""

    subscription_id, resource_group_name, workspace_name = "s", "g", "w"

    def __init__(self) -> None:
        self.environments = Assets("name", "version")
        self.datastores = Assets("name")
        self.components = Components("name", "version")
        self.batch_endpoints = Assets("name")
        self.deployments = self._service_client_01_2024_preview_arm = Deployments()

    def default(self, endpoint: str) -> str:
        return str(self.batch_endpoints.get(endpoint).defaults["deployment_name"])


def published(workspace: Workspace, **more: Any) -> publish.Published:
    return publish.publish(workspace, storage=STORAGE, **{"say": str, **more})


def of_pipelines(made: publish.Published) -> Iterable[tuple[str, str, str]]:
    """Endpoint, component and deployment of each."""
    return [(name, each.component, each.deployment) for name, each in made.pipelines.items()]


def test_a_first_time_makes_all_each_after_what_it_needs() -> None:
    workspace, said = Workspace(), list[str]()
    found = published(workspace, say=said.append)
    training_environment, serving_environment = (f"{name}:{v}" for name, v in found.environments.items())
    expected = [f"environment {training_environment}", f"environment {serving_environment}"]
    expected += ["datastore campanha_scored", "datastore campanha_recipes"]
    for endpoint, component, deployment in of_pipelines(found):
        expected += [f"component {component}", f"endpoint {endpoint}"]
        expected += [f"deployment {endpoint}/{deployment} on cpu-cluster"]
        expected += [f"default deployment {endpoint}/{deployment}"]
    assert found.new == tuple(expected)
    assert said == [f"{what} made" for what in expected]
    assert set(found.pipelines) == {
        "campanha-training", "campanha-scoring", "campanha-experimentation", "campanha-automl",
    }  # fmt: skip


def test_a_second_time_makes_nothing() -> None:
    workspace = Workspace()
    first, said = published(workspace), list[str]()
    again = published(workspace, say=said.append)
    assert (again.new, again.pipelines, again.environments) == ((), first.pipelines, first.environments)
    assert said == [f"{what} is there" for what in first.new]


@pytest.mark.parametrize(
    "pipeline", [training, scoring, experimentation, automl], ids=lambda module: module.NAME
)
def test_each_step_is_given_the_whole_code_folder(pipeline: Any) -> None:
    workspace = Workspace()
    published(workspace)
    wanted = set(code.code_of(pipeline.COMMANDS))
    assert workspace.components.folders.count(wanted) == len(pipeline.COMMANDS)


def test_another_compute_is_a_component_and_a_deployment_beside_the_old() -> None:
    workspace = Workspace()
    first, moved = published(workspace), published(workspace, compute="serverless")
    assert moved.environments == first.environments
    for (endpoint, component, deployment), (_, before, old) in zip(
        of_pipelines(moved), of_pipelines(first), strict=True
    ):
        assert component != before
        assert workspace.default(endpoint) == deployment != old
        assert (old, endpoint) in workspace.deployments.kept
        settings = workspace.deployments.kept[deployment, endpoint]["settings"]
        assert settings["default_compute"] == "serverless"


def test_the_way_back_moves_only_the_default() -> None:
    workspace = Workspace()
    first = published(workspace)
    published(workspace, compute="serverless")
    back = published(workspace)
    assert back.pipelines == first.pipelines
    assert [what.partition("/")[0] for what in back.new] == [
        "default deployment campanha-training",
        "default deployment campanha-scoring",
        "default deployment campanha-experimentation",
        "default deployment campanha-automl",
    ]


def test_a_changed_environment_is_a_version_and_changes_every_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace()
    first = published(workspace)
    changed = tmp_path / "training.yaml"
    changed.write_text("name: campanha-training\ndependencies: [python=3.11]\n")
    monkeypatch.setitem(publish.ENVIRONMENTS, "campanha-training", changed)
    second = published(workspace)
    assert second.environments["campanha-training"] != first.environments["campanha-training"]
    assert second.environments["campanha-serving"] == first.environments["campanha-serving"]
    assert {c for _, c, _ in of_pipelines(second)} & {c for _, c, _ in of_pipelines(first)} == set()


def test_what_the_service_names_by_the_wires_name_is_read_as_well() -> None:
    workspace = Workspace()
    first = published(workspace)
    for name, pipeline in first.pipelines.items():
        workspace.batch_endpoints.get(name).defaults = {"deploymentName": pipeline.deployment}
    assert published(workspace).new == ()


def test_a_publication_that_was_cut_off_is_finished_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace()

    def cut_off(request: HttpRequest) -> Any:
        raise HttpResponseError(f"no {request.method}")

    with monkeypatch.context() as patch:
        patch.setattr(workspace.deployments, "send_request", cut_off)
        with pytest.raises(HttpResponseError, match="no GET"):
            published(workspace)
    rest = published(workspace)
    assert rest.new[0].startswith("deployment campanha-training/")
    assert published(workspace).new == ()


def test_an_error_that_is_no_absence_is_not_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace()

    def forbidden(**named: str) -> Any:
        raise HttpResponseError(f"forbidden: {named['name']}")

    monkeypatch.setattr(workspace.environments, "get", forbidden)
    with pytest.raises(HttpResponseError, match="forbidden: campanha-training"):
        published(workspace)
    assert workspace.environments.made == []


# --- the command line ---------------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What `publish` was called with, in a process that only has these settings."""
    for name in (*publish.PLACE, *publish.STORAGE, "AZUREML_COMPUTE", "SIGN_IN", *sign_in.MANAGED):
        monkeypatch.delenv(name, raising=False)
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr("azure.identity.DefaultAzureCredential", lambda: "signed in")
    monkeypatch.setattr("azure.ai.ml.MLClient", lambda *given, show_progress: given)
    monkeypatch.setattr(publish, "publish", lambda client, **given: calls.append({"client": client, **given}))
    return calls


@pytest.mark.parametrize("lacking", [*SETTINGS, None])
def test_what_is_not_set_is_named(
    asked: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lacking: str | None,
) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, "" if name == lacking else value)
    if lacking is None:
        assert publish.main() == 0
        return
    assert (publish.main(), asked) == (2, [])
    said = capsys.readouterr().err
    assert lacking in said
    assert not [
        name for name in SETTINGS if name != lacking and name in said.replace("CAMPANHA_STORAGE__", "")
    ]


def test_the_settings_say_where_and_on_what(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    publish.main()
    monkeypatch.setenv("AZUREML_COMPUTE", "serverless")
    monkeypatch.setenv("CAMPANHA_STORAGE", "")
    monkeypatch.setenv("CAMPANHA_STORAGE__blobServiceUri", STORAGE)
    publish.main()
    client = ("signed in", "s", "g", "w")
    assert asked == [
        {"client": client, "storage": SETTINGS["CAMPANHA_STORAGE"], "compute": "cpu-cluster"},
        {"client": client, "storage": STORAGE, "compute": "serverless"},
    ]


def test_it_can_be_told_where_after_it_was_started(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish.os, "environ", {})
    monkeypatch.setattr(publish.sys, "stdin", io.StringIO(json.dumps(SETTINGS) + "\n"))
    assert publish.main([publish.WHEN_TOLD]) == 0
    assert [one["client"] for one in asked] == [("signed in", "s", "g", "w")]


def test_it_ends_without_a_word_when_nobody_is_left_to_tell_it_where(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(publish.sys, "stdin", io.StringIO())
    assert publish.main([publish.WHEN_TOLD]) != 0
    assert (asked, capsys.readouterr().err) == ([], "")
