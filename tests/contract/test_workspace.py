"""What Azure Machine Learning promises the steps, held against the one in memory and the embedded one."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from azure.storage.blob import BlobServiceClient
from contract import simulated
from contract.conftest import Embedded

from commands.setup import environments
from pipelines.conda import SERVING
from running_azure.waiting import until
from running_azure.workspace import WS
from shared.adapters.azureml import AzureWorkspace
from shared.adapters.memory import MemoryWorkspace
from shared.adapters.pipelines import BatchPipeline
from shared.domain.datasets.row_digest import LEARNED
from shared.errors import Conflict, Transient
from shared.ports import DeploymentPlan, RunRequest, RunView, StepView, Workspace

ROOT = Path(__file__).parents[2]
ENDED = ("Completed", "Failed", "Canceled")
NOBODY = "nobody-made-me"
ENDS = {
    "fails": b"exit 3",
    "says": b"echo secret; echo 'campanha: too few rows; gather more' >&2; exit 1",
    "waits": b"sleep 600",
}
"""What a run's step does, by how the run ends; none for one that completes."""


class Outside(Protocol):
    """A workspace, and what happens in it without the app's doing."""

    workspace: Workspace

    def data_url(self, name: str) -> str:
        """A file that can be registered."""

    def registered(self, name: str) -> dict[int, str]:
        """The URL of each version of a dataset."""

    def run(self, how: str) -> str:
        """Starts a run of one step, `only_step`, that `completes`, `fails`, fails and `says` why, or `waits`; its name."""

    def model(self, name: str, *, works: bool = True) -> None:
        """Registers version 1, with documents `model` and `evaluation`, that learned from the rows 3 and 2**63."""

    def traffic(self, endpoint: str) -> dict[str, int]:
        """Percent by deployment, those without any left out."""


class InMemory:
    def __init__(self) -> None:
        self.workspace = MemoryWorkspace()

    def data_url(self, name: str) -> str:
        return f"memory://{name}"

    def registered(self, name: str) -> dict[int, str]:
        return {version: url for (of, version), url in self.workspace.datasets.items() if of == name}

    def run(self, how: str) -> str:
        status = {"completes": "Completed", "fails": "Failed", "says": "Failed", "waits": "Running"}[how]
        name = f"{how}-{len(self.workspace.runs)}"
        step = StepView(name="only_step", status=status, started_at="2026-11-24T12:00:00+00:00")
        error = {
            "fails": "step only_step failed; its log is in the run",
            "says": "too few rows; gather more",
        }.get(how, "")
        self.workspace.runs[name] = RunView(name=name, status=status, error=error, steps=(step,))
        return name

    def model(self, name: str, *, works: bool = True) -> None:
        self.workspace.documents[name, 1] = {"model": {"name": name}, "evaluation": {"rows": 3}}
        self.workspace.learned[name, 1] = np.array([3, 2**63], np.uint64)
        self.workspace.state_of_new_deployments = "Succeeded" if works else "Failed"

    def traffic(self, endpoint: str) -> dict[str, int]:
        return self.workspace.traffic.get(endpoint, {})


class OnAzureMl:
    def __init__(self, embedded: Embedded, folder: Path) -> None:
        self._embedded, self._folder = embedded, folder

    @property
    def workspace(self) -> AzureWorkspace:
        return self._embedded.workspace

    def data_url(self, name: str) -> str:
        storage = self._embedded.settings.campanha_storage
        assert storage is not None
        service = BlobServiceClient.from_connection_string(storage.get_secret_value())
        container = service.create_container(name)
        container.upload_blob("1.json", b"{}")
        for how, script in ENDS.items():
            container.upload_blob(f"{how}/ends.sh", script)
        return f"{container.url}/1.json"

    def registered(self, name: str) -> dict[int, str]:
        listed = self._embedded.server.call("GET", f"{WS}/data/{name}/versions").json()["value"]
        return {int(one["name"]): one["properties"]["dataUri"] for one in listed}

    def run(self, how: str) -> str:
        embedded, dataset = self._embedded, f"d{uuid.uuid4().hex[:10]}"
        url = self.data_url(dataset)
        embedded.workspace.register_dataset(dataset, 1, url, {})
        pipeline = BatchPipeline(
            embedded.credential,
            workspace_id=embedded.settings.workspace_id,
            address=lambda: embedded.workspace.batch_address(embedded.settings.training_endpoint),
            find_run=lambda name, tag: None,
        )
        parts = url.removesuffix("1.json")
        name = f"{dataset}-v1-a1"
        return pipeline.submit(
            RunRequest(
                name=name,
                dataset=dataset,
                version=1,
                parts_url=parts,
                manifest_sha256="",
                champion=f"{parts}{how}/" if how in ENDS else None,
            )
        )

    def model(self, name: str, *, works: bool = True) -> None:
        from azure.ai.ml.entities import Environment, Model

        folder = self._folder / name / "model"
        _write_model(folder, works=works)
        client = self._embedded.client
        client.models.create_or_update(Model(name=name, version="1", path=str(folder)))
        client.environments.create_or_update(
            Environment(name="campanha-serving", version="1", image="ubuntu", conda_file=str(SERVING))
        )

    def traffic(self, endpoint: str) -> dict[str, int]:
        found = self._embedded.client.online_endpoints.get(endpoint).traffic
        return {name: share for name, share in found.items() if share}


