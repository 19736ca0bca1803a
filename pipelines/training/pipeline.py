"""The training pipeline's definition: five command components and how inputs and outputs connect them.

No postponed annotations here: `dsl.pipeline` reads the parameters' annotations as objects.
"""

from pathlib import Path
from typing import Any

from pipelines.command_step import Steps

NAME = "campanha_training"
ENDPOINT = "campanha-training"

PREPARE = (
    "python -m pipelines.training.prepare --manifest ${{inputs.manifest}} --parts ${{inputs.parts}}"
    " --prepared ${{outputs.prepared}}"
)
TRIAL = (
    "python -m pipelines.training.trial --prepared ${{inputs.prepared}} $[[--earlier ${{inputs.earlier}}]]"
    " --false-change ${{inputs.false_change}} --trial ${{outputs.trial}}"
)
TRAIN = (
    "python -m pipelines.training.train --prepared ${{inputs.prepared}} --trial ${{inputs.trial}}"
    " --model-name ${{inputs.model_name}} --model-version ${{inputs.model_version}} --call-cost ${{inputs.call_cost}}"
    " --deposit-value ${{inputs.deposit_value}} --model ${{outputs.model}}"
)
EVALUATE = (
    "python -m pipelines.training.evaluate --prepared ${{inputs.prepared}} --model ${{inputs.model}}"
    " $[[--champion ${{inputs.champion}}]] --call-cost ${{inputs.call_cost}}"
    " --deposit-value ${{inputs.deposit_value}} --candidate ${{outputs.candidate}}"
)
REGISTER = (
    "python -m pipelines.training.register --candidate ${{inputs.candidate}} --place ${{inputs.place}}"
    " --model-name ${{inputs.model_name}} --model-version ${{inputs.model_version}}"
)
COMMANDS = (PREPARE, TRIAL, TRAIN, EVALUATE, REGISTER)


def steps(code: Path, environment: str) -> tuple[Any, Any, Any, Any, Any]:
    """The five steps. environment: azureml:<name>:<version>"""
    from azure.ai.ml import Input

    folder, text, number = Input(type="uri_folder"), Input(type="string"), Input(type="number")
    earlier_model = Input(type="uri_folder", optional=True)
    model = {"model_name": text, "model_version": text}
    money = {"call_cost": number, "deposit_value": number}
    step = Steps(code, environment)
    return (
        step("prepare", PREPARE, {"manifest": Input(type="uri_file"), "parts": folder}, "prepared"),
        step("trial", TRIAL, {"prepared": folder, "earlier": earlier_model, "false_change": number}, "trial"),
        step("train", TRAIN, {"prepared": folder, "trial": folder, **model, **money}, "model"),
        step(
            "evaluate",
            EVALUATE,
            {"prepared": folder, "model": folder, "champion": earlier_model, **money},
            "candidate",
        ),
        step("register", REGISTER, {"candidate": folder, "place": folder, **model}),
    )


def component(code: Path, environment: str) -> Any:
    """The whole pipeline as one component, not yet registered."""
    from azure.ai.ml import Input, dsl

    prepare_step, trial_step, train_step, evaluate_step, register_step = steps(code, environment)

    @dsl.pipeline(name=NAME, display_name="Campanha: try recipes, train, evaluate, register")  # type: ignore[untyped-decorator, unused-ignore]
    def campanha_training(  # noqa: PLR0917 - the SDK hands them over by name
        manifest: Input(type="uri_file"),  # type: ignore[valid-type]
        parts: Input(type="uri_folder"),  # type: ignore[valid-type]
        model_name: Input(type="string"),  # type: ignore[valid-type]
        model_version: Input(type="string"),  # type: ignore[valid-type]
        champion: Input(type="uri_folder", optional=True),  # type: ignore[valid-type]
        earlier: Input(type="uri_folder", optional=True),  # type: ignore[valid-type]
        call_cost: Input(type="number", default=10),  # type: ignore[valid-type]
        deposit_value: Input(type="number", default=80),  # type: ignore[valid-type]
        false_change: Input(type="number", default=0.05),  # type: ignore[valid-type]
    ) -> Any:
        # The variables' names become the steps' names in a run.
        money = {"call_cost": call_cost, "deposit_value": deposit_value}
        model = {"model_name": model_name, "model_version": model_version}
        prepare = prepare_step(manifest=manifest, parts=parts)
        trial = trial_step(prepared=prepare.outputs.prepared, earlier=earlier, false_change=false_change)
        train = train_step(prepared=prepare.outputs.prepared, trial=trial.outputs.trial, **model, **money)
        evaluate = evaluate_step(
            prepared=prepare.outputs.prepared, model=train.outputs.model, champion=champion, **money
        )
        candidate = evaluate.outputs.candidate
        register = register_step(candidate=candidate, place=candidate, **model)
        register.inputs.place.mode = "direct"  # where it is, which the model then says; the files stay there
        return {"candidate": candidate}

    return campanha_training
