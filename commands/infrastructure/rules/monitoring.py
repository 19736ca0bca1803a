"""Logs, alerts that tell somebody, and the budget."""

from __future__ import annotations

import re
from collections.abc import Iterator

from commands.infrastructure.evaluation import SUBSCRIPTION, Resource
from commands.infrastructure.found import TOKEN, Finding, Network, rule, short, wants, wrong

INSIGHTS = "Microsoft.Insights"
DURATION = re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?")
FREQUENCIES = ("PT1M", "PT5M", "PT10M", "PT15M", "PT30M", "PT1H", "PT2H", "PT6H", "P1D")
CATEGORIES = {
    "Microsoft.Storage/storageAccounts/blobServices": {"StorageRead", "StorageWrite", "StorageDelete"},
    "Microsoft.Storage/storageAccounts/queueServices": {"StorageRead", "StorageWrite", "StorageDelete"},
    "Microsoft.Storage/storageAccounts/tableServices": {"StorageRead", "StorageWrite", "StorageDelete"},
    "Microsoft.EventGrid/systemTopics": {"DeliveryFailures"},
    "Microsoft.EventGrid/topics": {"DeliveryFailures", "PublishFailures", "DataPlaneRequests"},
    "Microsoft.Web/sites": {"FunctionAppLogs", "AppServiceAuthenticationLogs"},
    "Microsoft.MachineLearningServices/workspaces": {
        "AmlComputeClusterEvent", "AmlComputeJobEvent", "AmlRunStatusChangedEvent", "AmlOnlineEndpointEventLog",
        "AmlOnlineEndpointConsoleLog", "AmlOnlineEndpointTrafficLog",
    },
    "Microsoft.KeyVault/vaults": {"AuditEvent", "AzurePolicyEvaluationDetails"},
    "Microsoft.ContainerRegistry/registries": {
        "ContainerRegistryLoginEvents", "ContainerRegistryRepositoryEvents",
    },
}  # fmt: skip
"""By type the categories of logs that there are; source: Azure Monitor, supported resource log categories."""
WANTED = {
    "stdata*/default": {"StorageDelete"},
    "stwork*/default": {"StorageWrite", "StorageDelete"},
    "stapi*/default": {"StorageWrite", "StorageDelete"},
    "evgt-storage-*": {"DeliveryFailures"},
    "evgt-workspace-*": {"DeliveryFailures"},
    "evgt-campanha-*": {"DeliveryFailures", "PublishFailures"},
    "func-work-*": {"FunctionAppLogs"},
    "func-api-*": {"FunctionAppLogs"},
    "mlw-*": {"AmlComputeJobEvent", "AmlRunStatusChangedEvent", "AmlOnlineEndpointEventLog"},
    "kv-*": {"AuditEvent"},
    "cr*": {"ContainerRegistryLoginEvents", "ContainerRegistryRepositoryEvents"},
}
"""By what is watched, the categories that must be kept."""
METRICS = {
    **{f"Microsoft.Storage/storageAccounts/{of}Services": "Transaction" for of in ("blob", "queue", "table")},
    "Microsoft.Web/sites": "AllMetrics",
    "Microsoft.MachineLearningServices/workspaces": "AllMetrics",
}
"""By type the category of metrics that is kept."""
WATCHED = {
    "undelivered-blob-events-*": ("evgt-storage-*", "DeadLetteredCount", "GreaterThan", 0, "Total"),
    "lost-blob-events-*": ("evgt-storage-*", "DroppedEventCount", "GreaterThan", 0, "Total"),
    "undelivered-run-events-*": ("evgt-workspace-*", "DeadLetteredCount", "GreaterThan", 0, "Total"),
    "lost-run-events-*": ("evgt-workspace-*", "DroppedEventCount", "GreaterThan", 0, "Total"),
    "unpublished-events-*": ("evgt-campanha-*", "PublishFailCount", "GreaterThan", 0, "Total"),
    "storage-unavailable-*": ("stdata*", "Availability", "LessThan", 99, "Average"),
}
"""By metric alert: what of, the metric, and when it tells."""
QUERIES = {
    "dead-letters-*": ("GreaterThan", 0, 1, "'dead_letter'"),
    "settings-*": ("GreaterThan", 0, 1, "'settings'"),
    "steps-failing-*": ("GreaterThan", 20, 2, "said.problem"),
    "clock-stopped-*": ("LessThan", 1, 0, "'reconcile_due'"),
    "api-failing-*": ("GreaterThan", 5, 2, "'http_api'"),
}
"""By query alert: when it tells, how grave that is, and what its query must ask for."""


