"""Composition root: the one place where ports meet adapters, settings in, services out."""

from __future__ import annotations

import os
import threading
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from shared.malloc_settings import give_large_blocks_back
from shared.package_data import CONTRACTS, RECIPES, release
from shared.resources.storage import PRESENT
from shared.services import Services

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from shared import telemetry
    from shared.adapters.azureml import AzureWorkspace
    from shared.adapters.queues import QueueBus
    from shared.adapters.storage_clock import StorageClock
    from shared.ports import (
        AlertChannel,
        ExperimentRequest,
        ModelApi,
        PipelineEndpoint,
        RunRequest,
        ScoringRequest,
        Subscriber,
        Table,
    )
    from shared.settings import Settings


@lru_cache(maxsize=1)
def services() -> Services:
    """Everything the steps need, made at the first message, not when the app is loaded.

    raises: ConfigurationError naming every setting that is missing or ill-typed
    """
    # Arrow's default pool holds freed memory, thread by thread: measured as fast, and 80 MB larger with four shards at
    # once. Arrow reads the variable once, so it is set before anything uses pyarrow.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    give_large_blocks_back()

    from azure.storage.blob import BlobServiceClient

    from shared import telemetry
    from shared.adapters.azureml import AzureWorkspace
    from shared.adapters.blobs import AzureFiles
    from shared.adapters.contracts import load_contracts
    from shared.adapters.recipes import load_recipes
    from shared.adapters.scoring import RestEndpoint
    from shared.adapters.sign_in import credential as signed_in
    from shared.ledger import Ledger
    from shared.settings import read_settings

    settings = read_settings()
    _export_telemetry(settings)
    credential, now = signed_in(), storage_clock().now
    contracts = load_contracts(CONTRACTS, endpoint_prefix=settings.endpoint_prefix)
    workspace = AzureWorkspace(settings, credential, datasets=len(contracts))
    past, present = _tables(settings, credential)
    ledger = Ledger(
        past, present=present, now=now, lease_seconds=settings.claim_seconds, mended=telemetry.mended
    )
    return Services(
        ledger=ledger,
        files=AzureFiles(_storage_client(BlobServiceClient, settings, settings.blob_uri, credential)),
        workspace=workspace,
        pipeline=_pipeline(settings, credential, workspace),
        scoring_pipeline=_scoring_pipeline(settings, credential, workspace),
        experiment_pipeline=_experiment_pipeline(settings, credential, workspace),
        endpoint=RestEndpoint(
            workspace.online_address,
            in_flight=settings.requests_in_flight,
            patience=settings.score_patience_seconds,
        ),
        bus=_bus(settings, credential),
        contracts=contracts,
        recipes=load_recipes(RECIPES, first=settings.first_recipe),
        policy=settings.policy(),
        now=now,
        event_source=settings.workspace_id,
        subscribers=_subscribers(settings, credential),
        release=release(),
        alert_channels=_alert_channels(settings),
        public_url=settings.public_url or "",
    )


def _export_telemetry(settings: Settings) -> None:
    """OpenTelemetry is loaded only where something is exported, and set up once, however many messages come first."""
    if settings.telemetry == "off":
        return
    from shared import telemetry

    with _TELEMETRY:
        telemetry.export_to(_exporter(settings.telemetry))


@lru_cache(maxsize=1)
def _exporter(to: str) -> telemetry.Sink:
    from shared.adapters.open_telemetry import exporter

    return exporter(to)


_TELEMETRY = threading.Lock()


@lru_cache(maxsize=1)
def model_api() -> ModelApi:
    """The models' endpoints as any client meets them."""
    from shared.adapters.azureml import AzureWorkspace
    from shared.adapters.model_api import RestModelApi
    from shared.adapters.sign_in import credential
    from shared.settings import read_settings

    return RestModelApi(AzureWorkspace(read_settings(), credential()).online_address)


@lru_cache(maxsize=1)
def storage_clock() -> StorageClock:
    """What all that is compared with a time of storage's goes by."""
    from shared.adapters.storage_clock import StorageClock

    return StorageClock()


def _storage_client(kind: Any, settings: Settings, uri: object, credential: TokenCredential) -> Any:
    """A service client of the storage account, by connection string where there is one, else by signing in.

    kind: BlobServiceClient, QueueServiceClient or TableServiceClient, which share their ways and no base class
    """
    from shared.adapters.transport import settled

    clock = storage_clock()
    if settings.campanha_storage:
        return settled(
            partial(kind.from_connection_string, settings.campanha_storage.get_secret_value()), clock
        )
    return settled(partial(kind, str(uri), credential=credential), clock)


