"""The experimentation pipeline's definition: two command components and how inputs and outputs connect them.

No postponed annotations here: `dsl.pipeline` reads the parameters' annotations as objects.
"""

from pathlib import Path
from typing import Any

from pipelines.command_step import Steps
from pipelines.training.pipeline import PREPARE

NAME = "campanha_experimentation"
ENDPOINT = "campanha-experimentation"

SEARCH = (
    "python -m pipelines.experimentation.search --prepared ${{inputs.prepared}} $[[--earlier ${{inputs.earlier}}]]"
    " --model-name ${{inputs.model_name}} --model-version ${{inputs.model_version}} --seed ${{inputs.seed}}"
    " --seconds ${{inputs.seconds}} --found ${{outputs.found}}"
)
COMMANDS = (PREPARE, SEARCH)


def steps(code: Path, environment: str) -> tuple[Any, Any]:
    """The two steps. environment: azureml:<name>:<version>"""
    from azure.ai.ml import Input

    folder, text = Input(type="uri_folder"), Input(type="string")
    step = Steps(code, environment)
    asked = {"model_name": text, "model_version": text, "seed": Input(type="integer")}
    return (
        step("prepare", PREPARE, {"manifest": Input(type="uri_file"), "parts": folder}, "prepared"),
        # What it finds depends on how much the machine does in the time: asked again, it searches again.
        step(
            "search",
            SEARCH,
            {
                "prepared": folder,
                "earlier": Input(type="uri_folder", optional=True),
                **asked,
                "seconds": Input(type="number"),
            },
            "found",
            is_deterministic=False,
        ),
    )


def component(code: Path, environment: str) -> Any:
    """The whole pipeline as one component, not yet registered."""
    from azure.ai.ml import Input, dsl

    prepare_step, search_step = steps(code, environment)

    @dsl.pipeline(name=NAME, display_name="Campanha: search for a better recipe")  # type: ignore[untyped-decorator, unused-ignore]
    def campanha_experimentation(  # noqa: PLR0917 - the SDK hands them over by name
        manifest: Input(type="uri_file"),  # type: ignore[valid-type]
        parts: Input(type="uri_folder"),  # type: ignore[valid-type]
        model_name: Input(type="string"),  # type: ignore[valid-type]
        model_version: Input(type="string"),  # type: ignore[valid-type]
        earlier: Input(type="uri_folder", optional=True),  # type: ignore[valid-type]
        seed: Input(type="integer", default=0),  # type: ignore[valid-type]
        seconds: Input(type="number", default=600),  # type: ignore[valid-type]
    ) -> Any:
        # The variables' names become the steps' names in a run.
        prepare = prepare_step(manifest=manifest, parts=parts)
        search = search_step(
            prepared=prepare.outputs.prepared,
            earlier=earlier,
            model_name=model_name,
            model_version=model_version,
            seed=seed,
            seconds=seconds,
        )
        return {"found": search.outputs.found}

    return campanha_experimentation