def _write_model(folder: Path, *, works: bool) -> None:
    import lightgbm
    from trees_model import CUTS, save_trees

    from serving.features import Feature, encode

    features = (Feature(name="age", type="integer"),)
    ages = list(range(18, 90)) * 10
    data = lightgbm.Dataset(encode(features, {"age": ages}), np.array([float(age > 50) for age in ages]))
    booster = lightgbm.train({"objective": "binary", "verbosity": -1, "num_threads": 1}, data, 5)
    save_trees(folder, booster, features, {"name": "m", "version": "1", "threshold": 0.1, "deciles": CUTS})
    (folder / "evaluation.json").write_text(json.dumps({"rows": 3}))
    np.save(folder / LEARNED, np.array([3, 2**63], np.uint64))
    if not works:
        for file in folder.glob("*.json"):
            file.write_text("{}")


@pytest.fixture(params=["memory", "simulated", "embedded"])
def outside(request: pytest.FixtureRequest, tmp_path: Path) -> Outside:
    if request.param == "memory":
        return InMemory()
    if request.param == "simulated":
        return simulated.through_ports(InMemory(), "workspace")
    return OnAzureMl(request.getfixturevalue("embedded"), tmp_path)


@pytest.fixture
def with_serving(outside: Outside) -> Outside:
    """The environment models are served in takes minutes to build; `./dev test` has built it."""
    built = isinstance(outside, InMemory) or environments.is_ready(ROOT)
    if not built and not os.environ.get("CAMPANHA_REQUIRE_SERVICES"):
        pytest.skip("the serving environment is not built; `./dev test` builds it")
    return outside


@pytest.fixture
def name() -> str:
    """A name nobody has used."""
    return f"n{uuid.uuid4().hex[:10]}"


# --- datasets ------------------------------------------------------------------------------------------------------


def test_a_version_registered_again_is_the_same_version(outside: Outside, name: str) -> None:
    url = outside.data_url(name)
    outside.workspace.register_dataset(name, 1, url, {"rows": "1"})
    outside.workspace.register_dataset(name, 1, url, {"rows": "1"})
    outside.workspace.register_dataset(name, 2, url, {"rows": "2"})
    assert outside.registered(name) == {1: url, 2: url}


def test_a_version_is_never_another_file(outside: Outside, name: str) -> None:
    url = outside.data_url(name)
    outside.workspace.register_dataset(name, 1, url, {})
    with pytest.raises(Conflict):
        outside.workspace.register_dataset(name, 1, f"{url}.other", {})
    assert outside.registered(name) == {1: url}


# --- runs ----------------------------------------------------------------------------------------------------------


def _ended(outside: Outside, run: str) -> RunView:
    def look() -> RunView | None:
        view = outside.workspace.run(run)
        return view if view and view.status in ENDED else None

    view: RunView = until(look, seconds=60)
    return view


def test_a_run_nobody_started_is_none(outside: Outside) -> None:
    assert outside.workspace.run(NOBODY) is None


