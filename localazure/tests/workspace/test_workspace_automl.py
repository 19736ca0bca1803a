"""AutoML through the SDK: a search on real rows, its trials, its best model registered and used.

No postponed annotations here: `dsl.pipeline` reads them as objects.
"""

import csv
import importlib.util
import json
import random
from pathlib import Path
from typing import Any

import pytest

from running_azure.waiting import until
from running_azure.workspace import WS, Server

DONE = ("Completed", "Failed", "Canceled")
MLTABLE = """
paths:
  - file: ./rows.csv
transformations:
  - read_delimited:
      delimiter: ';'
      header: all_files_same_headers
  - drop_columns: [note]
"""


def _rows(count: int) -> list[list[Any]]:
    """Age and job decide, with some noise; the note says nothing."""
    chance = random.Random(5)
    rows: list[list[Any]] = []
    for number in range(count):
        age, job = chance.randint(18, 80), chance.choice(["admin", "student", "retired"])
        likely = 0.9 if (age > 45) != (job == "student") else 0.1
        rows.append(
            ["" if number % 20 == 0 else age, job, f"n{number}", "yes" if chance.random() < likely else "no"]
        )
    return rows


def _folder(folder: Path, rows: list[list[Any]]) -> Path:
    folder.mkdir()
    (folder / "MLTable").write_text(MLTABLE)
    with (folder / "rows.csv").open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows([["age", "job", "note", "y"], *rows])
    return folder


@pytest.fixture
def table(client: Any, name: str, tmp_path: Path) -> str:
    """The files of an MLTable, uploaded. As an asset of that type, the SDK would look for its schema in the net."""
    return _uploaded(client, name, _folder(tmp_path / "table", _rows(300)))


def _uploaded(client: Any, name: str, folder: Path) -> str:
    from azure.ai.ml.entities import Data

    made = client.data.create_or_update(
        Data(name=f"{name}-{folder.name}", path=str(folder), type="uri_folder")
    )
    return str(made.path)


def _job(table: str, name: str, **limits: Any) -> Any:
    from azure.ai.ml import Input, automl

    data = Input(type="mltable", path=table)
    job = automl.classification(
        training_data=data, target_column_name="y", primary_metric="AUC_weighted", n_cross_validations=3,
        experiment_name="automl", compute="serverless",
    )  # fmt: skip
    job.name = name
    limits = {"timeout_minutes": 5, "trial_timeout_minutes": 2, "max_concurrent_trials": 2, **limits}
    job.set_limits(**limits)
    return job


def _end(client: Any, name: str, seconds: float = 120) -> Any:
    return until(lambda: (job := client.jobs.get(name)).status in DONE and job, seconds=seconds)


