"""The experimentation pipeline for real: published, started as the app starts it, run by the embedded workspace."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContainerClient
from contract.conftest import Embedded

from pipelines import publish
from pipelines.automl import pipeline as automl
from pipelines.experimentation import pipeline as experimentation
from pipelines.training import prepare, trial
from running_azure.waiting import until
from shared.adapters.memory import MemoryPipeline, MemoryWorkspace
from shared.adapters.pipelines import BatchExperiment
from shared.domain import names
from shared.domain.models.leaderboard import LEADERBOARD, RECIPE, Leaderboard
from shared.domain.models.recipe import Recipe
from shared.domain.models.recipe_text import recipe_of
from shared.errors import Refused
from shared.ports import ExperimentRequest, PipelineEndpoint
from tests.unit.pipelines import runs

POOR = {
    "name": "poor",
    "members": [{"name": "ridge", "learner": "ridge", "parameters": {"strength": 0.0001}}],
}
"""What a search finds something better than, in seconds."""
VERSIONS = 5


@pytest.fixture
def blobs(azurite: str) -> BlobServiceClient:
    return BlobServiceClient.from_connection_string(azurite)


def container(blobs: BlobServiceClient, name: str) -> ContainerClient:
    try:
        return blobs.create_container(name)
    except ResourceExistsError:
        return blobs.get_container_client(name)


def pipeline(embedded: Embedded, endpoint: str = experimentation.ENDPOINT) -> BatchExperiment:
    return BatchExperiment(
        embedded.credential,
        workspace_id=embedded.settings.workspace_id,
        address=lambda: embedded.workspace.batch_address(endpoint),
        find_run=embedded.workspace.find_run,
    )


def request_of(
    dataset: str,
    parts: str = "memory://",
    manifest: bytes = b"{}",
    *,
    earlier: str | None = None,
    seconds: float = 8,
    purpose: str = "search",
) -> ExperimentRequest:
    name = names.experiment_run_name(purpose, dataset, VERSIONS, 1)
    search = {"seed": VERSIONS, "seconds": seconds}
    return ExperimentRequest(
        name=name,
        dataset=dataset,
        version=VERSIONS,
        parts_url=parts,
        manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        earlier=earlier,
        output=names.experiment_folder(name),
        values=search if purpose == "search" else {"false_change": 0.05},
    )


@pytest.fixture
def dataset(embedded: Embedded, blobs: BlobServiceClient, tmp_path: Path) -> dict[str, Any]:
    """A dataset of five versions in the workspace, with the model of the newest: its book of evidence has four drops."""
    name, home = f"d{uuid.uuid4().hex[:8]}", container(blobs, "datasets")
    parts = [
        runs.part_of(tmp_path / "parts", runs.columns(400, seed), seed) for seed in range(1, VERSIONS + 1)
    ]
    listed = runs.manifest(tmp_path / "manifest.json", parts, VERSIONS, dataset=name, recipes=[POOR])
    for part in parts:
        home.upload_blob(f"{name}/parts/{part['file']}", (tmp_path / "parts" / part["file"]).read_bytes())
    home.upload_blob(f"{name}/manifests/{VERSIONS}.json", listed.read_bytes())
    embedded.workspace.register_dataset(name, VERSIONS, f"{home.url}/{name}/manifests/{VERSIONS}.json", {})
    _model(embedded, name, VERSIONS, _tried(tmp_path / "before", listed, tmp_path / "parts"))
    return {"name": name, "url": f"{home.url}/{name}/parts/", "manifest": listed, "parts": tmp_path / "parts"}


def _tried(folder: Path, manifest: Path, parts: Path, earlier: Path | None = None) -> Path:
    """What the training pipeline's first two steps make of it, here."""
    prepared = folder / "prepared"
    prepare.main(["--manifest", str(manifest), "--parts", str(parts), "--prepared", str(prepared)])
    known = ["--earlier", str(earlier)] if earlier else []
    given = [*known, "--false-change", "0.05", "--trial", str(folder / "trial")]
    trial.main(["--prepared", str(prepared), *given])
    return folder / "trial"


def _model(embedded: Embedded, name: str, version: int, folder: Path) -> None:
    from azure.ai.ml.entities import Model

    model = Model(name=name, version=str(version), path=str(folder), type="custom_model")
    embedded.client.models.create_or_update(model)


def ended(embedded: Embedded, run: str, seconds: float = 120) -> str:
    def status() -> str | None:
        view = embedded.workspace.run(run)
        return view.status if view and view.status in ("Completed", "Failed", "Canceled") else None

    return until(status, seconds=seconds)


