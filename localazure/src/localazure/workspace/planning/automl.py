"""An AutoML job, or a pipeline's AutoML step, as a step of a plan."""

from __future__ import annotations

import re
from typing import Any

from localazure.workspace import bodies
from localazure.workspace.automl.task import task_of
from localazure.workspace.planning.bindings import Scope, bound, target
from localazure.workspace.planning.plan import Source, Step
from localazure.workspace.wire.calls import Json, Refusal

BEST_MODEL = "best_model"
_DATA = ("training_data", "validation_data")


def automl_job(properties: Json, name: str) -> Step:
    """Of an AutoML job's properties: `taskDetails` and outputs."""
    bodies.AUTOML_JOB.check(properties)
    details = _snake(properties.get("taskDetails") or {})
    names = {"limit_settings": "limits", "training_settings": "training", "featurization_settings": "featurization", "task_type": "task"}  # noqa: E501  # fmt: skip
    details = {names.get(key, key): value for key, value in details.items()}
    inputs = {
        key: Source(
            kind="uri", value=str(details[key]["uri"]), type=details[key].get("job_input_type", "mltable")
        )
        for key in _DATA
        if details.get(key)
    }
    outputs = {key: target(given) for key, given in (properties.get("outputs") or {BEST_MODEL: None}).items()}
    for key, one in outputs.items():
        one.job_output = key
    return _step(name, properties.get("displayName") or name, details, inputs, outputs)


def automl_step(name: str, node: Json, scope: Scope) -> Step:
    """Of a pipeline's step; its data is bound as other steps' inputs are."""
    details = {key: value for key, value in node.items() if key not in bodies.AUTOML_STEP_ABOUT}
    given = {key: node[key] for key in _DATA if node.get(key)}
    inputs = bound(given, {key: {"type": "mltable"} for key in given}, scope)
    outputs = {
        key: scope.target(node, {BEST_MODEL: {"type": "mlflow_model"}}, key)
        for key in (node.get("outputs") or {BEST_MODEL: None})
    }
    return _step(f"{scope.prefix}{name}", node.get("display_name") or name, details, inputs, outputs)


def _step(name: str, display: str, details: Json, inputs: Any, outputs: Any) -> Step:
    task = task_of(details)
    if "training_data" not in inputs:
        raise Refusal(400, "UserError", "an AutoML job needs training_data")
    if set(outputs) - {BEST_MODEL}:
        raise Refusal(
            400, "UserError", f"an AutoML job has one output, {BEST_MODEL}; not {', '.join(outputs)}"
        )
    for one in outputs.values():
        one.type = "mlflow_model"
    return Step(name=name, display=display, command="", inputs=inputs, outputs=outputs, automl=task.to_json())


def _snake(value: Any) -> Any:
    """Camel-case keys as inside a pipeline; values as they are."""
    if isinstance(value, dict):
        return {
            re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", key).lower(): _snake(one) for key, one in value.items()
        }
    return [_snake(one) for one in value] if isinstance(value, list) else value
