"""The two function apps: their plans, packages, identities and settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from commands import ROOT
from commands.infrastructure.evaluation import SUBSCRIPTION, TENANT, Resource
from commands.infrastructure.found import PARAMETERS, TOKEN, Finding, Network, rule, wants, wrong
from commands.infrastructure.rules.inventory import APPS
from shared.resources.app_settings import APP_SETTINGS

SITE = "Microsoft.Web/sites"
FORBIDDEN = frozenset(
    {
        "FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_WORKER_RUNTIME_VERSION", "FUNCTIONS_EXTENSION_VERSION",
        "FUNCTIONS_WORKER_PROCESS_COUNT", "FUNCTIONS_WORKER_DYNAMIC_CONCURRENCY_ENABLED",
        "FUNCTIONS_MAX_HTTP_CONCURRENCY", "SCM_DO_BUILD_DURING_DEPLOYMENT", "ENABLE_ORYX_BUILD",
        "WEBSITE_RUN_FROM_PACKAGE", "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING", "WEBSITE_CONTENTSHARE",
        "WEBSITE_CONTENTOVERVNET", "WEBSITE_VNET_ROUTE_ALL", "WEBSITE_DNS_SERVER", "WEBSITE_TIME_ZONE", "TZ",
        "WEBSITE_LOAD_CERTIFICATES", "AzureWebJobsStorage", "AzureWebJobsDashboard", "CAMPANHA_STORAGE",
        "APPINSIGHTS_INSTRUMENTATIONKEY", "READER_KEY", "OPERATOR_KEY", "ADMIN_KEY", "EVENT_TOPIC_KEY",
    }
)  # fmt: skip
"""Settings that Flex Consumption refuses or ignores, and those that hold keys."""
NOT_FLEX = (
    "linuxFxVersion", "ftpsState", "use32BitWorkerProcess", "netFrameworkVersion", "functionAppScaleLimit",
    "preWarmedInstanceCount", "functionsRuntimeScaleMonitoringEnabled", "alwaysOn", "appSettings",
)  # fmt: skip
GIVEN = {
    "AzureWebJobsStorage__accountName": "st{app}*",
    "AzureWebJobsStorage__clientId": "id-{app}-*.properties.clientId",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "appi-*.properties.ConnectionString",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "ClientId=id-{app}-*.properties.clientId;Authorization=AAD",
    "CAMPANHA_STORAGE__blobServiceUri": "stdata*.properties.primaryEndpoints.blob",
    "CAMPANHA_STORAGE__queueServiceUri": "stdata*.properties.primaryEndpoints.queue",
    "CAMPANHA_STORAGE__tableServiceUri": "stdata*.properties.primaryEndpoints.table",
    "CAMPANHA_STORAGE__clientId": "id-{app}-*.properties.clientId",
    "SERVES": "{app}",
    "AZURE_CLIENT_ID": "id-{app}-*.properties.clientId",
    "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
    "AZURE_RESOURCE_GROUP": "rg-bank",
    "AZUREML_WORKSPACE": "mlw-*",
    "EVENT_TOPIC_ENDPOINT": "evgt-campanha-*.properties.endpoint",
    "ENDPOINT_IDENTITY": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-bank/providers"
    "/Microsoft.ManagedIdentity/userAssignedIdentities/id-endpoint-*",
    "ALERT_CHANNELS": "@Microsoft.KeyVault(SecretUri=https://bank.vault.azure.net/secrets/alert-channels)",
    "PUBLIC_URL": "https://func-api-*.azurewebsites.net",
    "ENTRA_TENANT_ID": TENANT,
    "ENTRA_AUDIENCE": PARAMETERS["apiAudience"],
}
"""What the deployment gives of each setting whose value is not the same everywhere."""


def _apps(network: Network, type_: str, name: str) -> Iterator[tuple[str, Resource]]:
    for app in APPS:
        found = network.named(type_, name.format(app=app))
        if found:
            yield app, found


@rule("F7", "F8", "F9", "F11", "F25")
def settings_are_those_of_the_list(network: Network) -> Iterator[Finding]:
    """Each app has the list's settings for it, with their values, and those given; no key, and none that Flex refuses."""
    for app, found in _apps(network, f"{SITE}/config", "func-{app}-*/appsettings"):
        given: dict[str, Any] = found.at("properties") or {}
        wanted = PARAMETERS["moreSettings"] | {
            each.name: each.value or GIVEN[each.name].format(app=app)
            for each in APP_SETTINGS
            if app in each.apps
        }
        for name, value in wanted.items():
            if name not in given:
                yield wrong(found, f"the setting {name} is missing")
            elif TOKEN.sub("*", str(given[name])) != value:
                yield wrong(
                    found, f"the setting {name} is {TOKEN.sub('*', str(given[name]))!r}: {value!r} is wanted"
                )
        for name in given.keys() - wanted.keys():
            told = (
                "Flex Consumption, or the absence of keys, forbids it"
                if name in FORBIDDEN
                else "not in the list"
            )
            yield wrong(found, f"the setting {name}: {told}")


