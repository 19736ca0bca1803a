"""The AutoML pipeline's definition: Azure's `automl.classification` as a step between four command components.

No postponed annotations here: `dsl.pipeline` reads the parameters' annotations as objects.
"""

import os
from pathlib import Path
from typing import Any

from pipelines.command_step import Steps
from pipelines.training.pipeline import PREPARE
from shared.domain.policy import AUTOML_MINUTES

NAME = "campanha_automl"
ENDPOINT = "campanha-automl"
MODEL_ENVIRONMENT = os.environ.get("AZUREML_AUTOML_ENVIRONMENT", "")
"""Where AutoML's model can be loaded: a model of Azure's is a pickle of its own runtime. Empty: the training environment,
which is enough on the embedded workspace."""
TRIAL_MINUTES = 5
MOST_TRIALS = 20
TARGET = "campanha_answer"
"""What the answer is called in the table that AutoML learns from: 1 for the positive one."""

SPLIT = (
    "python -m pipelines.automl.split --prepared ${{inputs.prepared}} $[[--earlier ${{inputs.earlier}}]]"
    " --table ${{outputs.table}}"
)
SCORE = (
    "python -m pipelines.automl.score --table ${{inputs.table}} --model ${{inputs.model}}"
    " --predicted ${{outputs.predicted}}"
)
JUDGE = (
    "python -m pipelines.automl.judge --prepared ${{inputs.prepared}} --table ${{inputs.table}}"
    " --predicted ${{inputs.predicted}} $[[--earlier ${{inputs.earlier}}]] --model-name ${{inputs.model_name}}"
    " --model-version ${{inputs.model_version}} --false-change ${{inputs.false_change}} --found ${{outputs.found}}"
)
COMMANDS = (PREPARE, SPLIT, SCORE, JUDGE)


def steps(code: Path, environment: str) -> tuple[Any, Any, Any, Any]:
    """The command steps. environment: azureml:<name>:<version>"""
    from azure.ai.ml import Input

    folder, text, table = Input(type="uri_folder"), Input(type="string"), Input(type="mltable")
    known = {"prepared": folder, "earlier": Input(type="uri_folder", optional=True)}
    named = {"model_name": text, "model_version": text}
    step, beside_the_model = Steps(code, environment), Steps(code, MODEL_ENVIRONMENT or environment)
    judged = {**known, "table": table, "predicted": folder, **named}
    return (
        step("prepare", PREPARE, {"manifest": Input(type="uri_file"), "parts": folder}, "prepared"),
        step("split", SPLIT, known, "table", kind="mltable"),
        beside_the_model("score", SCORE, {"table": table, "model": Input(type="mlflow_model")}, "predicted"),
        step("judge", JUDGE, {**judged, "false_change": Input(type="number")}, "found"),
    )


def search(table: Any) -> Any:
    """Azure's own search; its best model may be a vote of several."""
    from azure.ai.ml import Output, automl

    node = automl.classification(
        training_data=table,
        target_column_name=TARGET,
        primary_metric="AUC_weighted",
        outputs={"best_model": Output(type="mlflow_model")},
    )
    node.set_limits(
        timeout_minutes=AUTOML_MINUTES, trial_timeout_minutes=TRIAL_MINUTES, max_trials=MOST_TRIALS
    )
    node.set_training(
        enable_vote_ensemble=True,
        enable_stack_ensemble=False,
        allowed_training_algorithms=["LightGBM", "LogisticRegression", "ExtremeRandomTrees"],
    )
    return node


def component(code: Path, environment: str) -> Any:
    """The whole pipeline as one component, not yet registered."""
    from azure.ai.ml import Input, dsl

    prepare_step, split_step, score_step, judge_step = steps(code, environment)

    @dsl.pipeline(name=NAME, display_name="Campanha: AutoML, judged by later drops")  # type: ignore[untyped-decorator, unused-ignore]
    def campanha_automl(  # noqa: PLR0917 - the SDK hands them over by name
        manifest: Input(type="uri_file"),  # type: ignore[valid-type]
        parts: Input(type="uri_folder"),  # type: ignore[valid-type]
        model_name: Input(type="string"),  # type: ignore[valid-type]
        model_version: Input(type="string"),  # type: ignore[valid-type]
        earlier: Input(type="uri_folder", optional=True),  # type: ignore[valid-type]
        false_change: Input(type="number", default=0.05),  # type: ignore[valid-type]
    ) -> Any:
        # The variables' names become the steps' names in a run.
        named = {"model_name": model_name, "model_version": model_version}
        prepare = prepare_step(manifest=manifest, parts=parts)
        prepared = prepare.outputs.prepared
        split = split_step(prepared=prepared, earlier=earlier)
        table = split.outputs.table
        automl = search(table)
        score = score_step(table=table, model=automl.outputs.best_model)
        judge = judge_step(
            prepared=prepared,
            earlier=earlier,
            table=table,
            predicted=score.outputs.predicted,
            **named,
            false_change=false_change,
        )
        return {"found": judge.outputs.found}

    return campanha_automl
