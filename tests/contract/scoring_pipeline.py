"""A pipeline that asks for what the real scoring pipeline asks for, and puts out what it was given.

No postponed annotations: `dsl.pipeline` reads them as objects.
"""

from pathlib import Path
from typing import Any

ENDPOINT = "contract-scoring"
COMMAND = (
    "cat ${{inputs.plan}} ${{inputs.profile}} ${{inputs.source}} > ${{outputs.scored}}/scored.csv"
    " && cat ${{inputs.model}}/model.json >> ${{outputs.scored}}/scored.csv"
)


def component(code: Path, environment: str) -> Any:
    from azure.ai.ml import Input, Output, command, dsl

    file, folder = Input(type="uri_file"), Input(type="uri_folder")
    only_step = command(
        name="contract_scoring_step", display_name="only_step", code=str(code), environment=environment,
        command=COMMAND, inputs={"plan": file, "profile": file, "source": file, "model": folder},
        outputs={"scored": Output(type="uri_folder")},
    )  # fmt: skip

    @dsl.pipeline(name="contract_scoring")
    def pipeline(
        plan: Input(type="uri_file"),
        profile: Input(type="uri_file"),
        source: Input(type="uri_file"),
        model: Input(type="uri_folder"),
    ) -> Any:
        step = only_step(plan=plan, profile=profile, source=source, model=model)
        return {"scored": step.outputs.scored}

    return pipeline