def _predictions(folder: Path, columns: dict[str, list[Any]]) -> list[Any]:
    """By the code that came with the model, and nothing else."""
    spec = importlib.util.spec_from_file_location("its_own_code", folder / "code" / "automl_model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: list[Any] = module.load(folder / "data").predict(columns)
    return found


def test_a_search_gives_a_leaderboard_and_a_model_that_works(
    client: Any, table: str, name: str, server: Server, tmp_path: Path
) -> None:
    from azure.ai.ml.entities import Model

    job = _job(table, f"{name}-search", max_trials=4)
    job.set_training(
        allowed_training_algorithms=["LightGBM", "LogisticRegression"],
        enable_vote_ensemble=True,
        enable_stack_ensemble=False,
    )
    client.jobs.create_or_update(job)
    ended = _end(client, f"{name}-search")
    assert ended.status == "Completed", server.call("GET", f"/history/v1.0{WS}/runs/{name}-search").text
    trials = {one.name: one for one in client.jobs.list(parent_job_name=f"{name}-search")}
    assert [one.display_name for one in trials.values()] == [
        "LightGBM", "LogisticRegression", trials[f"{name}-search_2"].display_name, "VotingEnsemble"
    ]  # fmt: skip
    scores = {one.name: float(one.properties["score"]) for one in trials.values()}
    best = ended.tags["automl_best_child_run_id"]
    assert scores[best] == max(scores.values()) > 0.75
    metrics = server.call("GET", f"/mlflow/v1.0{WS}/api/2.0/mlflow/runs/get?run_id={best}").json()
    told = {one["key"]: one["value"] for one in metrics["run"]["data"]["metrics"]}
    assert told["AUC_weighted"] == pytest.approx(scores[best])
    assert 0.7 < told["accuracy"] <= 1
    path = f"azureml://jobs/{best}/outputs/artifacts/outputs/mlflow-model/"
    for number, source in enumerate((path, f"azureml://jobs/{name}-search/outputs/best_model")):
        model = client.models.create_or_update(
            Model(name=f"{name}-{number}", path=source, type="mlflow_model")
        )
        client.models.download(model.name, version=model.version, download_path=str(tmp_path))
        (folder,) = (tmp_path / model.name).iterdir()
        columns = {"age": [70, 25, None], "job": ["admin", "admin", "student"]}
        assert _predictions(folder, columns)[:2] == ["yes", "no"]


def test_a_step_of_a_pipeline_searches_in_what_an_earlier_step_made(
    client: Any, name: str, tmp_path: Path
) -> None:
    from azure.ai.ml import Input, Output, automl, command, dsl
    from azure.ai.ml.constants import AssetTypes
    from azure.ai.ml.entities import Data, Environment

    client.environments.create_or_update(Environment(name="python", image="ubuntu"))
    source = _folder(tmp_path / "table", _rows(200))
    files = client.data.create_or_update(Data(name=name, path=str(source), type="uri_folder"))
    prepare = command(
        name="prepare", environment="python@latest", command="cp ${{inputs.raw}}/* ${{outputs.table}}/",
        inputs={"raw": Input(type="uri_folder")}, outputs={"table": Output(type=AssetTypes.MLTABLE)},
    )  # fmt: skip
    count = command(
        name="count", environment="python@latest",
        command="ls ${{inputs.model}} > ${{outputs.names}}",
        inputs={"model": Input(type="mlflow_model")}, outputs={"names": Output(type="uri_file")},
    )  # fmt: skip

    @dsl.pipeline(name="searching", default_compute="serverless")
    def searching(raw: Input(type="uri_folder")) -> Any:
        prepared = prepare(raw=raw)
        search = automl.classification(
            training_data=prepared.outputs.table, target_column_name="y", primary_metric="accuracy",
            n_cross_validations=2, outputs={"best_model": Output(type="mlflow_model")},
        )  # fmt: skip
        search.set_limits(max_trials=1, timeout_minutes=5)
        search.set_training(allowed_training_algorithms=["logistic_regression"], enable_vote_ensemble=False)
        counted = count(model=search.outputs.best_model)
        return {"names": counted.outputs.names, "model": search.outputs.best_model}

    job = searching(raw=Input(type="uri_folder", path=f"{files.name}:{files.version}"))
    job.name = f"{name}-pipeline"
    client.jobs.create_or_update(job)
    assert _end(client, job.name).status == "Completed"
    client.jobs.download(job.name, download_path=str(tmp_path), output_name="names")
    (listed,) = (tmp_path / "named-outputs" / "names").iterdir()
    assert listed.read_text().split() == ["MLmodel", "code", "conda.yaml", "data"]
    steps = {one.display_name: one for one in client.jobs.list(parent_job_name=job.name)}
    (trial,) = list(client.jobs.list(parent_job_name=steps["search"].name))
    assert (trial.display_name, trial.status) == ("LogisticRegression", "Completed")


def test_cancelling_ends_the_search_and_its_trials(
    client: Any, table: str, name: str, server: Server
) -> None:
    job = _job(table, f"{name}-long", max_trials=500, enable_early_termination=False)
    client.jobs.create_or_update(job)
    until(lambda: list(client.jobs.list(parent_job_name=job.name)), seconds=60)
    client.jobs.begin_cancel(job.name).wait()
    assert _end(client, job.name).status == "Canceled"
    assert {one.status for one in client.jobs.list(parent_job_name=job.name)} <= {"Completed", "Canceled"}
    assert not list((server.state / "workspace" / "processes").iterdir())


def test_data_that_cannot_be_learnt_from_fails_and_says_why(client: Any, name: str, tmp_path: Path) -> None:
    from azure.ai.ml.exceptions import JobException

    table = _uploaded(
        client, name, _folder(tmp_path / "table", [[number, "admin", "", "yes"] for number in range(50)])
    )
    client.jobs.create_or_update(_job(table, f"{name}-search", max_trials=2))
    with pytest.raises(JobException, match="cannot be learnt from"):
        client.jobs.stream(f"{name}-search")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"taskType": "Regression"}, "classification is"),
        ({"primaryMetric": "r2_score"}, "primary_metric"),
        ({"testData": {"uri": "azureml://x", "jobInputType": "mltable"}}, "no test run is made"),
        ({"positiveLabel": "yes"}, "positive_label"),
        ({"trainingSettings": {"allowedTrainingAlgorithms": ["SVM"]}}, "svm: not emulated"),
        ({"trainingSettings": {"allowedTrainingAlgorithms": ["Guess"]}}, "no training algorithm"),
        ({"featurizationSettings": {"mode": "Custom"}}, "featurization 'custom'"),
        ({"limitSettings": {"maxBudget": 3}}, "max_budget"),
        ({"nCrossValidations": {"mode": "Custom", "value": 1}}, "n_cross_validations"),
    ],
)
def test_what_would_be_another_search_is_refused_by_name(server: Server, change: Any, says: str) -> None:
    details = {
        "taskType": "Classification", "primaryMetric": "Accuracy", "targetColumnName": "y",
        "trainingData": {"jobInputType": "mltable", "uri": "azureml://datastores/workspaceblobstore/paths/x/"},
    }  # fmt: skip
    body = {"properties": {"jobType": "AutoML", "experimentName": "e", "taskDetails": details | change}}
    reply = server.call("PUT", f"{WS}/jobs/refused-search", body)
    assert reply.status_code in (400, 501)
    assert says in reply.json()["error"]["message"]


