"""The app settings of each app in Azure, and where each value comes from."""

from __future__ import annotations

from dataclasses import dataclass

from shared.resources.identities import API, WORK
from shared.resources.storage import LEDGER

BOTH = (WORK.name, API.name)


@dataclass(frozen=True, kw_only=True)
class AppSetting:
    """A setting of an app in Azure: a value for all subscriptions, or what gives it in each."""

    name: str
    value: str = ""
    """Empty when the deployment gives it."""
    given: str = ""
    """What gives it: an address, an id, a parameter."""
    apps: tuple[str, ...] = BOTH


APP_SETTINGS = (
    # Microsoft's host
    AppSetting(name="AzureWebJobsStorage__accountName", given="the app's host storage"),
    AppSetting(name="AzureWebJobsStorage__credential", value="managedidentity"),
    AppSetting(name="AzureWebJobsStorage__clientId", given="the app's identity"),
    AppSetting(name="APPLICATIONINSIGHTS_CONNECTION_STRING", given="Application Insights"),
    AppSetting(name="APPLICATIONINSIGHTS_AUTHENTICATION_STRING", given="the app's identity"),
    AppSetting(name="PYTHON_ISOLATE_WORKER_DEPENDENCIES", value="1"),
    AppSetting(
        name="AzureFunctionsJobHost__extensions__queues__maxPollingInterval",
        value="00:00:10",
        apps=(WORK.name,),
    ),
    # the data account, for the queue triggers and for the app
    AppSetting(name="CAMPANHA_STORAGE__blobServiceUri", given="the data account"),
    AppSetting(name="CAMPANHA_STORAGE__queueServiceUri", given="the data account"),
    AppSetting(name="CAMPANHA_STORAGE__tableServiceUri", given="the data account"),
    AppSetting(name="CAMPANHA_STORAGE__credential", value="managedidentity"),
    AppSetting(name="CAMPANHA_STORAGE__clientId", given="the app's identity"),
    AppSetting(name="LEDGER_TABLE", value=LEDGER),
    # the app
    AppSetting(name="SERVES", given="the app's name"),
    AppSetting(name="AZURE_CLIENT_ID", given="the app's identity"),
    AppSetting(name="AZURE_SUBSCRIPTION_ID", given="the subscription"),
    AppSetting(name="AZURE_RESOURCE_GROUP", given="the resource group"),
    AppSetting(name="AZUREML_WORKSPACE", given="the workspace"),
    AppSetting(name="EVENT_TOPIC_ENDPOINT", given="the custom topic"),
    AppSetting(name="TELEMETRY", value="azure-monitor"),
    AppSetting(name="SERVING_APP_INSIGHTS", value="on", apps=(WORK.name,)),
    AppSetting(name="ENDPOINT_AUTH", value="entra"),
    AppSetting(name="ENDPOINT_IDENTITY", given="the identity `endpoint`", apps=(WORK.name,)),
    AppSetting(name="ALERT_CHANNELS", given="the parameter alertChannels", apps=(WORK.name,)),
    AppSetting(name="PUBLIC_URL", given="the address of the app `api`", apps=(WORK.name,)),
    AppSetting(name="SCORE_SCHEDULE", value="0 */5 * * * *", apps=(WORK.name,)),
    AppSetting(name="RECONCILE_SCHEDULE", value="0 * * * * *", apps=(WORK.name,)),
    AppSetting(name="RETRAIN_SCHEDULE", value="0 0 3 * * 1", apps=(WORK.name,)),
    AppSetting(name="ENTRA_TENANT_ID", given="the tenant", apps=(API.name,)),
    AppSetting(name="ENTRA_AUDIENCE", given="the parameter apiAudience", apps=(API.name,)),
    AppSetting(name="HTTP_UPLOADS", value="refused", apps=(API.name,)),
    AppSetting(name="TRUST_FORWARDED_FOR", value="true", apps=(API.name,)),
)
HOST_PREFIXES = (
    "AzureWebJobsStorage",
    "AzureFunctionsJobHost__",
    "APPLICATIONINSIGHTS_",
    "PYTHON_",
    "FUNCTIONS_",
)
"""How names begin of what the host, or its worker, reads."""
SCHEDULES = ("SCORE_SCHEDULE", "RECONCILE_SCHEDULE", "RETRAIN_SCHEDULE")
"""What the clocks' bindings name; the host reads them."""
CHOSEN_SCHEDULE = "EXPERIMENT_SCHEDULE"
"""The schedule of a clock that is there only when it is set."""
CONNECTION = "CAMPANHA_STORAGE"
"""The connection that every queue trigger names."""
OF_CONNECTION = (f"{CONNECTION}__credential", f"{CONNECTION}__clientId")
"""What the host's triggers read of it, and the app does not: it signs in by AZURE_CLIENT_ID."""
SIGN_IN = "AZURE_CLIENT_ID"
"""What `azure-identity` reads: which of an app's identities signs in."""
