"""Bodies of jobs, steps and schedules, and of what is inside them."""

from __future__ import annotations

from localazure.workspace.bodies.body import (
    NO_CONTAINERS,
    NO_DELETION,
    NO_IDENTITY,
    ONE_MACHINE,
    STUDIO,
    body,
)
from localazure.workspace.wire.calls import Json, Refusal

_JOB_USED = ["jobType", "displayName", "experimentName", "inputs", "outputs"]
_JOB_KEPT = {
    "computeId": ONE_MACHINE,
    "identity": NO_IDENTITY,
    "services": "set by the service",
    "queueSettings": "jobs wait for a core only",
}
_JOB_REFUSED = {"notificationSetting": "no mail is sent here"}
PIPELINE_JOB = body(
    "the pipeline job",
    [*_JOB_USED, "jobs", "settings", "componentId", "sourceJobId"],
    kept=_JOB_KEPT,
    refused=_JOB_REFUSED,
)
PIPELINE_SETTINGS = body(
    "the pipeline's settings",
    ["continue_on_step_failure", "default_datastore"],
    kept={
        "default_compute": ONE_MACHINE,
        "force_rerun": "every step always runs",
        "_source": "says which tool wrote the job",
        "continue_run_on_failed_optional_input": "an optional input from a failed step counts as failed",
    },
    refused={
        "on_init": "no step runs before the others",
        "on_finalize": "no step runs after the others",
    },
)
COMMAND_JOB = body(
    "the command job",
    [*_JOB_USED, "command", "codeId", "environmentId", "environmentVariables", "limits", "resources"],
    kept=_JOB_KEPT | {"parameters": "set by the service"},
    refused=_JOB_REFUSED
    | {"distribution": "one process on one machine", "componentId": "give command, code and environment"},
)
AUTOML_JOB = body(
    "the AutoML job",
    [*_JOB_USED, "taskDetails"],
    kept=_JOB_KEPT
    | {
        "environmentId": "the search runs in this emulator's own Python",
        "environmentVariables": "the search reads none",
        "resources": ONE_MACHINE,
    },
    refused=_JOB_REFUSED,
)
RESOURCES = body(
    "the job's resources",
    ["instanceCount", "instance_count"],
    kept=dict.fromkeys(("instanceType", "instance_type", "properties"), ONE_MACHINE)
    | dict.fromkeys(("shmSize", "shm_size", "dockerArgs", "docker_args", "dockerArgsList"), NO_CONTAINERS)
    | {"locations": ONE_MACHINE, "maxInstanceCount": ONE_MACHINE},
)
JOB_INPUT = body(
    "the input",
    ["job_input_type", "jobInputType", "type", "uri", "value", "mode"],
    refused=dict.fromkeys(("pathOnCompute", "path_on_compute"), "inputs lie where the command is told"),
)
JOB_OUTPUT = body(
    "the output",
    [
        "job_output_type", "jobOutputType", "type", "uri", "value", "mode", "name", "version", "assetName",
        "assetVersion",
    ],
    refused=dict.fromkeys(("pathOnCompute", "path_on_compute"), "outputs lie where the command is told")
    | {"autoDeleteSetting": NO_DELETION, "early_available": "an output is there when its step has ended"},
)  # fmt: skip
COMMAND_NODE = body(
    "the command step",
    [
        "name", "type", "componentId", "inputs", "outputs", "display_name", "environment",
        "environment_variables", "limits", "resources", "command", "code",
    ],
    kept={
        "computeId": ONE_MACHINE,
        "compute": ONE_MACHINE,
        "identity": NO_IDENTITY,
        "queue_settings": "steps wait for a core only",
        "_source": "says which tool wrote the job",
        "comment": STUDIO,
        "is_deterministic": "every step always runs",
        "version": "says which component it was",
    },
    refused={
        "distribution": "one process on one machine",
        "services": "nothing but the command runs",
    },
)  # fmt: skip
PIPELINE_NODE = body(
    "the pipeline step",
    ["name", "type", "componentId", "inputs", "outputs", "display_name"],
    kept={"_source": "says which tool wrote the job", "comment": STUDIO, "computeId": ONE_MACHINE},
    refused={"settings": "those of the outermost pipeline count"},
)
SCHEDULE = body("the schedule", ["trigger", "action", "isEnabled", "displayName"])


def check_resources(given: Json | None) -> None:
    """More than one node would be another run than this one."""
    RESOURCES.check(given or {})
    count = (given or {}).get("instanceCount") or (given or {}).get("instance_count") or 1
    if int(count) > 1:
        raise Refusal(501, "NotImplemented", f"{count} nodes: a step runs on one machine here")