def test_a_completed_run_shows_its_steps(outside: Outside) -> None:
    view = _ended(outside, outside.run("completes"))
    assert (view.status, view.error) == ("Completed", "")
    (step,) = view.steps
    assert (step.name, step.status) == ("only_step", "Completed")
    assert step.started_at is not None
    assert datetime.fromisoformat(step.started_at).tzinfo is not None
    assert {type(view.status), type(step.status)} == {str}, (
        "an enum of the SDK tells its own name in sentences"
    )


def test_a_failed_run_names_the_step(outside: Outside) -> None:
    view = _ended(outside, outside.run("fails"))
    assert view.status == "Failed"
    assert "only_step" in view.error
    assert [step.status for step in view.steps] == ["Failed"]


def test_a_failed_run_says_what_its_step_said(outside: Outside) -> None:
    view = _ended(outside, outside.run("says"))
    assert (view.status, view.error) == ("Failed", "too few rows; gather more")


def test_a_cancelled_run_ends_and_may_be_cancelled_again(outside: Outside) -> None:
    run = outside.run("waits")
    until(lambda: (view := outside.workspace.run(run)) and view.status == "Running", seconds=60)
    outside.workspace.cancel_run(run)
    assert _ended(outside, run).status == "Canceled"
    outside.workspace.cancel_run(run)
    assert _ended(outside, run).status == "Canceled"


def test_cancelling_comes_too_late_for_a_run_that_has_ended(outside: Outside) -> None:
    run = outside.run("completes")
    _ended(outside, run)
    outside.workspace.cancel_run(run)
    assert _ended(outside, run).status == "Completed"


# --- models and their deployments ----------------------------------------------------------------------------------


def test_a_models_documents_are_read_by_name(outside: Outside, name: str) -> None:
    outside.model(name)
    documents = outside.workspace.model_documents(name, 1)
    assert documents["evaluation"] == {"rows": 3}
    assert "model" in documents


def test_a_model_says_which_rows_it_learned_from(outside: Outside, name: str) -> None:
    outside.model(name)
    assert outside.workspace.learned_rows(name, 1).tolist() == [3, 2**63]
    with pytest.raises(Transient):
        outside.workspace.learned_rows(NOBODY, 1)


def test_a_model_of_old_does_not_say_which_rows_it_learned_from(
    embedded: Embedded, tmp_path: Path, name: str
) -> None:
    from azure.ai.ml.entities import Model

    (tmp_path / "model.json").write_text("{}")
    embedded.client.models.create_or_update(Model(name=name, version="1", path=str(tmp_path)))
    assert embedded.workspace.learned_rows(name, 1) is None


def test_each_version_of_a_model_has_a_folder(outside: Outside, name: str) -> None:
    assert outside.workspace.model_folders(name) == {}
    outside.model(name)
    assert list(outside.workspace.model_folders(name)) == [1]


def test_a_models_folder_is_where_a_datastore_has_it_archived_or_not(
    embedded: Embedded, tmp_path: Path, name: str
) -> None:
    """What a batch endpoint takes for a folder; a version that is no number is nobody's refit."""
    from azure.ai.ml.entities import Model

    (tmp_path / "model.json").write_text("{}")
    for version in ("1", "12", "by-hand"):
        embedded.client.models.create_or_update(Model(name=name, version=version, path=str(tmp_path)))
    embedded.client.models.archive(name=name, version="12")
    folders = embedded.workspace.model_folders(name)
    assert set(folders) == {1, 12}
    assert all(re.fullmatch(r"azureml://.*/datastores/\w+/paths/.+", place) for place in folders.values())


def test_a_model_that_is_not_there_may_come_yet(outside: Outside) -> None:
    with pytest.raises(Transient):
        outside.workspace.model_documents(NOBODY, 1)


def test_an_endpoint_nobody_made_has_no_deployments(outside: Outside) -> None:
    assert outside.workspace.deployment_state(NOBODY, "model-1") is None
    assert list(outside.workspace.deployments(NOBODY)) == []
    outside.workspace.delete_deployment(NOBODY, "model-1")


def _deployed(outside: Outside, plan: DeploymentPlan) -> str:
    """Its state, once it is final."""

    def look() -> str | None:
        state = outside.workspace.deployment_state(plan.endpoint, plan.deployment)
        return state if state in ("Succeeded", "Failed") else None

    outside.workspace.begin_deployment(plan)
    state: str = until(look, seconds=90)
    return state