@rule("F12", "F20")
def apps_run_python_on_flex(network: Network) -> Iterator[Finding]:
    """Each app runs Python on Flex Consumption, on a plan of its own, and scales as far as we say."""
    for _, plan in _apps(network, "Microsoft.Web/serverfarms", "plan-{app}-*"):
        yield from wants(
            plan,
            {
                "kind": "functionapp",
                "sku.name": "FC1",
                "sku.tier": "FlexConsumption",
                "properties.reserved": True,
                "properties.zoneRedundant": False,
            },
            "Flex Consumption",
        )
    for app, site in _apps(network, SITE, "func-{app}-*"):
        yield from wants(
            site,
            {
                "kind": "functionapp,linux",
                "properties.functionAppConfig.runtime.name": "python",
                "properties.functionAppConfig.runtime.version": "3.13",
                "properties.functionAppConfig.scaleAndConcurrency.instanceMemoryMB": 2048,
                "properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount": 40,
                "properties.functionAppConfig.scaleAndConcurrency.triggers.http.perInstanceConcurrency": 16,
                "tags.azd-service-name": app,
            },
            "Flex Consumption",
        )
        if f"/serverfarms/plan-{app}-" not in str(site.at("properties.serverFarmId")):
            yield wrong(site, "properties.serverFarmId is not its own plan's")


@rule("F10")
def apps_set_nothing_that_flex_forbids(network: Network) -> Iterator[Finding]:
    """No siteConfig that Flex Consumption refuses."""
    for _, site in _apps(network, SITE, "func-{app}-*"):
        for name in NOT_FLEX:
            if site.at(f"properties.siteConfig.{name}") is not None:
                yield wrong(site, f"properties.siteConfig.{name}: Flex Consumption refuses it")


@rule("F13", "D6")
def packages_come_by_identity(network: Network) -> Iterator[Finding]:
    """Each app's package lies in its own account, and is read with its own identity."""
    way = "properties.functionAppConfig.deployment.storage"
    for app, site in _apps(network, SITE, "func-{app}-*"):
        yield from wants(
            site,
            {
                f"{way}.type": "blobContainer",
                f"{way}.authentication.type": "UserAssignedIdentity",
                f"{way}.authentication.storageAccountConnectionStringName": None,
            },
            "no keys",
        )
        mine = f"/userAssignedIdentities/id-{app}-"
        if mine not in str(site.at(f"{way}.authentication.userAssignedIdentityResourceId")):
            yield wrong(site, f"{way}.authentication.userAssignedIdentityResourceId is not id-{app}")
        place = TOKEN.sub("*", str(site.at(f"{way}.value")))
        if place != f"st{app}*.properties.primaryEndpoints.blobapp-package":
            yield wrong(site, f"{way}.value is {place}: the container app-package of st{app}* is wanted")
        assigned = site.at("identity.userAssignedIdentities") or {}
        if site.at("identity.type") != "UserAssigned" or len(assigned) != 1 or mine not in "".join(assigned):
            yield wrong(site, f"identity.type, identity.userAssignedIdentities: not id-{app} alone")
        if mine not in str(site.at("properties.keyVaultReferenceIdentity")):
            yield wrong(site, f"properties.keyVaultReferenceIdentity is not id-{app}")


@rule()
def apps_are_reached_by_tls_and_token(network: Network) -> Iterator[Finding]:
    """Each app is reached over TLS only, by no page of others, and deployed to without a password."""
    for _, site in _apps(network, SITE, "func-{app}-*"):
        yield from wants(
            site,
            {
                "properties.httpsOnly": True,
                "properties.siteConfig.minTlsVersion": "1.2",
                "properties.siteConfig.http20Enabled": True,
                "properties.siteConfig.cors.allowedOrigins": [],
            },
            "TLS, and no other origin",
        )
    for each in network.of(f"{SITE}/basicPublishingCredentialsPolicies"):
        yield from wants(each, {"properties.allow": False}, "no passwords")


@rule("F14", "F15")
def apps_are_within_the_network(network: Network) -> Iterator[Finding]:
    """When the network is private each app is closed, has a subnet of its own, and sends everything through it."""
    for app, site in _apps(network, SITE, "func-{app}-*"):
        routes = "properties.outboundVnetRouting"
        yield from wants(
            site,
            {
                "properties.publicNetworkAccess": "Disabled" if network.private else "Enabled",
                f"{routes}.applicationTraffic": network.private,
                f"{routes}.contentShareTraffic": network.private,
                f"{routes}.imagePullTraffic": network.private,
            },
            f"the network is {'private' if network.private else 'public'}",
        )
        subnet = site.at("properties.virtualNetworkSubnetId")
        if network.private != bool(subnet) or (subnet and not str(subnet).endswith(f"/subnets/{app}")):
            yield wrong(
                site, f"properties.virtualNetworkSubnetId is {subnet}: its own subnet when private is wanted"
            )


def host() -> dict[str, Any]:
    """host.json."""
    read: dict[str, Any] = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    return read


@rule("F5", "E6")
def the_host_is_told_what_the_app_means(network: Network) -> Iterator[Finding]:
    """host.json: routes without a prefix, and messages as they come, since readers take base64 and plain text."""
    told = host().get("extensions", {})
    for path, value in (("http.routePrefix", ""), ("queues.messageEncoding", "none")):
        kind, _, name = path.partition(".")
        if told.get(kind, {}).get(name) != value:
            yield Finding(place="host.json", says=f"extensions.{path} must be {value!r}")
