"""The batch scoring pipeline's definition: four command components and how inputs and outputs connect them.

No postponed annotations here: `dsl.pipeline` reads the parameters' annotations as objects.
"""

from pathlib import Path
from typing import Any

from pipelines.command_step import Steps

NAME = "campanha_scoring"
ENDPOINT = "campanha-scoring"

RETRIEVE = (
    "python -m pipelines.scoring.retrieve --plan ${{inputs.plan}} --profile ${{inputs.profile}} "
    "--source ${{inputs.source}} --model ${{inputs.model}} --retrieved ${{outputs.retrieved}}"
)
PREPARE = (
    "python -m pipelines.scoring.prepare --retrieved ${{inputs.retrieved}} --source ${{inputs.source}}"
    " --prepared ${{outputs.prepared}}"
)
PREDICT = (
    "python -m pipelines.scoring.predict --retrieved ${{inputs.retrieved}} --prepared ${{inputs.prepared}}"
    " --predicted ${{outputs.predicted}}"
)
PUBLISH = (
    "python -m pipelines.scoring.publish --retrieved ${{inputs.retrieved}} --source ${{inputs.source}}"
    " --predicted ${{inputs.predicted}} --scored ${{outputs.scored}}"
)
COMMANDS = (RETRIEVE, PREPARE, PREDICT, PUBLISH)


def steps(code: Path, environment: str) -> tuple[Any, Any, Any, Any]:
    """The four steps. environment: azureml:<name>:<version>"""
    from azure.ai.ml import Input

    folder, file = Input(type="uri_folder"), Input(type="uri_file")
    retrieved, source = {"retrieved": folder}, {"source": file}
    step = Steps(code, environment)
    # A run requested again is to do its work again: Azure ML would hand back the outputs of the one before.
    again: dict[str, Any] = {"is_deterministic": False}
    return (
        step(
            "retrieve",
            RETRIEVE,
            {"plan": file, "profile": file, **source, "model": folder},
            "retrieved",
            **again,
        ),
        step("prepare", PREPARE, {**retrieved, **source}, "prepared", **again),
        step("predict", PREDICT, {**retrieved, "prepared": folder}, "predicted", **again),
        step("publish", PUBLISH, {**retrieved, **source, "predicted": folder}, "scored", **again),
    )


def component(code: Path, environment: str) -> Any:
    """The whole pipeline as one component, not yet registered."""
    from azure.ai.ml import Input, dsl

    retrieve_step, prepare_step, predict_step, publish_step = steps(code, environment)

    @dsl.pipeline(name=NAME, display_name="Campanha: retrieve, prepare, predict, publish")  # type: ignore[untyped-decorator, unused-ignore]
    def campanha_scoring(
        plan: Input(type="uri_file"),  # type: ignore[valid-type]
        profile: Input(type="uri_file"),  # type: ignore[valid-type]
        source: Input(type="uri_file"),  # type: ignore[valid-type]
        model: Input(type="uri_folder"),  # type: ignore[valid-type]
    ) -> Any:
        # The variables' names become the steps' names in a run.
        retrieve = retrieve_step(plan=plan, profile=profile, source=source, model=model)
        retrieved = retrieve.outputs.retrieved
        prepare = prepare_step(retrieved=retrieved, source=source)
        predict = predict_step(retrieved=retrieved, prepared=prepare.outputs.prepared)
        publish = publish_step(retrieved=retrieved, source=source, predicted=predict.outputs.predicted)
        return {"scored": publish.outputs.scored}

    return campanha_scoring
