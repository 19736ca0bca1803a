"""The roles that are assigned: Microsoft's, by their ids, and our own, by their actions.

source: Microsoft's built-in roles; `infra/facts/roles.json` holds what each allows
"""

from __future__ import annotations

from dataclasses import dataclass

ML = "Microsoft.MachineLearningServices/workspaces"

BLOB_OWNER = "Storage Blob Data Owner"
BLOB_CONTRIBUTOR = "Storage Blob Data Contributor"
BLOB_READER = "Storage Blob Data Reader"
QUEUE_CONTRIBUTOR = "Storage Queue Data Contributor"
QUEUE_SENDER = "Storage Queue Data Message Sender"
TABLE_CONTRIBUTOR = "Storage Table Data Contributor"
EVENT_SENDER = "EventGrid Data Sender"
ACR_PULL = "AcrPull"
METRICS_PUBLISHER = "Monitoring Metrics Publisher"
ML_METRICS_WRITER = "AzureML Metrics Writer (preview)"
DATA_SCIENTIST = "AzureML Data Scientist"
IDENTITY_OPERATOR = "Managed Identity Operator"
CONNECTION_APPROVER = "Azure AI Enterprise Network Connection Approver"

BUILT_IN = {
    BLOB_OWNER: "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    BLOB_CONTRIBUTOR: "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    BLOB_READER: "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    QUEUE_CONTRIBUTOR: "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    QUEUE_SENDER: "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    TABLE_CONTRIBUTOR: "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    EVENT_SENDER: "d5a91429-5739-47e2-a06b-3470a27159e7",
    ACR_PULL: "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    METRICS_PUBLISHER: "3913510d-42f4-4e42-8a64-420c390055eb",
    ML_METRICS_WRITER: "635dd51f-9968-44d3-b7fb-6d9a6bd613ae",
    DATA_SCIENTIST: "f6c7c914-8db3-469d-8ca1-694a8f32e121",
    IDENTITY_OPERATOR: "f1a07417-d97a-45cb-824c-7a7467783830",
    CONNECTION_APPROVER: "b556d68e-0be0-4f35-a333-ad7ee1ce17ea",
}


@dataclass(frozen=True, kw_only=True)
class CustomRole:
    """A role of our own. All of Azure ML is actions, scoring too: under data actions it would give nothing."""

    name: str
    says: str
    actions: tuple[str, ...]


_READ_ALL = (f"{ML}/read", f"{ML}/*/read")
"""Reading, whatever it is: scoring by a token was reported to be refused without it. The workspace itself is named, which
the SDK reads before it makes an endpoint: Microsoft's own roles only suggest that the pattern holds for it too."""
READ_METRICS = "Microsoft.Insights/metrics/read"
"""Of the endpoint: how many requests each deployment had, and how they ended."""
_SCORE = f"{ML}/onlineEndpoints/score/action"

ASKER = CustomRole(
    name="Campanha asker",
    says="Reads models and endpoints of the workspace, and has clients scored.",
    actions=(*_READ_ALL, _SCORE),
)
ORCHESTRATOR = CustomRole(
    name="Campanha orchestrator",
    says="Registers data, starts and cancels runs by published pipelines, deploys models and has clients scored.",
    actions=(
        *_READ_ALL,
        _SCORE,
        f"{ML}/data/versions/write",
        f"{ML}/batchEndpoints/jobs/write",
        f"{ML}/batchEndpoints/deployments/jobs/write",
        # what a batch endpoint's call is documented to ask for besides, less what hands out keys or changes pipelines;
        # source: how-to-authenticate-batch-endpoint, Configure RBAC for Batch Endpoints invoke
        f"{ML}/datasets/registered/write",
        f"{ML}/datasets/unregistered/write",
        f"{ML}/experiments/runs/submit/action",
        f"{ML}/experiments/runs/write",
        f"{ML}/metadata/artifacts/write",
        f"{ML}/metrics/resource/write",
        f"{ML}/environments/build/action",
        f"{ML}/environments/readSecrets/action",
        f"{ML}/jobs/write",
        f"{ML}/jobs/cancel/action",
        f"{ML}/codes/versions/write",
        f"{ML}/onlineEndpoints/write",
        f"{ML}/onlineEndpoints/deployments/write",
        f"{ML}/onlineEndpoints/deployments/delete",
        READ_METRICS,
    ),
)
TRAINER = CustomRole(
    name="Campanha trainer",
    says="What a pipeline's steps do in the workspace: read, and register the model that they made.",
    actions=(
        *_READ_ALL,
        f"{ML}/models/versions/write",
        f"{ML}/models/write",
        f"{ML}/metadata/artifacts/write",
        f"{ML}/experiments/runs/write",
    ),
)
CUSTOM = (ASKER, ORCHESTRATOR, TRAINER)
