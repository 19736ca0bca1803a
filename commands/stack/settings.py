"""The app settings of a stack, and the variables with which any other program talks to it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from commands.stack.access import (
    HOST_ACCOUNTS,
    PERSON,
    client_id,
    data_address,
    identity_header,
    identity_id,
)
from commands.stack.state import Stack
from localazure.faults import VARIABLE
from localazure.faults.control import file_of
from localazure.proxies import without_proxy
from shared.resources.identities import API, ENDPOINT, WORK, Identity

SERVICES = ("blob", "queue", "table")
INSIGHTS = "00000000-0000-0000-0000-00000000bbbb"
"""The instrumentation key, which opens nothing: the app signs in."""
IMPATIENT = {
    "SCORE_SCHEDULE": "*/10 * * * * *",
    "RECONCILE_SCHEDULE": "*/15 * * * * *",
    "CLAIM_SECONDS": "20",
    "RELEASE_BAKING_SECONDS": "0",
}
"""A person at a screen waits for what in Azure runs by the minute or the hour, and for what a killed host left. Nobody
else sends requests that a new model could be watched with: `./dev up --set RELEASE_BAKING_SECONDS=60` shows it."""


def sdk_settings(stack: Stack, identity: Identity = PERSON) -> dict[str, str]:
    """What sends the unmodified SDKs to the embedded Azure instead of to the real one. identity: who signs in, which
    counts where roles do"""
    signs_in = {"SIGN_IN": "managed-identity"}
    signs_in |= {"AZURE_CLIENT_ID": client_id(identity)} if stack.roles else {}
    secret = (
        identity_header(stack, identity) if stack.roles else stack.written_by("workspace", "identity-header")
    )
    return {
        **signs_in,
        "AZUREML_DEV_URL_MFE": stack.workspace_url,
        "IDENTITY_ENDPOINT": f"http://127.0.0.1:{stack.ports['identity']}/msi/token",
        "IDENTITY_HEADER": secret,
        "REQUESTS_CA_BUNDLE": str(stack.state / "tls" / "bundle.pem"),
        "AZURE_SUBSCRIPTION_ID": stack.subscription,
        "AZURE_RESOURCE_GROUP": stack.resource_group,
        "AZUREML_WORKSPACE": stack.workspace,
    }


def app_settings(stack: Stack, app: str = "") -> dict[str, str]:
    """The sample's settings with this stack's addresses, and over all what the user chose.

    app: which of the two, where roles are split between them
    """
    sample = json.loads((stack.root / "local.settings.sample.json").read_text(encoding="utf-8"))
    return {
        **sample["Values"],
        **IMPATIENT,
        **(_keyless(stack, app or WORK.name) if stack.roles else _keyed(stack)),
        **{f"{scope.upper()}_KEY": key for scope, key in stack.keys.items()},
        "EVENT_TOPIC_ENDPOINT": stack.topic_url("campanha"),
        "PUBLISHED_PIPELINE_URL": published_pipeline_url(stack),
        # A worker for each core: more would only take turns, and each finds its caches cold.
        "SERVING_CONCURRENT_REQUESTS": str(serving_workers()),
        **no_proxy(),
        **stack.chosen_settings,
    }


def _keyed(stack: Stack) -> dict[str, str]:
    return {
        "AzureWebJobsStorage": stack.connection_string,
        "CAMPANHA_STORAGE": stack.connection_string,
        "EVENT_TOPIC_KEY": stack.event_key,
        **sdk_settings(stack),
    }


def _keyless(stack: Stack, app: str) -> dict[str, str]:
    """What an app in Azure has: addresses, and the identity that signs in. No setting has a key."""
    identity = {API.name: API, WORK.name: WORK}[app]
    own = {"credential": "managedidentity", "clientId": client_id(identity)}
    of_host = {
        f"{service}ServiceUri": data_address(stack, service, HOST_ACCOUNTS[app]) for service in SERVICES
    }
    of_data = {f"{service}ServiceUri": data_address(stack, service) for service in SERVICES}
    return {
        "AzureWebJobsStorage": "",
        "CAMPANHA_STORAGE": "",
        **{f"AzureWebJobsStorage__{name}": value for name, value in {**own, **of_host}.items()},
        **{f"CAMPANHA_STORAGE__{name}": value for name, value in {**own, **of_data}.items()},
        **sdk_settings(stack, identity),
        "APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey={INSIGHTS};IngestionEndpoint={stack.workspace_url}/",
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": f"ClientId={client_id(identity)};Authorization=AAD",
        "SERVES": app,
        "TELEMETRY": "azure-monitor",
        "SERVING_APP_INSIGHTS": "on",
        "ENDPOINT_AUTH": "entra",
        **({"ENDPOINT_IDENTITY": identity_id(stack, ENDPOINT)} if identity == WORK else {}),
        **({"HTTP_UPLOADS": "refused"} if identity == API else {}),
    }


def serving_workers() -> int:
    """Requests that a deployment on this machine works on at once."""
    return max(2, os.cpu_count() or 2)


def published_pipeline_url(stack: Stack) -> str:
    """Where the embedded workspace takes v1 calls for what `./dev publish` published last."""
    from pipelines.publish import ENDPOINT

    return f"{stack.workspace_url}/pipelines/v1.0{stack.workspace_id}/PipelineRuns/PipelineSubmit/{ENDPOINT}"


def script_environment(stack: Stack) -> dict[str, str]:
    """What `./dev env` prints, for scripts outside."""
    keys = {
        "AZURE_STORAGE_CONNECTION_STRING": stack.connection_string,
        "EVENTGRID_TOPIC_KEY": stack.event_key,
    }
    address = {"AZURE_STORAGE_BLOB_ENDPOINT": data_address(stack, "blob")} if stack.roles else keys
    return {
        **sdk_settings(stack),
        **address,
        "EVENTGRID_TOPIC_ENDPOINT": stack.topic_url("campanha"),
        **({VARIABLE: str(file_of(stack.state))} if stack.faults else {}),
        "CAMPANHA_URL": stack.host_url,
        "CAMPANHA_KEY": stack.keys["operator"],
        **no_proxy(),
    }


def no_proxy() -> dict[str, str]:
    """A machine behind a proxy must not use it for 127.0.0.1."""
    return without_proxy(os.environ)


def write_app_settings(stack: Stack) -> bool:
    """Write each app's settings in the shape of local.settings.json; True when one is not what it was."""
    apps = (WORK.name, API.name) if stack.roles else ("",)
    return any([_written(stack.settings_file_of(app), app_settings(stack, app)) for app in apps])


def _written(file: Path, values: dict[str, str]) -> bool:
    text = json.dumps({"IsEncrypted": False, "Values": values}, indent=2)
    before = file.read_text(encoding="utf-8") if file.exists() else None
    if text == before:
        return False
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
        written.write(text)
    return before is not None
