"""Every field of every request body: what it does here, and that nothing is ignored."""

from __future__ import annotations

from localazure.workspace.bodies.assets import (
    CODE,
    COMMAND_SPEC,
    COMPONENT,
    DATA,
    DATASTORE,
    ENVIRONMENT,
    MODEL,
    PIPELINE_SPEC,
)
from localazure.workspace.bodies.automl import (
    AUTOML_FEATURIZATION,
    AUTOML_LIMITS,
    AUTOML_STEP_ABOUT,
    AUTOML_TASK,
    AUTOML_TRAINING,
)
from localazure.workspace.bodies.body import BODIES, Body
from localazure.workspace.bodies.endpoints import (
    BATCH_DEPLOYMENT,
    BATCH_ENDPOINT,
    INVOCATION,
    ONLINE_DEPLOYMENT,
    ONLINE_ENDPOINT,
    REQUEST_SETTINGS,
    V1_SUBMISSION,
)
from localazure.workspace.bodies.jobs import (
    AUTOML_JOB,
    COMMAND_JOB,
    COMMAND_NODE,
    JOB_INPUT,
    JOB_OUTPUT,
    PIPELINE_JOB,
    PIPELINE_NODE,
    PIPELINE_SETTINGS,
    RESOURCES,
    SCHEDULE,
    check_resources,
)

__all__ = [
    "AUTOML_FEATURIZATION",
    "AUTOML_JOB",
    "AUTOML_LIMITS",
    "AUTOML_STEP_ABOUT",
    "AUTOML_TASK",
    "AUTOML_TRAINING",
    "BATCH_DEPLOYMENT",
    "BATCH_ENDPOINT",
    "BODIES",
    "CODE",
    "COMMAND_JOB",
    "COMMAND_NODE",
    "COMMAND_SPEC",
    "COMPONENT",
    "DATA",
    "DATASTORE",
    "ENVIRONMENT",
    "INVOCATION",
    "JOB_INPUT",
    "JOB_OUTPUT",
    "MODEL",
    "ONLINE_DEPLOYMENT",
    "ONLINE_ENDPOINT",
    "PIPELINE_JOB",
    "PIPELINE_NODE",
    "PIPELINE_SETTINGS",
    "PIPELINE_SPEC",
    "REQUEST_SETTINGS",
    "RESOURCES",
    "SCHEDULE",
    "V1_SUBMISSION",
    "Body",
    "check_resources",
]
