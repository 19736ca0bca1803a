"""Which identity has which role on what, and the calls for whose sake: none is missing, and none is surplus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.domain import names
from shared.resources import identities as who
from shared.resources import roles
from shared.resources.events import OUTGOING, SUBSCRIPTIONS
from shared.resources.identities import Identity
from shared.resources.storage import QUEUE_NAMES, RELEASES, STEPS, TABLES

CONTAINER, QUEUE, TABLE, ACCOUNT = "container", "queue", "table", "account"
WORKSPACE, REGISTRY, TOPIC, INSIGHTS, IDENTITY = "workspace", "registry", "topic", "insights", "identity"
SCOPES = (CONTAINER, QUEUE, TABLE, ACCOUNT, WORKSPACE, REGISTRY, TOPIC, INSIGHTS, IDENTITY)
"""Kinds of what a role is assigned on. Containers, queues and tables are those of the data account."""
HOST_OF_WORK, HOST_OF_API, WORKSPACE_ACCOUNT, DATA_ACCOUNT = "work", "api", "workspace", "data"
"""The storage accounts: of the host of each app, the workspace's own, and the data account as a whole."""

BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
QUEUES = "Microsoft.Storage/storageAccounts/queueServices/queues"
MESSAGES = f"{QUEUES}/messages"
ENTITIES = "Microsoft.Storage/storageAccounts/tableServices/tables/entities"

