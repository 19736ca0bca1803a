"""Every field of every request body: which are acted on, which are only kept, which are refused by name.

A field that is only kept comes back when the resource is read; its reason says why that can be left at that. Any
other field is refused: what is not understood must not be ignored. Values that say nothing (null, "", {}, [])
always pass, as does what the service itself puts into a resource, since clients send that back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localazure.workspace.wire import Json, Refusal

_ECHOED = {"provisioningState", "status", "isArchived", "isAnonymous", "properties", "tags", "description"}
BODIES: list[Body] = []


@dataclass(frozen=True, kw_only=True)
class Body:
    """One kind of body. `where` is for people: "the online deployment"."""

    where: str
    used: frozenset[str]
    kept: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)

    def check(self, given: Mapping[str, Any]) -> None:
        """Raises for the first field that would be ignored."""
        for name, value in given.items():
            if name in self.refused and _says_something(value):
                raise Refusal(501, "NotImplemented", f"{name!r} of {self.where}: {self.refused[name]}")
            known = name in self.used or name in self.kept or name in self.refused or name in _ECHOED
            if not known and _says_something(value):
                raise Refusal(400, "UserError", f"{self.where} has no {name!r} here; it would be ignored")


def _body(
    where: str,
    used: Iterable[str],
    kept: Mapping[str, str] | None = None,
    refused: Mapping[str, str] | None = None,
) -> Body:
    made = Body(where=where, used=frozenset(used), kept=kept or {}, refused=refused or {})
    BODIES.append(made)
    return made


def _says_something(value: Any) -> bool:
    return value not in (None, "", {}, [])


_ONE_MACHINE = "every compute is this machine"
_NO_IDENTITY = "there are no permissions here"
_NO_CONTAINERS = "there are no containers here"
_NO_DELETION = "nothing deletes itself here"
_STUDIO = "a word for the studio"

DATA = _body(
    "the data version",
    ["dataUri", "dataType"],
    kept={"referencedUris": "the MLTable file itself is read", "stage": _STUDIO},
    refused={"autoDeleteSetting": _NO_DELETION, "intellectualProperty": "registries only"},
)
MODEL = _body(
    "the model version",
    ["modelUri", "modelType", "flavors", "jobName"],
    kept={"stage": _STUDIO, "datasets": _STUDIO},
    refused={"autoDeleteSetting": _NO_DELETION, "defaultDeploymentSettings": "registries only"},
)
ENVIRONMENT = _body(
    "the environment version",
    ["condaFile"],
    kept={
        "image": f"{_NO_CONTAINERS}: this machine's Python, with the conda file's pip lines",
        "osType": "it is this machine's",
        "environmentType": "set by the service",
        "autoRebuild": "an environment is built once, by content",
        "stage": _STUDIO,
    },
    refused={
        "build": f"{_NO_CONTAINERS}, so no Dockerfile is built; give a conda file",
        "inferenceConfig": f"{_NO_CONTAINERS}, so none of your own serves; give a scoring script",
        "autoDeleteSetting": _NO_DELETION,
    },
)
COMPONENT = _body("the component version", ["componentSpec"], refused={"autoDeleteSetting": _NO_DELETION})
CODE = _body("the code version", ["codeUri"])
DATASTORE = _body(
    "the datastore",
    ["datastoreType", "containerName"],
    kept={
        "accountName": "there is one account",
        "endpoint": "there is one account",
        "protocol": "there is one account",
        "credentials": "the account's own are used",
        "serviceDataAccessAuthIdentity": _NO_IDENTITY,
        "isDefault": "set by the service",
        "subscriptionId": "there is one account",
        "resourceGroup": "there is one account",
    },
)

_JOB_USED = ["jobType", "displayName", "experimentName", "inputs", "outputs"]
_JOB_KEPT = {
    "computeId": _ONE_MACHINE,
    "identity": _NO_IDENTITY,
    "services": "set by the service",
    "queueSettings": "jobs wait for a core only",
}
_JOB_REFUSED = {"notificationSetting": "no mail is sent here"}
PIPELINE_JOB = _body(
    "the pipeline job",
    [*_JOB_USED, "jobs", "settings", "componentId", "sourceJobId"],
    kept=_JOB_KEPT,
    refused=_JOB_REFUSED,
)
PIPELINE_SETTINGS = _body(
    "the pipeline's settings",
    ["continue_on_step_failure", "default_datastore"],
    kept={
        "default_compute": _ONE_MACHINE,
        "force_rerun": "every step always runs",
        "_source": "says which tool wrote the job",
        "continue_run_on_failed_optional_input": "an optional input from a failed step counts as failed",
    },
    refused={
        "on_init": "no step runs before the others",
        "on_finalize": "no step runs after the others",
    },
)
COMMAND_JOB = _body(
    "the command job",
    [*_JOB_USED, "command", "codeId", "environmentId", "environmentVariables", "limits", "resources"],
    kept=_JOB_KEPT | {"parameters": "set by the service"},
    refused=_JOB_REFUSED
    | {"distribution": "one process on one machine", "componentId": "give command, code and environment"},
)
AUTOML_JOB = _body(
    "the AutoML job",
    [*_JOB_USED, "taskDetails"],
    kept=_JOB_KEPT
    | {
        "environmentId": "the search runs in this emulator's own Python",
        "environmentVariables": "the search reads none",
        "resources": _ONE_MACHINE,
    },
    refused=_JOB_REFUSED,
)
AUTOML_STEP_ABOUT = (
    "name", "type", "display_name", "outputs", "computeId", "compute", "tags", "properties", "_source",
    "description", "identity", "experiment_name", "resources", "environment_variables", "environment_id", "comment",
    "queue_settings",
)  # fmt: skip
"""Keys of an AutoML step that are not about the search."""
AUTOML_TASK = _body(
    "the AutoML task",
    [
        "task", "primary_metric", "target_column_name", "training_data", "validation_data", "validation_data_size",
        "n_cross_validations", "weight_column_name", "limits", "training", "featurization",
    ],
    kept={"log_verbosity": "the log says everything"},
    refused={
        "test_data": "no test run is made; score the test data with the model",
        "test_data_size": "no test run is made; keep test data apart",
        "cv_split_column_names": "folds are drawn at random, by class",
        "positive_label": "no metrics of one class are computed",
    },
)  # fmt: skip
AUTOML_TRAINING = _body(
    "the AutoML training settings",
    [
        "allowed_training_algorithms", "blocked_training_algorithms", "enable_vote_ensemble",
        "enable_stack_ensemble",
    ],
    kept={
        "enable_model_explainability": "no explanation run is made",
        "enable_dnn_training": "neural networks are not tried, whether allowed or not",
        "enable_onnx_compatible_models": "models are never ONNX",
        "ensemble_model_download_timeout": "models are on this machine",
        "training_mode": "the data is on one machine",
    },
    refused={"stack_ensemble_settings": "the stack's second level is always a logistic regression"},
)  # fmt: skip
AUTOML_FEATURIZATION = _body(
    "the AutoML featurization",
    ["mode"],
    kept={"enable_dnn_featurization": "neural networks are not used, whether allowed or not"},
    refused=dict.fromkeys(
        ("blocked_transformers", "column_name_and_types", "transformer_params", "dataset_language"),
        "custom featurization is not emulated",
    ),
)
AUTOML_LIMITS = _body(
    "the AutoML limits",
    [
        "max_trials", "max_concurrent_trials", "max_cores_per_trial", "timeout", "timeout_minutes",
        "trial_timeout", "trial_timeout_minutes", "exit_score", "enable_early_termination",
    ],
    kept={
        "max_nodes": _ONE_MACHINE,
        "sweep_concurrent_trials": "means searches over images and text",
        "sweep_trials": "means searches over images and text",
    },
)  # fmt: skip
RESOURCES = _body(
    "the job's resources",
    ["instanceCount", "instance_count"],
    kept=dict.fromkeys(("instanceType", "instance_type", "properties"), _ONE_MACHINE)
    | dict.fromkeys(("shmSize", "shm_size", "dockerArgs", "docker_args", "dockerArgsList"), _NO_CONTAINERS)
    | {"locations": _ONE_MACHINE, "maxInstanceCount": _ONE_MACHINE},
)
COMMAND_NODE = _body(
    "the command step",
    [
        "name", "type", "componentId", "inputs", "outputs", "display_name", "environment",
        "environment_variables", "limits", "resources", "command", "code",
    ],
    kept={
        "computeId": _ONE_MACHINE,
        "compute": _ONE_MACHINE,
        "identity": _NO_IDENTITY,
        "queue_settings": "steps wait for a core only",
        "_source": "says which tool wrote the job",
        "comment": _STUDIO,
        "is_deterministic": "every step always runs",
        "version": "says which component it was",
    },
    refused={
        "distribution": "one process on one machine",
        "services": "nothing but the command runs",
    },
)  # fmt: skip
PIPELINE_NODE = _body(
    "the pipeline step",
    ["name", "type", "componentId", "inputs", "outputs", "display_name"],
    kept={"_source": "says which tool wrote the job", "comment": _STUDIO, "computeId": _ONE_MACHINE},
    refused={"settings": "those of the outermost pipeline count"},
)
SCHEDULE = _body("the schedule", ["trigger", "action", "isEnabled", "displayName"])
BATCH_ENDPOINT = _body(
    "the batch endpoint",
    ["defaults"],
    kept={
        "authMode": "it is always a token of Microsoft Entra",
        "scoringUri": "set by the service",
        "swaggerUri": "set by the service",
    },
    refused={"keys": "batch endpoints have none"},
)  # fmt: skip
BATCH_DEPLOYMENT = _body(
    "the batch deployment",
    ["deploymentConfiguration"],
    kept=dict.fromkeys(
        ("errorThreshold", "maxConcurrencyPerInstance", "miniBatchSize", "outputFileName", "outputAction",
         "retrySettings", "loggingLevel"),
        "means deployments of models; the SDK always sends it",
    )
    | {"compute": _ONE_MACHINE, "resources": _ONE_MACHINE},
    refused=dict.fromkeys(
        ("model", "codeConfiguration", "environmentId", "environmentVariables"),
        "batch deployments of models are not emulated; of pipeline components they are",
    ),
)  # fmt: skip
INVOCATION = _body(
    "the invocation",
    ["name", "inputdata", "outputdata", "properties", "displayname", "experimentname", "description", "tags"],
    kept={"compute": _ONE_MACHINE, "retrysettings": "means deployments of models"},
    refused=dict.fromkeys(
        (
            "dataset",
            "outputdataset",
            "minibatchsize",
            "errorthreshold",
            "outputfilename",
            "loggingconfiguration",
        ),
        "means batch deployments of models, which are not emulated",
    ),
)
ONLINE_ENDPOINT = _body(
    "the online endpoint",
    ["authMode", "traffic", "mirrorTraffic", "keys"],
    kept={
        "publicNetworkAccess": "nothing beyond this machine reaches it anyway",
        "scoringUri": "set by the service",
        "swaggerUri": "set by the service",
    },
    refused={"compute": "only managed endpoints are emulated"},
)
ONLINE_DEPLOYMENT = _body(
    "the online deployment",
    [
        "endpointComputeType",
        "model",
        "codeConfiguration",
        "environmentId",
        "environmentVariables",
        "requestSettings",
    ],
    kept={
        "appInsightsEnabled": "its log is in getLogs",
        "livenessProbe": "a server that ends is started again",
        "readinessProbe": "it takes requests as soon as it answers",
        "startupProbe": "it has a minute to answer",
        "instanceType": _ONE_MACHINE,
        "egressPublicNetworkAccess": "its way out is this machine's",
        "scaleSettings": "set by the service",
    },
    refused={
        "modelMountPath": "the model is always under AZUREML_MODEL_DIR",
        "dataCollector": "requests are not collected",
    },
)
REQUEST_SETTINGS = _body(
    "the deployment's request settings",
    ["requestTimeout", "maxConcurrentRequestsPerInstance"],
    kept={"maxQueueWait": "Azure documents it as without effect; use the request timeout"},
)
V1_SUBMISSION = _body(
    "the pipeline submission",
    [
        "experimentname", "description", "displayname", "parameterassignments", "datapathassignments",
        "datasetdefinitionvalueassignments", "continuerunonstepfailure", "tags", "properties", "runsource",
        "runtype",
    ],
    kept={"enablenotification": "no mail is sent here", "enableemailnotification": "no mail is sent here"},
    refused={
        "scheduleid": "schedules of v1 are not emulated",
        "stepsetassignments": "not emulated",
        "parentrunid": "runs of a pipeline have no parents here",
    },
)  # fmt: skip


def check_resources(given: Json | None) -> None:
    """More than one node would be another run than this one."""
    RESOURCES.check(given or {})
    count = (given or {}).get("instanceCount") or (given or {}).get("instance_count") or 1
    if int(count) > 1:
        raise Refusal(501, "NotImplemented", f"{count} nodes: a step runs on one machine here")