@pytest.mark.slow
def test_ensembles_count_as_trials_and_both_are_made_unless_told_not_to(
    client: Any, table: str, name: str
) -> None:
    client.jobs.create_or_update(_job(table, f"{name}-both", max_trials=4))
    ended = _end(client, f"{name}-both")
    assert ended.status == "Completed"
    assert ended.tags["run_algorithm_000"].split(";")[2:] == ["VotingEnsemble", "StackEnsemble"]
    weights = client.jobs.get(f"{name}-both_2").properties["ensemble_weights"]
    assert sum(json.loads(weights).values()) == pytest.approx(1)


@pytest.mark.slow
def test_training_may_stop_at_a_score_that_is_good_enough(client: Any, table: str, name: str) -> None:
    job = _job(table, f"{name}-enough", max_trials=50, exit_score=0.6, max_concurrent_trials=1)
    job.set_training(enable_vote_ensemble=False, enable_stack_ensemble=False)
    client.jobs.create_or_update(job)
    assert _end(client, job.name).status == "Completed"
    assert [one.display_name for one in client.jobs.list(parent_job_name=job.name)] == ["LightGBM"]
    assert float(client.jobs.get(f"{job.name}_0").properties["score"]) > 0.6


@pytest.mark.slow
def test_validation_data_is_what_trials_are_checked_on(
    client: Any, table: str, name: str, tmp_path: Path
) -> None:
    from azure.ai.ml import Input

    turned = [[row[0], row[1], row[2], {"yes": "no", "no": "yes"}[row[3]]] for row in _rows(100)]
    against = _uploaded(client, name, _folder(tmp_path / "turned", turned))
    job = _job(table, f"{name}-against", max_trials=1)
    job.set_data(
        training_data=job.training_data,
        target_column_name="y",
        validation_data=Input(type="mltable", path=against),
    )
    client.jobs.create_or_update(job)
    ended = _end(client, job.name)
    assert ended.properties["training_type"] == "TrainValidation"
    assert float(client.jobs.get(f"{job.name}_0").properties["score"]) < 0.3