@pytest.mark.slow
def test_a_search_leaves_a_recipe_that_the_next_trial_judges_by_later_drops_alone(
    embedded: Embedded, azurite: str, blobs: BlobServiceClient, dataset: dict[str, Any], tmp_path: Path
) -> None:
    publish.publish(embedded.client, storage=azurite, say=lambda line: None)
    recipes = container(blobs, names.RECIPES)
    name, content = dataset["name"], dataset["manifest"].read_bytes()
    known = embedded.workspace.model_folders(name)[VERSIONS]
    request = request_of(name, dataset["url"], content, earlier=known, seconds=15)
    endpoint = pipeline(embedded)
    run = endpoint.submit(request)
    assert endpoint.submit(request) == endpoint.find(request) == run == request.name

    assert ended(embedded, run) == "Completed"
    board = Leaderboard.from_json(recipes.download_blob(request.output + LEADERBOARD).readall())
    assert board.found
    assert board.seconds < 18
    found = recipe_of(recipes.download_blob(request.output + RECIPE).readall(), where="found")
    assert (found.name, found.searched) == (board.found, VERSIONS)
    (drop,) = _next_drops(dataset, found, tmp_path)
    assert drop["version"] == VERSIONS + 1
    assert found.digest in drop["recipes"]


@pytest.mark.slow
def test_automl_is_a_step_whose_model_later_drops_judge(
    embedded: Embedded,
    azurite: str,
    blobs: BlobServiceClient,
    dataset: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Azure's own node, with limits for a test: three trials, of which the last is a vote."""
    for name, value in {
        "NAME": "contract_automl",
        "ENDPOINT": "contract-automl",
        "AUTOML_MINUTES": 3,
    }.items():
        monkeypatch.setattr(automl, name, value)
    monkeypatch.setattr(automl, "MOST_TRIALS", 3)
    monkeypatch.setattr(automl, "TRIAL_MINUTES", 1)
    monkeypatch.setattr(publish, "PIPELINES", (automl,))
    publish.publish(embedded.client, storage=azurite, say=lambda line: None)
    recipes = container(blobs, names.RECIPES)
    name, content = dataset["name"], dataset["manifest"].read_bytes()
    known = embedded.workspace.model_folders(name)[VERSIONS]
    request = request_of(name, dataset["url"], content, earlier=known, purpose="automl")
    run = pipeline(embedded, automl.ENDPOINT).submit(request)
    assert ended(embedded, run, seconds=300) == "Completed"
    steps = [step.name for step in embedded.workspace.run(run).steps]  # type: ignore[union-attr]
    assert {"prepare", "split", "automl", "score", "judge"} == set(steps)
    board = Leaderboard.from_json(recipes.download_blob(request.output + LEADERBOARD).readall())
    assert board.found is None
    assert board.verdict in ("better", "undecided", "worse")
    assert [trial["name"] for trial in board.best] == ["automl", "poor"]
    assert board.best[0]["drops"] == 3
    assert -0.5 < board.best[0]["difference"] < 0.05  # what it is held against is poor


def _next_drops(dataset: dict[str, Any], found: Recipe, folder: Path) -> list[dict[str, Any]]:
    """On which the next version's trial scores the find."""
    version = VERSIONS + 1
    parts = json.loads(dataset["manifest"].read_text())["parts"]
    parts.append(runs.part_of(dataset["parts"], runs.columns(400, version), version))
    recipes = [POOR, found.to_json()]
    listed = runs.manifest(folder / "next.json", parts, version, dataset=dataset["name"], recipes=recipes)
    tried = _tried(folder / "after", listed, dataset["parts"], folder / "before" / "trial")
    drops = json.loads((tried / "evidence.json").read_text())["drops"]
    return [drop for drop in drops if found.digest in drop["recipes"]]


@pytest.fixture(params=["memory", "batch_endpoint"])
def either(request: pytest.FixtureRequest, azurite: str) -> PipelineEndpoint[ExperimentRequest]:
    if request.param == "memory":
        return MemoryPipeline(MemoryWorkspace())
    embedded: Embedded = request.getfixturevalue("embedded")
    publish.publish(embedded.client, storage=azurite, say=lambda line: None)
    return pipeline(embedded)


def test_a_name_that_was_started_with_other_data_is_not_taken_for_it(
    either: PipelineEndpoint[ExperimentRequest], dataset: dict[str, Any]
) -> None:
    name, url = dataset["name"], dataset["url"]
    request = request_of(name, url, seconds=1)
    assert either.submit(request) == request.name
    longer = request_of(name, url, seconds=9)
    assert either.find(longer) == request.name  # how long it may take is no matter of what it is
    with pytest.raises(Refused, match="started with other inputs"):
        either.find(request_of(name, url, b"other"))


def test_a_pipeline_nobody_published_refuses(embedded: Embedded) -> None:
    with pytest.raises(Refused, match="publish"):
        pipeline(embedded, "nobody-published-me").submit(request_of("bank"))
