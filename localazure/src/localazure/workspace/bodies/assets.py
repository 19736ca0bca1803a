"""Bodies of assets, and of the specifications that components have."""

from __future__ import annotations

from localazure.workspace.bodies.body import NO_CONTAINERS, NO_DELETION, NO_IDENTITY, STUDIO, body

DATA = body(
    "the data version",
    ["dataUri", "dataType"],
    kept={
        "referencedUris": "the MLTable file itself is read",
        "stage": STUDIO,
        "jobName": "says which job it is an output of",
    },
    refused={"autoDeleteSetting": NO_DELETION, "intellectualProperty": "registries only"},
)
MODEL = body(
    "the model version",
    ["modelUri", "modelType", "flavors", "jobName"],
    kept={"stage": STUDIO, "datasets": STUDIO},
    refused={"autoDeleteSetting": NO_DELETION, "defaultDeploymentSettings": "registries only"},
)
ENVIRONMENT = body(
    "the environment version",
    ["condaFile"],
    kept={
        "image": f"{NO_CONTAINERS}: this machine's Python, with the conda file's pip lines",
        "osType": "it is this machine's",
        "environmentType": "set by the service",
        "autoRebuild": "an environment is built once, by content",
        "stage": STUDIO,
    },
    refused={
        "build": f"{NO_CONTAINERS}, so no Dockerfile is built; give a conda file",
        "inferenceConfig": f"{NO_CONTAINERS}, so none of your own serves; give a scoring script",
        "autoDeleteSetting": NO_DELETION,
    },
)
COMPONENT = body("the component version", ["componentSpec"], refused={"autoDeleteSetting": NO_DELETION})
CODE = body("the code version", ["codeUri"])
DATASTORE = body(
    "the datastore",
    ["datastoreType", "containerName"],
    kept={
        "accountName": "there is one account",
        "endpoint": "there is one account",
        "protocol": "there is one account",
        "credentials": "the account's own are used",
        "serviceDataAccessAuthIdentity": NO_IDENTITY,
        "isDefault": "set by the service",
        "subscriptionId": "there is one account",
        "resourceGroup": "there is one account",
    },
)
_SPEC_KEPT = {
    "name": "says which component it is",
    "version": "says which component it is",
    "display_name": STUDIO,
    "is_deterministic": "every step always runs",
    "_source": "says which tool wrote it",
    "$schema": "says which schema it has",
    "creation_context": "set by the service",
    "id": "set by the service",
}
COMMAND_SPEC = body(
    "the command component",
    [
        "type",
        "command",
        "code",
        "environment",
        "environment_variables",
        "inputs",
        "outputs",
        "resources",
        "limits",
    ],
    kept=_SPEC_KEPT,
    refused={
        "distribution": "one process on one machine",
        "datatransfer_task": "not emulated",
        "successful_return_code": "only 0 is success here",
    },
)
PIPELINE_SPEC = body(
    "the pipeline component",
    ["type", "inputs", "outputs", "jobs"],
    kept=_SPEC_KEPT | {"sourceJobId": STUDIO, "source_job_id": STUDIO, "settings": "the job's own count"},
)
