"""Bodies of endpoints, deployments and invocations."""

from __future__ import annotations

from localazure.workspace.bodies.body import ONE_MACHINE, body

BATCH_ENDPOINT = body(
    "the batch endpoint",
    ["defaults"],
    kept={
        "authMode": "it is always a token of Microsoft Entra",
        "scoringUri": "set by the service",
        "swaggerUri": "set by the service",
    },
    refused={"keys": "batch endpoints have none"},
)  # fmt: skip
BATCH_DEPLOYMENT = body(
    "the batch deployment",
    ["deploymentConfiguration"],
    kept=dict.fromkeys(
        ("errorThreshold", "maxConcurrencyPerInstance", "miniBatchSize", "outputFileName", "outputAction",
         "retrySettings", "loggingLevel"),
        "means deployments of models; the SDK always sends it",
    )
    | {"compute": ONE_MACHINE, "resources": ONE_MACHINE},
    refused=dict.fromkeys(
        ("model", "codeConfiguration", "environmentId", "environmentVariables"),
        "batch deployments of models are not emulated; of pipeline components they are",
    ),
)  # fmt: skip
INVOCATION = body(
    "the invocation",
    ["name", "inputdata", "outputdata", "properties", "displayname", "experimentname", "description", "tags"],
    kept={"compute": ONE_MACHINE, "retrysettings": "means deployments of models"},
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
ONLINE_ENDPOINT = body(
    "the online endpoint",
    ["authMode", "traffic", "mirrorTraffic", "keys"],
    kept={
        "publicNetworkAccess": "nothing beyond this machine reaches it anyway",
        "scoringUri": "set by the service",
        "swaggerUri": "set by the service",
    },
    refused={"compute": "only managed endpoints are emulated"},
)
ONLINE_DEPLOYMENT = body(
    "the online deployment",
    [
        "endpointComputeType",
        "model",
        "codeConfiguration",
        "environmentId",
        "environmentVariables",
        "requestSettings",
        "appInsightsEnabled",
    ],
    kept={
        "livenessProbe": "a server that ends is started again",
        "readinessProbe": "it takes requests as soon as it answers",
        "startupProbe": "it has a minute to answer",
        "instanceType": ONE_MACHINE,
        "egressPublicNetworkAccess": "its way out is this machine's",
        "scaleSettings": "set by the service",
    },
    refused={
        "modelMountPath": "the model is always under AZUREML_MODEL_DIR",
        "dataCollector": "requests are not collected",
    },
)
REQUEST_SETTINGS = body(
    "the deployment's request settings",
    ["requestTimeout", "maxConcurrentRequestsPerInstance"],
    kept={"maxQueueWait": "Azure documents it as without effect; use the request timeout"},
)
V1_SUBMISSION = body(
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
