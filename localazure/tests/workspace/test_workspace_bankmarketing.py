"""Stands for Microsoft's sample `automl-classification-task-bankmarketing` (azureml-examples, sdk/python/jobs/
automl-standalone-jobs): its calls, in its order, from the first cell to the scored deployment, with rows of our own.

What the sample asks MLflow is asked here as the REST calls that its client sends (see test_workspace_mlflow.py).
"""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest

from running_azure.workspace import GROUP, NAME, SUBSCRIPTION, WS, Server

COLUMNS = ("age", "job", "marital", "contact", "duration", "campaign", "emp.var.rate", "euribor3m", "y")
MLTABLE = """\
paths:
  - file: ./bank_marketing_train_data.csv
transformations:
  - read_delimited:
        delimiter: ','
        encoding: 'ascii'
"""


def _clients(count: int, seed: int) -> list[dict[str, Any]]:
    """Made up; a long call is what sells."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        long = draw.random() < 0.4
        rows.append(
            {
                "age": draw.randint(18, 88),
                "job": draw.choice(["admin.", "blue-collar", "retired"]),
                "marital": draw.choice(["single", "married"]),
                "contact": draw.choice(["cellular", "telephone"]),
                "duration": draw.randint(400, 2000) if long else draw.randint(5, 300),
                "campaign": draw.randint(1, 9),
                "emp.var.rate": draw.choice([-1.8, 1.1, 1.4]),
                "euribor3m": round(draw.uniform(0.6, 5.0), 3),
                "y": "yes" if long else "no",
            }
        )
    return rows


def _table(folder: Path) -> Path:
    folder.mkdir()
    (folder / "MLTable").write_text(MLTABLE)
    with (folder / "bank_marketing_train_data.csv").open("w", newline="") as file:
        written = csv.DictWriter(file, COLUMNS)
        written.writeheader()
        written.writerows(_clients(300, seed=1))
    return folder


def _downloaded(server: Server, run: Any, path: str, into: Path) -> Path:
    """As `mlflow.artifacts.download_artifacts` does it: list, then ask for each file's address."""
    at = run["info"]["artifact_uri"].partition("/mlflow/v1.0")[2]
    for one in server.call("GET", f"/history/v1.0{at}").json()["value"]:
        if one["path"].startswith(f"{path}/"):
            told = server.call("GET", f"/history/v1.0{at}/contentinfo?path={one['path']}").json()
            file = into / one["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(server.call("GET", told["contentUri"], token="").content)
    return into / path


@pytest.mark.slow
def test_the_bank_marketing_sample_runs_to_its_scored_deployment(
    server: Server, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from azure.ai.ml import Input, MLClient, automl
    from azure.ai.ml.automl import ClassificationModels
    from azure.ai.ml.constants import AssetTypes
    from azure.ai.ml.entities import (
        CodeConfiguration,
        Environment,
        ManagedOnlineDeployment,
        ManagedOnlineEndpoint,
        Model,
    )
    from azure.identity import DefaultAzureCredential

    # 1. the workspace
    ml_client = MLClient(DefaultAzureCredential(), SUBSCRIPTION, GROUP, NAME)
    workspace = ml_client.workspaces.get(name=ml_client.workspace_name)
    assert (workspace.resource_group, workspace.location) == (GROUP, "local")

    # 2. the training data: a local MLTable
    folder = _table(tmp_path / "training-mltable-folder")
    training_data = Input(type=AssetTypes.MLTABLE, path=str(folder))

    # 3. the cluster
    cluster = ml_client.compute.get("cpu-cluster-13").name

    # 4. the job
    job = automl.classification(
        compute=cluster,
        experiment_name=name,
        training_data=training_data,
        target_column_name="y",
        primary_metric="accuracy",
        n_cross_validations=5,
        enable_model_explainability=True,
        tags={"my_custom_tag": "My custom value"},
    )
    job.set_limits(timeout_minutes=600, trial_timeout_minutes=20, max_trials=5, enable_early_termination=True)
    job.set_featurization(mode="auto")
    job.set_training(
        blocked_training_algorithms=[ClassificationModels.LOGISTIC_REGRESSION],
        enable_onnx_compatible_models=True,
    )
    returned = ml_client.jobs.create_or_update(job)
    ml_client.jobs.stream(returned.name)
    assert f"RunId: {returned.name}" in capsys.readouterr().out
    assert returned.services["Studio"].endpoint.startswith("https://")

    # 5. the best trial, by MLflow
    api = workspace.mlflow_tracking_uri.replace("azureml://", "https://").replace("/v1.0/", "/v2.0/")

    def run_of(run: str) -> Any:
        return server.call("GET", f"{api}/api/2.0/mlflow/runs/get?run_id={run}").json()["run"]

    tags = {one["key"]: one["value"] for one in run_of(returned.name)["data"]["tags"]}
    assert tags["my_custom_tag"] == "My custom value"
    best = run_of(tags["automl_best_child_run_id"])
    best_run_id = best["info"]["run_id"]
    metrics = {one["key"]: one["value"] for one in best["data"]["metrics"]}
    assert metrics["accuracy"] > 0.9
    outputs = _downloaded(server, best, "outputs", tmp_path / "artifact_downloads")
    assert (outputs / "mlflow-model" / "MLmodel").exists()

    # 6. registered, deployed, asked
    endpoint = ManagedOnlineEndpoint(
        name=f"bankmarketing-{name}", description="a sample", auth_mode="key", tags={"foo": "bar"}
    )
    ml_client.begin_create_or_update(endpoint).result()
    registered = ml_client.models.create_or_update(
        Model(
            path=f"azureml://jobs/{best_run_id}/outputs/artifacts/outputs/model.pkl",
            name=f"bankmarketing-model-{name}",
            description="my sample classification model",
        )
    )
    deployment = ManagedOnlineDeployment(
        name="bankmarketing-deploy",
        endpoint_name=endpoint.name,
        model=registered.id,
        instance_type="Standard_DS2_V2",
        instance_count=1,
        code_configuration=CodeConfiguration(code=str(outputs), scoring_script="scoring_file_v_2_0_0.py"),
        environment=Environment(
            name="automl-tabular-env",
            description="environment for automl inference",
            image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest",
            conda_file=str(outputs / "conda_env_v_1_0_0.yml"),
        ),
    )
    ml_client.online_deployments.begin_create_or_update(deployment).result()
    endpoint.traffic = {"bankmarketing-deploy": 100}
    ml_client.begin_create_or_update(endpoint).result()
    clients = _clients(20, seed=2)
    answers = [client.pop("y") for client in clients]
    request = tmp_path / "sample-request-bankmarketing.json"
    request.write_text(
        json.dumps({"Inputs": {"data": clients}, "GlobalParameters": {"method": "predict_proba"}})
    )
    told = ml_client.online_endpoints.invoke(
        endpoint_name=endpoint.name, deployment_name="bankmarketing-deploy", request_file=str(request)
    )
    chances = json.loads(told)["Results"]
    assert ["yes" if yes > no else "no" for no, yes in chances] == answers

    # and what it says of itself, and its end
    assert ml_client.online_endpoints.get(name=endpoint.name).traffic == {"bankmarketing-deploy": 100}
    ml_client.online_endpoints.begin_delete(name=endpoint.name).result()
    gone = server.call("GET", f"{WS}/onlineEndpoints/{endpoint.name}")
    assert gone.status_code == 404