def _gone(outside: Outside, plan: DeploymentPlan) -> Callable[[], bool]:
    return lambda: outside.workspace.deployment_state(plan.endpoint, plan.deployment) is None


def _plan(name: str, deployment: str) -> DeploymentPlan:
    return DeploymentPlan(endpoint=f"e-{name}", deployment=deployment, model=name, version=1)


def test_traffic_moves_from_deployment_to_deployment(with_serving: Outside, name: str) -> None:
    outside = with_serving
    workspace = outside.workspace
    outside.model(name)
    old, new = _plan(name, "model-1"), _plan(name, "model-2")
    assert _deployed(outside, old) == "Succeeded"
    assert outside.traffic(old.endpoint) == {}
    assert workspace.deployment_state(old.endpoint, new.deployment) is None
    workspace.set_traffic(old.endpoint, {"model-1": 100})
    assert _deployed(outside, new) == "Succeeded"
    assert sorted(workspace.deployments(old.endpoint)) == ["model-1", "model-2"]
    assert outside.traffic(old.endpoint) == {"model-1": 100}
    for wrong in ({"model-3": 100}, {"model-1": 99}):
        with pytest.raises(Transient):
            workspace.set_traffic(old.endpoint, wrong)
    with pytest.raises(Transient):
        workspace.delete_deployment(old.endpoint, "model-1")
    workspace.set_traffic(old.endpoint, {"model-1": 10, "model-2": 90})
    assert outside.traffic(old.endpoint) == {"model-1": 10, "model-2": 90}
    workspace.set_traffic(old.endpoint, {"model-2": 100})
    assert outside.traffic(old.endpoint) == {"model-2": 100}
    assert workspace.traffic_of(old.endpoint) == {"model-2": 100}
    assert workspace.traffic_of("no-such-endpoint") == {}
    workspace.delete_deployment(old.endpoint, "model-1")
    until(_gone(outside, old))
    assert list(workspace.deployments(old.endpoint)) == ["model-2"]
    workspace.delete_deployment(old.endpoint, "model-1")


def test_a_model_that_cannot_start_ends_as_failed_and_can_be_removed(
    with_serving: Outside, name: str
) -> None:
    outside = with_serving
    outside.model(name, works=False)
    plan = _plan(name, "model-1")
    assert _deployed(outside, plan) == "Failed"
    assert list(outside.workspace.deployments(plan.endpoint)) == ["model-1"]
    outside.workspace.delete_deployment(plan.endpoint, plan.deployment)
    until(_gone(outside, plan))


# --- what only the wire can do wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "method", "path"),
    [
        (lambda w: w.run(NOBODY), "GET", "*/jobs/*"),
        (lambda w: w.register_dataset(NOBODY, 1, "http://127.0.0.1/x", {}), "PUT", "*/data/*"),
        (lambda w: w.deployment_state(NOBODY, NOBODY), "GET", "*/deployments/*"),
        (lambda w: w.deployments(NOBODY), "GET", "*/deployments"),
        (lambda w: w.model_documents(NOBODY, 1), "GET", "*/models/*"),
        (lambda w: w.learned_rows(NOBODY, 1), "GET", "*/models/*"),
    ],
    ids=["run", "register_dataset", "deployment_state", "deployments", "model_documents", "learned_rows"],
)
def test_a_no_of_the_moment_is_told_as_that(
    embedded: Embedded, call: Callable[[Workspace], Any], method: str, path: str
) -> None:
    embedded.goes_wrong(method, path, status=403, code="AuthorizationFailed")
    with pytest.raises(Transient, match="403 AuthorizationFailed"):
        call(embedded.workspace)


def test_a_workspace_that_is_not_reached_is_told_as_that(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]
) -> None:
    monkeypatch.setenv("AZUREML_DEV_URL_MFE", f"https://127.0.0.1:{free_port()}")
    workspace = AzureWorkspace(embedded.settings, embedded.credential)
    with pytest.raises(Transient, match="gave no answer"):
        workspace.run(NOBODY)


def test_an_identity_without_a_token_is_told_as_that(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    from azure.identity import ManagedIdentityCredential

    monkeypatch.setenv("IDENTITY_HEADER", "not the secret")
    workspace = AzureWorkspace(embedded.settings, ManagedIdentityCredential())
    with pytest.raises(Transient, match="given no token"):
        workspace.run(NOBODY)
