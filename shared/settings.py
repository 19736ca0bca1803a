"""Settings of the app: read once from the environment, typed, every fault reported at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.domain.facts import LONGEST_DELAY
from shared.domain.live_choices import LIVE, Choice
from shared.domain.network_reach import Reach, spelt
from shared.domain.policy import Policy, Purpose
from shared.domain.sign_in import Way, sign_in
from shared.errors import ConfigurationError
from shared.resources.storage import LEDGER

_POLICY = Policy()
KEY_LENGTH = 20
"""Characters a key has at least: shorter ones can be guessed."""


def address_fault(url: str, reach: Reach) -> str:
    """What is wrong with a webhook's address; empty when it will do, as far as its spelling tells."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "cannot be read"
    if not host or parts.username is not None or parts.password is not None:
        return "has no host, or names a user"
    if not host.isascii():  # what a resolver makes of other digits, dots and letters is its own affair
        return "has a host that is not written in ASCII: write it in Punycode, as xn--..."
    ip = ip_address("127.0.0.1") if host.rstrip(".") == "localhost" else spelt(host)
    fault = reach.fault(ip) if ip is not None else ""
    if fault:
        return fault
    may_be_plain = ip is not None and ip.is_loopback and parts.scheme == "http"
    return "" if parts.scheme == "https" or may_be_plain else "does not begin with https"


class WebhookSetting(BaseModel):
    """A subscriber's address, and the shared secret that its deliveries are signed with (HMAC-SHA256)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(max_length=2000)
    secret: SecretStr = Field(min_length=KEY_LENGTH)

    def fault(self, reach: Reach) -> str:
        return address_fault(self.url, reach)


class _Channel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(default="", pattern="^[a-z0-9-]{0,40}$")
    """What it is called on the page; its type when left out."""


class ChatChannelSetting(_Channel):
    """A Workflows webhook of Microsoft Teams, or an incoming webhook of Slack; the address is a secret."""

    type: Literal["teams", "slack"]
    url: SecretStr = Field(max_length=2000)


class PagerChannelSetting(_Channel):
    """An integration of PagerDuty's Events API v2, or of what speaks it."""

    type: Literal["pagerduty"]
    routing_key: SecretStr = Field(min_length=KEY_LENGTH, max_length=200)
    url: SecretStr = SecretStr("https://events.pagerduty.com/v2/enqueue")


class MailChannelSetting(_Channel):
    """A mail server, and who gets mail."""

    type: Literal["email"]
    host: str = Field(min_length=1, max_length=253)
    port: int = Field(default=587, ge=1, le=65535)
    sender: str = Field(alias="from", pattern="^[^@\\s]+@[^@\\s]+$")
    to: tuple[Annotated[str, Field(pattern="^[^@\\s]+@[^@\\s]+$")], ...] = Field(min_length=1)
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str = ""
    password: SecretStr = SecretStr("")


ChannelSetting = Annotated[
    ChatChannelSetting | PagerChannelSetting | MailChannelSetting, Field(discriminator="type")
]
CHANNELS: TypeAdapter[list[ChannelSetting]] = TypeAdapter(list[ChannelSetting])