@rule("D12", "E23")
def alerts_tell_somebody(network: Network) -> Iterator[Finding]:
    """Every alert is on, tells the action group, waits for nothing that is not there yet, and says what it means."""
    for type_, path in (("scheduledQueryRules", "actions.actionGroups"), ("metricAlerts", "actions")):
        for alert in network.of(f"{INSIGHTS}/{type_}"):
            told = alert.at(f"properties.{path}") or []
            groups = [each.get("actionGroupId") if isinstance(each, dict) else each for each in told]
            if not groups or not all("/actionGroups/ag-" in str(each) for each in groups):
                yield wrong(alert, f"properties.{path} (actionGroupId): it tells nobody")
            yield from wants(alert, {"properties.enabled": True}, "an alert that is off tells nobody")
            if not alert.at("properties.description"):
                yield wrong(alert, "properties.description is missing: nobody knows what to do")
            yield from _durations(alert)
    for alert in network.of(f"{INSIGHTS}/activityLogAlerts"):
        groups = [each.get("actionGroupId") for each in alert.at("properties.actions.actionGroups") or []]
        if not groups or not all("/actionGroups/ag-" in str(each) for each in groups):
            yield wrong(alert, "properties.actions.actionGroups: it tells nobody")
        yield from wants(
            alert,
            {
                "properties.enabled": True,
                "properties.condition.allOf": [{"field": "category", "equals": "ResourceHealth"}],
                "properties.scopes": [f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-bank"],
            },
            "Azure's own word",
        )


def _durations(alert: Resource) -> Iterator[Finding]:
    for name in ("evaluationFrequency", "windowSize"):
        given = str(alert.at(f"properties.{name}"))
        if not DURATION.fullmatch(given) or given not in FREQUENCIES:
            yield wrong(alert, f"properties.{name} is {given!r}: one of {', '.join(FREQUENCIES)}")


@rule("D12")
def metric_alerts_watch_what_they_say(network: Network) -> Iterator[Finding]:
    """Every metric alert watches a metric that there is, of the resource that it says, with its threshold."""
    for name, (of, metric, operator, threshold, aggregation) in WATCHED.items():
        alert = network.named(f"{INSIGHTS}/metricAlerts", name)
        if alert is None:
            continue
        one = "properties.criteria.allOf.0"
        yield from wants(
            alert,
            {
                "location": "global",
                "properties.severity": 1,
                f"{one}.criterionType": "StaticThresholdCriterion",
                f"{one}.metricName": metric,
                f"{one}.operator": operator,
                f"{one}.threshold": threshold,
                f"{one}.timeAggregation": aggregation,
                f"{one}.skipMetricValidation": True,
            },
            f"{metric} of {of}",
        )
        scopes = [
            TOKEN.sub("*", str(each)).rpartition("/")[2] for each in alert.at("properties.scopes") or []
        ]
        if scopes != [of]:
            yield wrong(alert, f"properties.scopes is {', '.join(scopes) or 'missing'}: {of} is wanted")


@rule("D12")
def query_alerts_watch_what_they_say(network: Network) -> Iterator[Finding]:
    """Every query alert asks Application Insights of the apps for what it says, with its threshold."""
    for name, (operator, threshold, severity, asks) in QUERIES.items():
        alert = network.named(f"{INSIGHTS}/scheduledQueryRules", name)
        if alert is None:
            continue
        one = "properties.criteria.allOf.0"
        yield from wants(
            alert,
            {
                "properties.skipQueryValidation": True,
                "properties.autoMitigate": True,
                "properties.severity": severity,
                f"{one}.timeAggregation": "Count",
                f"{one}.operator": operator,
                f"{one}.threshold": threshold,
                f"{one}.failingPeriods.numberOfEvaluationPeriods": 1,
                f"{one}.failingPeriods.minFailingPeriodsToAlert": 1,
            },
            short(alert),
        )
        if asks not in str(alert.at(f"{one}.query")):
            yield wrong(alert, f"{one}.query does not ask for {asks}")
        scopes = [
            TOKEN.sub("*", str(each)).rpartition("/")[2] for each in alert.at("properties.scopes") or []
        ]
        if scopes != ["appi-*"]:
            yield wrong(alert, f"properties.scopes is {', '.join(scopes) or 'missing'}: appi-* is wanted")


@rule()
def people_are_told(network: Network) -> Iterator[Finding]:
    """The action group is on, and has an address."""
    for group in network.of(f"{INSIGHTS}/actionGroups"):
        yield from wants(
            group,
            {
                "properties.enabled": True,
                "properties.emailReceivers.0.emailAddress": "owner@example.org",
                "properties.emailReceivers.0.useCommonAlertSchema": True,
                "location": "global",
            },
            "whom alerts tell",
        )


@rule("E22")
def logs_are_kept(network: Network) -> Iterator[Finding]:
    """Every service's logs go to the workspace of logs, in categories that there are."""
    for setting in network.of(f"{INSIGHTS}/diagnosticSettings"):
        of = setting.scope.rpartition("/providers/")[2].split("/")
        type_ = "/".join([of[0], *of[1::2]])
        watched = short(setting).removesuffix("/logs")
        given = {each.get("category") for each in setting.at("properties.logs") or [] if each.get("enabled")}
        for category in sorted(map(str, given - CATEGORIES.get(type_, set()))):
            yield wrong(setting, f"the category {category} is none of {type_}")
        for category in sorted(WANTED.get(watched, set()) - given):
            yield wrong(setting, f"the category {category} is missing, or not enabled")
        if type_.endswith("blobServices") and watched == "stdata*/default":
            for category in sorted({"StorageRead", "StorageWrite"} - given):
                yield wrong(setting, f"the category {category} is missing, or not enabled")
        kept = [
            each.get("category") for each in setting.at("properties.metrics") or [] if each.get("enabled")
        ]
        wanted = [METRICS[type_]] if type_ in METRICS else []
        if kept != wanted:
            told = ", ".join(map(str, kept)) or "none"
            yield wrong(
                setting,
                f"properties.metrics (category, enabled): {told}; {', '.join(wanted) or 'none'} wanted",
            )
        if "/workspaces/log-" not in str(setting.at("properties.workspaceId")):
            yield wrong(setting, "properties.workspaceId is not the workspace of logs")


@rule("M12")
def telemetry_comes_by_token(network: Network) -> Iterator[Finding]:
    """The apps' Application Insights takes tokens only; the workspace's takes the key, which deployments send by."""
    for name, by_token in (("appi-*", True), ("appi-ml-*", None)):
        component = network.named(f"{INSIGHTS}/components", name)
        if component:
            yield from wants(
                component,
                {
                    "kind": "web",
                    "properties.DisableLocalAuth": by_token,
                    "properties.Application_Type": "web",
                },
                "telemetry",
            )
            if "/workspaces/log-" not in str(component.at("properties.WorkspaceResourceId")):
                yield wrong(component, "properties.WorkspaceResourceId is not the workspace of logs")
    for logs in network.of("Microsoft.OperationalInsights/workspaces"):
        yield from wants(
            logs,
            {
                "properties.sku.name": "PerGB2018",
                "properties.features.disableLocalAuth": True,
                "properties.retentionInDays": 30,
                "properties.workspaceCapping.dailyQuotaGb": 2,
            },
            "logs that nobody writes by key, and that cost what we say",
        )


@rule("D18")
def money_is_watched(network: Network) -> Iterator[Finding]:
    """The budget is the group's, begins when it is told, and tells people before it is used up."""
    for budget in network.of("Microsoft.Consumption/budgets"):
        yield from wants(
            budget,
            {
                "properties.amount": 500,
                "properties.category": "Cost",
                "properties.timeGrain": "Monthly",
                "properties.timePeriod.startDate": "2027-01-01",
                "properties.filter.dimensions.name": "ResourceGroupName",
                "properties.filter.dimensions.operator": "In",
                "properties.filter.dimensions.values": ["rg-bank"],
            },
            "the budget",
        )
        for name, kind, share in (("actual80", "Actual", 80), ("forecast100", "Forecasted", 100)):
            way = f"properties.notifications.{name}"
            yield from wants(
                budget,
                {
                    f"{way}.enabled": True,
                    f"{way}.operator": "GreaterThan",
                    f"{way}.threshold": share,
                    f"{way}.thresholdType": kind,
                    f"{way}.contactEmails": ["owner@example.org"],
                },
                "people are told",
            )


@rule()
def the_workbook_is_there(network: Network) -> Iterator[Finding]:
    """One workbook, on the apps' Application Insights."""
    books = network.of(f"{INSIGHTS}/workbooks")
    if len(books) != 1:
        yield Finding(place="infra", says=f"there are {len(books)} workbooks: one is wanted")
    for book in books:
        yield from wants(book, {"kind": "shared", "properties.category": "workbook"}, "the workbook")
        if "/components/appi-u" not in str(book.at("properties.sourceId")):
            yield wrong(book, "properties.sourceId is not the apps' Application Insights")


@rule("D22")
def azd_finds_what_it_deploys_to(network: Network) -> Iterator[Finding]:
    """Everything that can bear a tag bears azd's, and the outputs name what hooks and azd need."""
    for each in network.deployment.resources:
        if each.at("tags") is not None:
            yield from wants(each, {"tags.azd-env-name": "bank"}, "azd finds, and people see, whose it is")
        elif each.at("location") is not None:
            yield wrong(each, "tags.azd-env-name is missing: azd finds, and people see, whose it is")
    wanted = {
        "AZURE_RESOURCE_GROUP": "rg-bank",
        "AZUREML_WORKSPACE": "mlw-*",
        "AZUREML_COMPUTE": "cpu-*",
        "CAMPANHA_STORAGE__blobServiceUri": "stdata*.properties.primaryEndpoints.blob",
        "CAMPANHA_STORAGE__queueServiceUri": "stdata*.properties.primaryEndpoints.queue",
        "CAMPANHA_STORAGE__tableServiceUri": "stdata*.properties.primaryEndpoints.table",
        "ENDPOINT_IDENTITY": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-bank/providers"
        "/Microsoft.ManagedIdentity/userAssignedIdentities/id-endpoint-*",
        "CAMPANHA_URL": "https://func-api-*.properties.defaultHostName",
        "SERVICE_WORK_NAME": "func-work-*",
        "SERVICE_API_NAME": "func-api-*",
    }
    given = {name: TOKEN.sub("*", str(value)) for name, value in network.deployment.outputs.items()}
    for name, value in wanted.items():
        if given.get(name) != value:
            yield Finding(
                place="main.bicep", says=f"the output {name} is {given.get(name)}: {value} is wanted"
            )
    for name in given.keys() - wanted.keys():
        yield Finding(place="main.bicep", says=f"the output {name} is not in the list")


LOCATED = (
    "Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults", "Microsoft.Web/sites",
    "Microsoft.Web/serverfarms", "Microsoft.ContainerRegistry/registries",
    "Microsoft.MachineLearningServices/workspaces", "Microsoft.MachineLearningServices/workspaces/computes",
    "Microsoft.EventGrid/systemTopics", "Microsoft.EventGrid/topics", "Microsoft.Network/virtualNetworks",
    "Microsoft.Network/privateEndpoints", "Microsoft.Network/privateDnsZones",
    "Microsoft.ManagedIdentity/userAssignedIdentities", "Microsoft.OperationalInsights/workspaces",
    "Microsoft.Insights/components", "Microsoft.Insights/actionGroups", "Microsoft.Insights/metricAlerts",
    "Microsoft.Insights/scheduledQueryRules", "Microsoft.Insights/activityLogAlerts", "Microsoft.Insights/workbooks",
)  # fmt: skip
"""What Azure refuses without a region; its types do not all say so."""


@rule("E19")
def everything_is_where_it_should_be(network: Network) -> Iterator[Finding]:
    """Everything is in the region asked for, or global where Azure has it so."""
    everywhere = ("Microsoft.Network/privateDnsZones", "Microsoft.Insights/metricAlerts")
    for each in network.deployment.resources:
        where = each.at("location")
        if where is None and each.type in LOCATED:
            yield wrong(each, "location is missing")
        if where is None or where == "westeurope" or (where == "global" and each.type.startswith(everywhere)):
            continue
        if where != "global" or each.type not in (
            f"{INSIGHTS}/actionGroups",
            f"{INSIGHTS}/activityLogAlerts",
        ):
            yield wrong(each, f"location is {where!r}")
