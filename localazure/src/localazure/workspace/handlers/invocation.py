"""A published pipeline called over REST: its body in either casing becomes a pipeline job."""

from __future__ import annotations

import re
from typing import Any

from localazure.workspace.handlers.submission import check_names
from localazure.workspace.planning.bindings import literal
from localazure.workspace.planning.pipeline import Planner
from localazure.workspace.planning.plan import Plan
from localazure.workspace.wire.calls import Json
from localazure.workspace.workspace import Workspace

_KINDS = {
    "urifile": "uri_file", "urifolder": "uri_folder", "mltable": "mltable", "mlflowmodel": "mlflow_model",
    "custommodel": "custom_model", "tritonmodel": "triton_model", "literal": "literal",
}  # fmt: skip


_PIPELINE_JOB = "azureml.pipelinejob"
"""Tells `jobs.download` that a batch job has outputs of its own; in any other case it looks for scores."""


def pick(given: Json, name: str) -> Any:
    """A value by its name, whatever the casing: documents say `InputData`, the SDK sends `inputData`."""
    for key, value in given.items():
        if key.lower() == name.lower():
            return value
    return None


def input_of(given: Any) -> Json:
    """One input or output, as a job has it."""
    if not isinstance(given, dict):
        return {"jobInputType": "literal", "value": literal(given)}
    kind = str(pick(given, "jobInputType") or pick(given, "jobOutputType") or "literal")
    plain = _KINDS.get(re.sub(r"[^a-z]", "", kind.lower()), kind)
    if plain == "literal":
        return {"jobInputType": plain, "value": literal(pick(given, "value"))}
    return {
        "jobInputType": plain,
        "uri": pick(given, "uri") or pick(given, "path"),
        "mode": pick(given, "mode"),
    }


def output_of(given: Json) -> Json:
    place = input_of(given)
    return {"jobOutputType": place["jobInputType"], "uri": place.get("uri"), "mode": place.get("mode")}


def job_properties(
    spec: Json, inputs: Json, outputs: Json, *, tags: Json, properties: Json, about: Json
) -> Json:
    """A pipeline component with inputs is a pipeline job."""
    declared = {
        name: {"jobOutputType": one.get("type", "uri_folder")}
        for name, one in (spec.get("outputs") or {}).items()
    }
    return {
        "jobType": "Pipeline",
        "displayName": about.get("displayName") or spec.get("display_name") or spec.get("name"),
        "description": about.get("description"),
        "experimentName": about.get("experimentName") or "Default",
        "inputs": inputs,
        "outputs": declared | outputs,
        "jobs": spec.get("jobs") or {},
        "settings": about.get("settings") or {},
        "tags": {"azureml.jobtype": _PIPELINE_JOB} | tags,
        "properties": properties,
        "isArchived": False,
    }


def plan_of(workspace: Workspace, properties: Json, spec: Json) -> Plan:
    plan = Planner(workspace.store).pipeline(properties, spec.get("inputs") or {})
    check_names(workspace, plan)
    return plan
