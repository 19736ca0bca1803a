"""Every resource that there must be, and none beyond: the one list's, and what they stand on."""

from __future__ import annotations

from collections.abc import Iterator

from commands.infrastructure.found import Finding, Network, rule, short, wrong
from shared.resources import events
from shared.resources.identities import IDENTITIES
from shared.resources.storage import CONTAINERS, QUEUE_NAMES, TABLES

STORAGE = "Microsoft.Storage/storageAccounts"
ML = "Microsoft.MachineLearningServices/workspaces"
NETWORK = "Microsoft.Network"
ACCOUNTS = ("stdata*", "stwork*", "stapi*", "stml*")
APPS = ("work", "api")
TOPICS = {events.STORAGE: "evgt-storage-*", events.WORKSPACE: "evgt-workspace-*"}
OUTGOING = f"evgt-{events.OUTGOING}-*"
PARTS = {
    "data": ("blob", "queue", "table"),
    "work": ("blob", "queue", "table"),
    "api": ("blob", "queue", "table"),
    "ml": ("blob", "file"),
}
"""By storage account, the services that are reached by a private endpoint."""
OTHERS = ("vault", "registry", "workspace", "topic", "work-app", "api-app")
ZONES = (
    *(f"privatelink.{part}.core.windows.net" for part in ("blob", "queue", "table", "file")),
    "privatelink.vaultcore.azure.net",
    "privatelink.azurecr.io",
    "privatelink.api.azureml.ms",
    "privatelink.notebooks.azure.net",
    "privatelink.eventgrid.azure.net",
    "privatelink.azurewebsites.net",
)
ENDPOINTS = tuple(
    f"pe-{name}-*" for name in (*(f"{of}-{part}" for of, all_ in PARTS.items() for part in all_), *OTHERS)
)
LOGGED = (
    "stdata*/default", "stwork*/default", "stapi*/default",
    "evgt-storage-*", "evgt-workspace-*", OUTGOING,
    "mlw-*", "kv-*", "cr*", "func-work-*", "func-api-*",
)  # fmt: skip
ALERTS = ("dead-letters-*", "settings-*", "steps-failing-*", "clock-stopped-*", "api-failing-*")
METRIC_ALERTS = (
    "undelivered-blob-events-*", "lost-blob-events-*", "undelivered-run-events-*", "lost-run-events-*",
    "unpublished-events-*", "storage-unavailable-*",
)  # fmt: skip

ALWAYS: dict[str, tuple[str, ...]] = {
    "Microsoft.Resources/resourceGroups": ("rg-bank",),
    "Microsoft.ManagedIdentity/userAssignedIdentities": tuple(
        f"id-{each.name}-*" for each in IDENTITIES if each.user_assigned
    ),
    STORAGE: ACCOUNTS,
    f"{STORAGE}/blobServices": ("stdata*/default", "stwork*/default", "stapi*/default"),
    f"{STORAGE}/blobServices/containers": (
        *(f"stdata*/default/{each.name}" for each in CONTAINERS),
        "stwork*/default/app-package",
        "stapi*/default/app-package",
    ),
    f"{STORAGE}/queueServices": ("stdata*/default",),
    f"{STORAGE}/queueServices/queues": tuple(f"stdata*/default/{name}" for name in QUEUE_NAMES),
    f"{STORAGE}/tableServices": ("stdata*/default",),
    f"{STORAGE}/tableServices/tables": tuple(f"stdata*/default/{name}" for name in TABLES),
    "Microsoft.Authorization/locks": ("stdata*/keep",),
    "Microsoft.EventGrid/systemTopics": tuple(TOPICS.values()),
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": tuple(
        f"{TOPICS[each.source]}/{each.name}" for each in events.SUBSCRIPTIONS
    ),
    "Microsoft.EventGrid/topics": (OUTGOING,),
    "Microsoft.Web/serverfarms": tuple(f"plan-{app}-*" for app in APPS),
    "Microsoft.Web/sites": tuple(f"func-{app}-*" for app in APPS),
    "Microsoft.Web/sites/config": tuple(f"func-{app}-*/appsettings" for app in APPS),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": tuple(
        f"func-{app}-*/{way}" for app in APPS for way in ("ftp", "scm")
    ),
    ML: ("mlw-*",),
    f"{ML}/computes": ("mlw-*/cpu-*",),
    "Microsoft.KeyVault/vaults": ("kv-*",),
    "Microsoft.ContainerRegistry/registries": ("cr*",),
    "Microsoft.OperationalInsights/workspaces": ("log-*",),
    "Microsoft.Insights/components": ("appi-*", "appi-ml-*"),
    "Microsoft.Insights/actionGroups": ("ag-*",),
    "Microsoft.Insights/scheduledQueryRules": ALERTS,
    "Microsoft.Insights/metricAlerts": METRIC_ALERTS,
    "Microsoft.Insights/activityLogAlerts": ("azure-*",),
    "Microsoft.Insights/diagnosticSettings": (
        *(f"{name}/logs" for name in LOGGED),
        "stdata*/default/logs",
        "stdata*/default/logs",
    ),
    "Microsoft.Consumption/budgets": ("budget-bank",),
}
"""By type what there is, whatever the network is. Of the data account's three services each has its own logs."""
WHEN_PRIVATE: dict[str, tuple[str, ...]] = {
    f"{ML}/outboundRules": ("mlw-*/data", "mlw-*/pypi", "mlw-*/pythonhosted", "mlw-*/conda"),
    f"{NETWORK}/virtualNetworks": ("vnet-*",),
    f"{NETWORK}/virtualNetworks/subnets": ("vnet-*/work", "vnet-*/api", "vnet-*/endpoints"),
    f"{NETWORK}/privateDnsZones": ZONES,
    f"{NETWORK}/privateDnsZones/virtualNetworkLinks": tuple(f"{zone}/vnet" for zone in ZONES),
    f"{NETWORK}/privateEndpoints": ENDPOINTS,
    f"{NETWORK}/privateEndpoints/privateDnsZoneGroups": tuple(f"{name}/default" for name in ENDPOINTS),
}
ELSEWHERE = (
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Authorization/roleDefinitions",
    "Microsoft.Insights/workbooks",
)
"""What is named by GUIDs, and counted by other rules."""


@rule("F13", "F14", "E3")
def every_resource_is_there(network: Network) -> Iterator[Finding]:
    """Every resource that the list names is made, and none beyond it."""
    wanted = {**ALWAYS, **(WHEN_PRIVATE if network.private else {})}
    for type_, names in wanted.items():
        left = list(network.of(type_))
        for name in names:
            there = next((each for each in left if short(each) == name), None)
            if there is None:
                yield Finding(place="infra", says=f"{type_.rpartition('/')[2]} {name} is missing")
            else:
                left.remove(there)
        for each in left:
            yield wrong(each, "it is not in the list (commands/infrastructure/rules/inventory.py)")
    known = {type_.lower() for type_ in (*wanted, *ELSEWHERE)}
    for each in network.deployment.resources:
        if each.type.lower() not in known:
            yield wrong(each, f"nothing of the type {each.type} is in the list")


@rule()
def no_two_resources_are_one(network: Network) -> Iterator[Finding]:
    """No two resources have one id."""
    seen = set()
    for each in network.deployment.resources:
        if each.id.lower() in seen:
            yield wrong(each, "another resource has its id")
        seen.add(each.id.lower())
