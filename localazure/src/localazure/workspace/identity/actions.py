"""Which action of Azure ML each route needs. All are actions, scoring too; none is a data action.

A resource's own routes need what Azure Resource Manager derives from type and method; what lies beside them, the data
plane, is listed.

source: the operations of Microsoft.MachineLearningServices in Azure's list of resource providers' operations
"""

from __future__ import annotations

import re
from collections.abc import Mapping

WORKSPACES = "Microsoft.MachineLearningServices/workspaces"
SCORE = f"{WORKSPACES}/onlineEndpoints/score/action"
METRICS = f"{WORKSPACES}/metrics/resource/write"
READ_METRICS = "Microsoft.Insights/metrics/read"
TELEMETRY = "Microsoft.Insights/Telemetry/Write"
"""A data action. The role that sends metrics has another as well; which of the two is asked for is not known."""
PULL = "Microsoft.ContainerRegistry/registries/pull/read"
ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action"
"""So it is called: the star is part of its name."""
_VERBS = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_OPERATION_OF_ITS_OWN_NAME = {"startPendingUpload": "write"}
"""A place for an upload is made for whoever may write what is uploaded."""
_BESIDE = (
    ("GET", r"/history/.*/artifacts.*", "metadata/artifacts/read"),
    ("POST", r"/history/.*/artifacts.*", "metadata/artifacts/write"),
    ("GET", r"/artifact/.*", "metadata/artifacts/read"),
    ("POST", r"/artifact/.*", "metadata/artifacts/write"),
    ("PATCH", r"/history/.*", "experiments/runs/write"),
    ("GET|POST", r"/history/.*", "experiments/runs/read"),
    ("POST", r"/data/.*", "data/versions/read"),
    ("POST", r"\{MLFLOW\}/mlflow/experiments/create", "experiments/write"),
    ("GET|POST", r"\{MLFLOW\}/mlflow/(experiments/.*|runs/get|logged-models/search|metrics/.*)", "experiments/runs/read"),
    ("POST", r"\{MLFLOW\}/.*", "experiments/runs/write"),
    ("POST", r"/pipelines/.*Submit/.*", "experiments/runs/submit/action"),
    ("GET", r"/pipelines/.*", "endpoints/pipelines/read"),
    ("POST|DELETE", r"/pipelines/.*", "experiments/runs/write"),
)  # fmt: skip
INVOKE = (f"{WORKSPACES}/batchEndpoints/jobs/write", f"{WORKSPACES}/batchEndpoints/deployments/jobs/write")


def of_route(method: str, path: str, names: Mapping[str, str]) -> str | None:
    """None for what anybody who has signed in may ask. path: as the route table writes it; names: what it found"""
    if path.startswith("{WS}"):
        return _of_resource(method, path, names)
    for methods, form, action in _BESIDE:
        if method in methods.split("|") and re.fullmatch(form, path):
            return f"{WORKSPACES}/{action}"
    return None


def _of_resource(method: str, path: str, names: Mapping[str, str]) -> str:
    if path.endswith("/providers/Microsoft.Insights/metrics"):
        return READ_METRICS
    path = path.replace("{kind:kind}", names.get("kind", "{kind}"))
    types = [part for part in path.split("/")[1:] if not part.startswith("{")]
    if method == "POST":
        *types, operation = types
        verb = _OPERATION_OF_ITS_OWN_NAME.get(operation) or f"{operation}/action"
    else:
        verb = _VERBS[method]
    return "/".join([WORKSPACES, *types, verb])