class Settings(BaseSettings):
    """Each field is an app setting of the same name in capitals; `local.settings.sample.json` shows them all."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    serves: Literal["all", "work", "api"] = "all"
    """Which functions this app has: in Azure two apps of one package share them, so that what faces HTTP cannot write
    data; `function_app.py` reads it."""

    campanha_storage: SecretStr | None = None
    """Connection string of the data account; in Azure leave it empty and set the three URIs below."""
    blob_uri: str | None = Field(default=None, alias="CAMPANHA_STORAGE__blobServiceUri")
    queue_uri: str | None = Field(default=None, alias="CAMPANHA_STORAGE__queueServiceUri")
    table_uri: str | None = Field(default=None, alias="CAMPANHA_STORAGE__tableServiceUri")
    ledger_table: str = LEDGER

    telemetry: Literal["off", "console", "otlp", "azure-monitor"] = "off"
    """Where spans and metrics go: nowhere, to stderr, to an OTLP receiver (OTEL_EXPORTER_OTLP_ENDPOINT), or to Application
    Insights (APPLICATIONINSIGHTS_CONNECTION_STRING)."""

    sign_in: Way = "auto"
    """How the app signs in to Azure; `shared.domain.sign_in` says what each way needs."""
    azure_subscription_id: str
    azure_resource_group: str
    azureml_workspace: str

    pipeline_kind: Literal["batch-endpoint", "published-pipeline"] = "batch-endpoint"
    training_endpoint: str = "campanha-training"
    """The batch endpoint whose default deployment is the published training pipeline."""
    scoring_endpoint: str = "campanha-scoring"
    """The batch endpoint whose default deployment is the scoring pipeline, for large files of clients."""
    experiment_endpoint: str = "campanha-experimentation"
    """The batch endpoint whose default deployment is the experimentation pipeline."""
    automl_endpoint: str = "campanha-automl"
    """The same of the pipeline with Azure's AutoML, for `EXPERIMENT_WITH=automl`."""
    published_pipeline_url: str | None = None
    """With `published-pipeline`: the v1 REST endpoint, ending in /PipelineRuns/PipelineSubmit/<id>."""
    serving_environment: str = "campanha-serving@latest"
    serving_instance_type: str = "Standard_DS3_v2"
    serving_instance_count: int = Field(default=1, ge=1)
    serving_app_insights: Literal["off", "on"] = "off"
    """Whether new deployments tell the workspace's Application Insights of each request, and of what they print."""
    serving_broken_rows: Literal["answer", "refuse"] = "answer"
    endpoint_auth: Literal["entra", "key"] = "entra"
    """How clients of the models' endpoints sign in, ours too: by a token of Microsoft Entra, or by the endpoint's key. It
    counts when an endpoint is made; one that is there is called in its own way."""
    endpoint_identity: str | None = None
    """Resource id of the user-assigned identity that endpoints are made with; without one they get one of their own."""
    serving_concurrent_requests: int = Field(default=4, ge=1)
    """Requests an instance works on at once; Azure lets as many again wait, and answers 429 to the rest."""
    score_patience_seconds: float = Field(default=60, gt=0)
    """How long requests to a busy endpoint are retried before the shard goes back to the queue."""

    reader_key: SecretStr | None = Field(default=None, min_length=KEY_LENGTH)
    operator_key: SecretStr | None = Field(default=None, min_length=KEY_LENGTH)
    admin_key: SecretStr | None = Field(default=None, min_length=KEY_LENGTH)
    """What opens the HTTP API, each for more than the one before; all different."""
    entra_tenant_id: str | None = None
    entra_audience: str | None = None
    """With both set, tokens of this tenant for this application, a client id, get in too."""
    entra_authority: str = "https://login.microsoftonline.com"
    session_hours: int = Field(default=12, ge=1)
    rate_limit_per_minute: int = Field(default=6000, ge=1)
    trust_forwarded_for: bool = False
    """Whether a front end adds each caller's address to X-Forwarded-For, as Azure's does; else it is the caller's say."""
    http_uploads: Literal["taken", "refused"] = "taken"
    """Whether files come in over HTTP too; in Azure the API's identity may not write them."""
    upload_most_mb: int = Field(default=100, ge=1, le=100)
    """Azure's host takes no larger body, and its Python worker holds each body whole."""

    webhooks: SecretStr | None = None
    """JSON: `[{"url": "https://...", "secret": "..."}]`."""
    webhooks_on_loopback: bool = False
    webhooks_on_private_network: bool = False

    alert_channels: SecretStr | None = None
    """JSON: where people are told of alerts; docs/alerts.md has each form."""
    public_url: str | None = Field(
        default=None, pattern="^(https://|http://(localhost|127\\.0\\.0\\.1)(:|/|$))"
    )
    """Where people reach the dashboard, for links in messages: https://NAME.azurewebsites.net"""

    event_topic_endpoint: str | None = None
    event_topic_key: SecretStr | None = None
    """The Event Grid topic that gets every event as a CloudEvent; without a key the app's identity signs in."""

    gather_quiet_seconds: int = Field(default=_POLICY.gather_quiet_seconds, ge=0)
    gather_longest_seconds: int = Field(default=_POLICY.gather_longest_seconds, ge=0)
    gather_most_files: int = Field(default=_POLICY.gather_most_files, ge=1)
    incoming_names: str = _POLICY.incoming_names
    scoring_names: str = _POLICY.scoring_names
    overwritten_files: Literal["replace", "add"] = _POLICY.overwritten_files
    repeated_rows: Literal["once", "each"] = _POLICY.repeated_rows
    submit_fence_seconds: int = Field(default=_POLICY.submit_fence_seconds, ge=0)
    run_deadline_minutes: int = Field(default=_POLICY.run_deadline_minutes, ge=1)
    runs_per_day: int = Field(default=_POLICY.runs_per_day, ge=0, le=500)
    run_cool_down_minutes: int = Field(default=_POLICY.run_cool_down_minutes, ge=0, le=LONGEST_DELAY // 60)
    run_least_new_rows: int = Field(default=_POLICY.run_least_new_rows, ge=0)
    drift_rows: int = Field(default=_POLICY.drift_rows, ge=0, le=1_000_000)
    drift_retrain: Literal["off", "on"] = _POLICY.drift_retrain
    drift_retrain_loss: float = Field(default=_POLICY.drift_retrain_loss, ge=0, allow_inf_nan=False)
    drift_retrain_cool_down_hours: int = Field(default=_POLICY.drift_retrain_cool_down_hours, ge=0)
    call_cost: float = Field(default=_POLICY.call_cost, gt=0)
    deposit_value: float = Field(default=_POLICY.deposit_value, gt=0)
    first_recipe: str = _POLICY.first_recipe
    false_recipe_change: float = Field(default=_POLICY.false_recipe_change, gt=0, le=0.2)
    experiment_with: Purpose = _POLICY.experiment_with
    experiment_daily_seconds: int = Field(default=_POLICY.experiment_daily_seconds, ge=0, le=86_400)
    endpoint_prefix: str = _POLICY.endpoint_prefix
    release_poll_seconds: int = Field(default=_POLICY.release_poll_seconds, ge=1)
    release_shadow_rows: int = Field(default=_POLICY.release_shadow_rows, ge=0, le=100_000)
    release_shadow_decisions: float = Field(default=_POLICY.release_shadow_decisions, gt=0, le=1)
    release_shadow_psi: float = Field(default=_POLICY.release_shadow_psi, gt=0, allow_inf_nan=False)
    release_shadow_beyond: Literal["hold", "roll-back", "record"] = _POLICY.release_shadow_beyond
    release_canary_percent: int = Field(default=_POLICY.release_canary_percent, ge=1, le=50)
    release_baking_seconds: int = Field(default=_POLICY.release_baking_seconds, ge=0, le=LONGEST_DELAY)
    release_latency_ratio: float = Field(default=_POLICY.release_latency_ratio, gt=1, allow_inf_nan=False)
    release_approval: Literal["none", "required"] = _POLICY.release_approval
    release_approval_hours: int = Field(
        default=_POLICY.release_approval_hours, ge=1, le=LONGEST_DELAY // 3600
    )
    release_undecided: Literal["refuse", "release"] = _POLICY.release_undecided
    endpoint_probe_seconds: int = Field(default=_POLICY.endpoint_probe_seconds, ge=0)
    score_catch_up: Literal["latest", "all", "none"] = _POLICY.score_catch_up
    shard_bytes: int = Field(default=_POLICY.shard_bytes, ge=1)
    request_bytes: int = Field(default=_POLICY.request_bytes, ge=10_000)
    implausible_lists: Literal["hold", "score"] = _POLICY.implausible_lists
    most_unscored_share: float = Field(default=_POLICY.most_unscored_share, ge=0, le=1)
    control_share: float = Field(default=_POLICY.control_share, ge=0, lt=1)
    call_list: bool = _POLICY.call_list
    most_calls: int = Field(default=_POLICY.most_calls, ge=0)
    call_hours: float = Field(default=_POLICY.call_hours, ge=0)
    calls_per_hour: float = Field(default=_POLICY.calls_per_hour, gt=0)
    most_contacts: int = Field(default=_POLICY.most_contacts, ge=0)
    engine_bytes: int = Field(default=_POLICY.engine_bytes, ge=0)
    claim_seconds: int = Field(default=_POLICY.claim_seconds, ge=5)

    @model_validator(mode="after")
    def _complete(self) -> Settings:
        if self.campanha_storage is None and not (self.blob_uri and self.queue_uri and self.table_uri):
            raise ValueError(
                "set CAMPANHA_STORAGE (a connection string), or CAMPANHA_STORAGE__blobServiceUri,"
                " CAMPANHA_STORAGE__queueServiceUri and CAMPANHA_STORAGE__tableServiceUri"
            )
        if self.pipeline_kind == "published-pipeline" and not self.published_pipeline_url:
            raise ValueError("PIPELINE_KIND is published-pipeline: set PUBLISHED_PIPELINE_URL too")
        keys = [key.get_secret_value() for key in (self.reader_key, self.operator_key, self.admin_key) if key]
        if len(set(keys)) < len(keys):
            raise ValueError("READER_KEY, OPERATOR_KEY and ADMIN_KEY must differ from each other")
        if bool(self.entra_tenant_id) != bool(self.entra_audience):
            raise ValueError("set both ENTRA_TENANT_ID and ENTRA_AUDIENCE, or neither")
        self.webhook_list()
        self.channel_list()
        return self

    def webhook_list(self) -> list[WebhookSetting]:
        """raises: ValueError that says what is wrong with which, and no secret"""
        if self.webhooks is None:
            return []
        try:
            found = TypeAdapter(list[WebhookSetting]).validate_json(self.webhooks.get_secret_value())
        except ValidationError as faults:
            places = ", ".join(".".join(map(str, fault["loc"])) or "WEBHOOKS" for fault in faults.errors())
            raise ValueError(
                f'WEBHOOKS must be JSON like [{{"url": "https://...", "secret": "{KEY_LENGTH} characters"}}];'
                f" look at: {places}"
            ) from None
        for webhook in found:
            fault = webhook.fault(self.webhook_reach)
            if fault:
                raise ValueError(f"WEBHOOKS: an address {fault}")
        return found

    def channel_list(self) -> list[ChannelSetting]:
        """raises: ValueError that says what is wrong with which, and no secret"""
        if self.alert_channels is None:
            return []
        try:
            found = CHANNELS.validate_json(self.alert_channels.get_secret_value())
        except ValidationError as faults:
            lines = [
                f"{'.'.join(map(str, one['loc'])) or 'the whole'}: {one['msg']}" for one in faults.errors()
            ]
            raise ValueError(
                'ALERT_CHANNELS must be JSON like [{"type": "teams", "url": "https://..."}], as docs/alerts.md has it: '
                + "; ".join(lines)
            ) from None
        found = [one if one.name else one.model_copy(update={"name": one.type}) for one in found]
        names = [one.name for one in found]
        if len(set(names)) < len(names):
            raise ValueError('ALERT_CHANNELS: two channels have one name: give each its own, as "name"')
        for one in found:
            fault = self._channel_fault(one)
            if fault:
                raise ValueError(f"ALERT_CHANNELS: {one.name}: {fault}")
        return found

    def _channel_fault(self, channel: ChannelSetting) -> str:
        if not isinstance(channel, MailChannelSetting):
            fault = address_fault(channel.url.get_secret_value(), self.webhook_reach)
            return f"its url {fault}" if fault else ""
        ip = ip_address("127.0.0.1") if channel.host == "localhost" else spelt(channel.host)
        if channel.tls == "none" and not (ip is not None and ip.is_loopback and self.webhooks_on_loopback):
            return 'mail goes out with TLS: "tls" is "starttls" or "implicit" ("none" only on this machine, for tests)'
        return ""

    @property
    def webhook_reach(self) -> Reach:
        """Where webhooks may be."""
        return Reach(loopback=self.webhooks_on_loopback, private=self.webhooks_on_private_network)

    def policy(self) -> Policy:
        """The owner's choices, without the addresses."""
        return Policy(**{name: value for name, value in self.model_dump().items() if hasattr(_POLICY, name)})

    @property
    def requests_in_flight(self) -> int:
        """What the endpoint takes at once, waiting places included."""
        return 2 * self.serving_concurrent_requests * self.serving_instance_count

    @property
    def workspace_id(self) -> str:
        """The workspace's ARM id, which every asset's id begins with."""
        return (
            f"/subscriptions/{self.azure_subscription_id}/resourceGroups/{self.azure_resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.azureml_workspace}"
        )


def _live_model() -> type[BaseModel]:
    """The same types and bounds as the app settings have, each with null for what they say."""
    fields: dict[str, Any] = {}
    for name in LIVE:
        setting = Settings.model_fields[name]
        bounds = setting.metadata or ("as the setting",)
        fields[name] = (Annotated[setting.annotation, *bounds] | None, None)
    config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    return create_model("LiveSettings", __config__=config, **fields)


_LIVE = _live_model()


def read_choices(given: Mapping[str, object]) -> dict[str, Choice | None]:
    """Choices that change while the app runs, checked as the app settings are; by field of the policy.

    given: by name of the app setting, null for what the setting says

    raises: ConfigurationError naming every one that is ill-typed, out of bounds, or takes a restart
    """
    lines = [
        f"  {name}: {_no_choice(name)}" for name in given if name.lower() not in LIVE or not name.isupper()
    ]
    known = {name.lower(): value for name, value in given.items() if name.lower() in LIVE}
    checked = None
    try:
        checked = _LIVE(**known)
    except ValidationError as faults:
        lines += [f"  {_name(fault['loc'])}: {fault['msg']}" for fault in faults.errors()]
    if lines:
        raise ConfigurationError("these choices need mending:\n" + "\n".join(lines))
    return {name: getattr(checked, name) for name in known}


def _no_choice(name: str) -> str:
    if name.lower() in Settings.model_fields:
        return "it is read once, at the start: change the app setting"
    return f"there is no such choice; there are {', '.join(one.upper() for one in LIVE)}"


def read_settings() -> Settings:
    """The settings as the environment has them.

    raises: ConfigurationError naming every setting that is missing or ill-typed, never a value
    """
    lines, settings = [], None
    try:
        settings = Settings()  # type: ignore[call-arg]  # the environment gives them
    except ValidationError as faults:
        lines = [f"  {_name(fault['loc'])}: {fault['msg']}" for fault in faults.errors()]
    lines += _not_signing_in(os.environ)
    if lines or settings is None:
        raise ConfigurationError("these app settings need mending:\n" + "\n".join(lines))
    return settings


def _not_signing_in(variables: Mapping[str, str]) -> list[str]:
    """What is missing of the way to sign in; one that is none is a fault of its own setting."""
    try:
        way = sign_in(variables)
    except ValueError:
        return []
    return [f"  {name}: needed to sign in as {way}" for name in way.missing]


def _name(location: tuple[int | str, ...]) -> str:
    return str(location[0]).upper() if location else "settings"