def _tables(settings: Settings, credential: TokenCredential) -> tuple[Table, Table]:
    """The ledger's table, and the small one beside it for what stands for the present."""
    from azure.data.tables import TableServiceClient

    from shared.adapters.tables import AzureTable

    service = _storage_client(TableServiceClient, settings, settings.table_uri, credential)
    # By identity the app may not make tables: in Azure Bicep does.
    of_name = service.create_table_if_not_exists if settings.campanha_storage else service.get_table_client
    names = (settings.ledger_table, f"{settings.ledger_table}{PRESENT}")
    past, present = (AzureTable(of_name(name), storage_clock()) for name in names)
    return past, present


def _bus(settings: Settings, credential: TokenCredential) -> QueueBus:
    from azure.storage.queue import QueueServiceClient

    from shared.adapters.queues import QueueBus

    queues = _storage_client(QueueServiceClient, settings, settings.queue_uri, credential)
    return QueueBus(queues, notifies=bool(settings.event_topic_endpoint or settings.webhook_list()))


def _subscribers(settings: Settings, credential: TokenCredential) -> list[Subscriber]:
    from azure.core.credentials import AzureKeyCredential

    from shared.adapters.measured_subscriber import MeasuredSubscriber
    from shared.adapters.subscribers import EventGridTopic, Webhook, topic_client

    subscribers: list[Subscriber] = [
        Webhook(webhook.url, webhook.secret.get_secret_value(), reach=settings.webhook_reach)
        for webhook in settings.webhook_list()
    ]
    endpoint, key = settings.event_topic_endpoint, settings.event_topic_key
    if endpoint:
        sign_in = AzureKeyCredential(key.get_secret_value()) if key else credential
        client = topic_client(endpoint, sign_in)
        subscribers.append(EventGridTopic(client, endpoint=endpoint))
    return [MeasuredSubscriber(one) for one in subscribers]


def _alert_channels(settings: Settings) -> list[AlertChannel]:
    channels = settings.channel_list()
    if not channels:
        return []
    from shared.adapters.alert_channels import LoggedChannel, MailChannel, WebhookChannel
    from shared.settings import MailChannelSetting, PagerChannelSetting

    made: list[AlertChannel] = []
    for one in channels:
        if isinstance(one, MailChannelSetting):
            made.append(
                MailChannel(
                    name=one.name, host=one.host, port=one.port, sender=one.sender, to=one.to, tls=one.tls,
                    user=one.user, password=one.password.get_secret_value(),
                )
            )  # fmt: skip
            continue
        key = one.routing_key.get_secret_value() if isinstance(one, PagerChannelSetting) else ""
        made.append(
            WebhookChannel(
                name=one.name, kind=one.type, url=one.url.get_secret_value(), routing_key=key,
                reach=settings.webhook_reach,
            )
        )  # fmt: skip
    return [LoggedChannel(one) for one in made]


def _pipeline(
    settings: Settings, credential: TokenCredential, workspace: AzureWorkspace
) -> PipelineEndpoint[RunRequest]:
    from shared.adapters.pipelines import BatchPipeline, PublishedPipeline

    if settings.pipeline_kind == "published-pipeline":
        url = str(settings.published_pipeline_url)
        return PublishedPipeline(credential, url=url, workspace_id=settings.workspace_id)
    return BatchPipeline(
        credential,
        workspace_id=settings.workspace_id,
        address=lru_cache(lambda: workspace.batch_address(settings.training_endpoint)),
        find_run=workspace.find_run,
    )


def _scoring_pipeline(
    settings: Settings, credential: TokenCredential, workspace: AzureWorkspace
) -> PipelineEndpoint[ScoringRequest]:
    from shared.adapters.pipelines import BatchScoring

    return BatchScoring(
        credential,
        workspace_id=settings.workspace_id,
        address=lru_cache(lambda: workspace.batch_address(settings.scoring_endpoint)),
        find_run=workspace.find_run,
    )


def _experiment_pipeline(
    settings: Settings, credential: TokenCredential, workspace: AzureWorkspace
) -> PipelineEndpoint[ExperimentRequest]:
    from shared.adapters.pipelines import BatchExperiment

    search = settings.experiment_with == "search"
    endpoint = settings.experiment_endpoint if search else settings.automl_endpoint
    return BatchExperiment(
        credential,
        workspace_id=settings.workspace_id,
        address=lru_cache(lambda: workspace.batch_address(endpoint)),
        find_run=workspace.find_run,
    )