READS_BLOBS = (f"{BLOBS}/read",)
WRITES_BLOBS = (f"{BLOBS}/read", f"{BLOBS}/write")


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One role of one identity on one thing."""

    identity: Identity
    role: str
    scope: str
    on: str
    """The name of the container, queue, table, account or identity; what there is one of is called like its kind."""
    why: str
    """The call that is refused without it."""
    needs: tuple[str, ...]
    """The actions which that call asks for."""

    def __str__(self) -> str:
        return f"{self.identity.name} is {self.role} on {self.scope} {self.on}"


def _blobs(
    identity: Identity, containers: tuple[str, ...], why: str, *, writes: bool = False
) -> Iterator[Assignment]:
    for container in containers:
        yield Assignment(
            identity=identity,
            role=roles.BLOB_CONTRIBUTOR if writes else roles.BLOB_READER,
            scope=CONTAINER,
            on=container,
            why=why,
            needs=WRITES_BLOBS if writes else READS_BLOBS,
        )


def _tables(identity: Identity, why: str) -> Iterator[Assignment]:
    for table in TABLES:
        yield Assignment(
            identity=identity,
            role=roles.TABLE_CONTRIBUTOR,
            scope=TABLE,
            on=table,
            why=why,
            needs=(f"{ENTITIES}/read", f"{ENTITIES}/write", f"{ENTITIES}/delete"),
        )


def _queues() -> Iterator[Assignment]:
    """Message Processor and Reader, which the binding's own page names, have no Update Message: a message whose
    function fails would lie until its lease of ten minutes ends."""
    for queue in QUEUE_NAMES:
        yield Assignment(
            identity=who.WORK,
            role=roles.QUEUE_CONTRIBUTOR,
            scope=QUEUE,
            on=queue,
            why="the host receives, prolongs, releases and deletes messages, and moves the poisoned ones",
            needs=(f"{QUEUES}/read", f"{MESSAGES}/read", f"{MESSAGES}/write", f"{MESSAGES}/delete"),
        )


def _host(identity: Identity, account: str) -> Iterator[Assignment]:
    yield Assignment(
        identity=identity,
        role=roles.BLOB_OWNER,
        scope=ACCOUNT,
        on=account,
        why="the host makes its container, keeps keys, leases and the clocks' state there, and reads the package",
        needs=(f"{CONTAINERS}/write", f"{BLOBS}/read", f"{BLOBS}/write", f"{BLOBS}/delete"),
    )


def _telemetry(identity: Identity) -> Iterator[Assignment]:
    yield Assignment(
        identity=identity,
        role=roles.METRICS_PUBLISHER,
        scope=INSIGHTS,
        on=INSIGHTS,
        why="Application Insights takes telemetry by token only",
        needs=("Microsoft.Insights/Telemetry/Write",),
    )


def _workspace(identity: Identity, role: str, why: str, *needs: str) -> Iterator[Assignment]:
    yield Assignment(
        identity=identity,
        role=role,
        scope=WORKSPACE,
        on=WORKSPACE,
        why=why,
        needs=tuple(need if need.startswith("Microsoft.") else f"{roles.ML}/{need}" for need in needs),
    )


def _workspace_files(identity: Identity, why: str, *, writes: bool) -> Iterator[Assignment]:
    yield Assignment(
        identity=identity,
        role=roles.BLOB_CONTRIBUTOR if writes else roles.BLOB_READER,
        scope=ACCOUNT,
        on=WORKSPACE_ACCOUNT,
        why=why,
        needs=(*WRITES_BLOBS, f"{CONTAINERS}/write") if writes else READS_BLOBS,
    )


def _images(identity: Identity, why: str) -> Iterator[Assignment]:
    yield Assignment(
        identity=identity,
        role=roles.ACR_PULL,
        scope=REGISTRY,
        on=REGISTRY,
        why=why,
        needs=("Microsoft.ContainerRegistry/registries/pull/read",),
    )


def _event_grid() -> Iterator[Assignment]:
    topics = {who.STORAGE_TOPIC.name: who.STORAGE_TOPIC, who.WORKSPACE_TOPIC.name: who.WORKSPACE_TOPIC}
    for identity in topics.values():
        theirs = [each for each in SUBSCRIPTIONS if f"{each.source}Topic" == identity.name]
        for queue in dict.fromkeys(each.queue for each in theirs):
            yield Assignment(
                identity=identity,
                role=roles.QUEUE_SENDER,
                scope=QUEUE,
                on=queue,
                why="Event Grid puts events into the queue",
                needs=(f"{MESSAGES}/add/action",),
            )
        for container in dict.fromkeys(each.dead_letters for each in theirs):
            yield from _blobs(
                identity, (container,), "Event Grid lays what it cannot deliver there", writes=True
            )


ASSIGNMENTS: tuple[Assignment, ...] = (
    # the app `work`
    *_host(who.WORK, HOST_OF_WORK),
    *_telemetry(who.WORK),
    *_blobs(
        who.WORK,
        (names.INCOMING, names.OUTCOMES, names.SCORING, names.SUPPRESSION),
        "dropped files are found and read",
    ),
    *_blobs(
        who.WORK,
        (names.QUARANTINE, names.DATASETS, names.SCORED, names.RECIPES),
        "what becomes of dropped files is written and read again",
        writes=True,
    ),
    *_queues(),
    *_tables(who.WORK, "the ledger"),
    *_workspace(
        who.WORK,
        roles.ORCHESTRATOR.name,
        "data assets, runs, deployments, traffic and scoring",
        *(action.removeprefix(f"{roles.ML}/") for action in roles.ORCHESTRATOR.actions),
    ),
    *_workspace_files(
        who.WORK, "a deployment's code goes up, and a model's documents come down", writes=True
    ),
    Assignment(
        identity=who.WORK,
        role=roles.EVENT_SENDER,
        scope=TOPIC,
        on=OUTGOING,
        why="our events are published",
        needs=("Microsoft.EventGrid/events/send/action",),
    ),
    Assignment(
        identity=who.WORK,
        role=roles.IDENTITY_OPERATOR,
        scope=IDENTITY,
        on=who.ENDPOINT.name,
        why="an online endpoint is made with this identity",
        needs=("Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",),
    ),
    # the app `api`: it reads data, and has no role that would let it write any
    *_host(who.API, HOST_OF_API),
    *_telemetry(who.API),
    *_blobs(
        who.API,
        (names.INCOMING, names.SCORING, names.QUARANTINE, names.DATASETS, names.SCORED),
        "files, rejected rows, manifests and scores are shown",
    ),
    Assignment(
        identity=who.API,
        role=roles.QUEUE_SENDER,
        scope=QUEUE,
        on=STEPS.name,
        why="what an action asks for becomes due",
        needs=(f"{MESSAGES}/add/action",),
    ),
    *_tables(who.API, "the ledger: actions, their audit trail, what pollers read"),
    *_workspace(
        who.API,
        roles.ASKER.name,
        "model cards, and scoring through the API",
        *(action.removeprefix(f"{roles.ML}/") for action in roles.ASKER.actions),
    ),
    *_workspace_files(who.API, "a model's documents come down for its card", writes=False),
    # pipelines and endpoints
    *_blobs(who.CLUSTER, (names.DATASETS, names.SCORING), "a run reads its dataset, or a file of clients"),
    *_blobs(
        who.CLUSTER,
        (names.SCORED, names.RECIPES),
        "a run writes what it scored, or what it found",
        writes=True,
    ),
    *_workspace(
        who.CLUSTER,
        roles.TRAINER.name,
        "the last step registers the model",
        *(action.removeprefix(f"{roles.ML}/") for action in roles.TRAINER.actions),
    ),
    *_workspace_files(who.CLUSTER, "steps hand their outputs on, and register files", writes=True),
    *_images(who.CLUSTER, "a step's environment is an image"),
    *_images(who.ENDPOINT, "a deployment's environment is an image"),
    *_workspace_files(who.ENDPOINT, "a deployment's code and model come down", writes=False),
    *_workspace(
        who.ENDPOINT,
        roles.ML_METRICS_WRITER,
        "a deployment reports its metrics",
        "metrics/resource/write",
    ),
    # events
    *_event_grid(),
    # whoever deploys
    *_workspace(
        who.DEPLOYER,
        roles.DATA_SCIENTIST,
        "the pipelines are published",
        "environments/versions/write",
        "components/versions/write",
        "batchEndpoints/write",
        "batchEndpoints/deployments/write",
        "datastores/write",
    ),
    *_workspace_files(who.DEPLOYER, "the pipelines' code goes up", writes=True),
    *_blobs(who.DEPLOYER, (names.INCOMING,), "the canary is dropped", writes=True),
    *_blobs(who.DEPLOYER, (names.QUARANTINE,), "what the app says of the canary is read"),
    *_blobs(who.DEPLOYER, (RELEASES,), "packages are kept, to go back to", writes=True),
    Assignment(
        identity=who.DEPLOYER,
        role=roles.IDENTITY_OPERATOR,
        scope=IDENTITY,
        on=who.ENDPOINT.name,
        why="online endpoints are made with this identity",
        needs=("Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",),
    ),
)
OF_THE_PRIVATE_NETWORK = (
    Assignment(
        identity=who.WORKSPACE_ITSELF,
        role=roles.CONNECTION_APPROVER,
        scope=ACCOUNT,
        on=DATA_ACCOUNT,
        why="runs reach the data account, by a private endpoint that the workspace makes and approves",
        needs=(
            "Microsoft.Storage/storageAccounts/read",
            "Microsoft.Storage/storageAccounts/privateEndpointConnections/read",
            "Microsoft.Storage/storageAccounts/privateEndpointConnections/write",
        ),
    ),
)
"""What is assigned only with `network` = `private`. Until 2025-04-30 a workspace gave itself this role; on its own storage,
vault and registry it still does.
source: MicrosoftDocs/azure-ai-docs, how-to-managed-network, Approval of private endpoints
"""
