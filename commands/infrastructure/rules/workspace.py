"""Azure Machine Learning, and what it stands on."""

from __future__ import annotations

from collections.abc import Iterator

from commands.infrastructure.found import Finding, Network, rule, wants, wrong
from commands.infrastructure.rules.inventory import ML


@rule("M1", "M10", "M11", "M12", "M26")
def the_workspace_is_keyless(network: Network) -> Iterator[Finding]:
    """The workspace reaches its storage by identity, and the internet only as far as the network allows."""
    workspace = network.named(ML, "mlw-*")
    if workspace is None:
        return
    compute = next((each.name for each in network.of(f"{ML}/computes")), None)
    yield from wants(
        workspace,
        {
            "sku.name": "Basic",
            "sku.tier": "Basic",
            "identity.type": "SystemAssigned",
            "properties.systemDatastoresAuthMode": "Identity",
            "properties.v1LegacyMode": False,
            "properties.publicNetworkAccess": "Disabled" if network.private else "Enabled",
            "properties.managedNetwork.isolationMode": "AllowOnlyApprovedOutbound"
            if network.private
            else "Disabled",
            "properties.imageBuildCompute": compute if network.private else None,
        },
        "no keys; a private registry cannot be reached by the builds of others",
    )
    for path, name in (
        ("storageAccount", "/storageAccounts/stml"),
        ("keyVault", "/vaults/kv-"),
        ("containerRegistry", "/registries/cr"),
        ("applicationInsights", "/components/appi-ml-"),
    ):
        if name not in str(workspace.at(f"properties.{path}")):
            yield wrong(workspace, f"properties.{path} is not {name}*")


@rule("M25", "M28")
def the_cluster_costs_nothing_idle(network: Network) -> Iterator[Finding]:
    """The cluster has an identity of its own, dedicated machines, none of them when idle, and no way in."""
    for cluster in network.of(f"{ML}/computes"):
        yield from wants(
            cluster,
            {
                "identity.type": "UserAssigned",
                "properties.computeType": "AmlCompute",
                "properties.disableLocalAuth": True,
                "properties.properties.vmSize": "Standard_D4as_v4",
                "properties.properties.vmPriority": "Dedicated",
                "properties.properties.enableNodePublicIp": not network.private,
                "properties.properties.remoteLoginPortPublicAccess": "Disabled",
                "properties.properties.scaleSettings.minNodeCount": 0,
                "properties.properties.scaleSettings.maxNodeCount": 2,
                "properties.properties.scaleSettings.nodeIdleTimeBeforeScaleDown": "PT5M",
            },
            "a cluster that costs nothing idle",
        )
        assigned = "".join(cluster.at("identity.userAssignedIdentities") or {})
        if "/userAssignedIdentities/id-cluster-" not in assigned:
            yield wrong(cluster, "identity.userAssignedIdentities is not id-cluster")
        if not 3 <= len(cluster.name) <= 24:
            yield wrong(cluster, "its name has not 3 to 24 characters")


@rule("M10")
def images_are_pulled_by_token(network: Network) -> Iterator[Finding]:
    """The registry has no administrator, shows nothing to strangers, and is Premium when private."""
    for registry in network.of("Microsoft.ContainerRegistry/registries"):
        yield from wants(
            registry,
            {
                "sku.name": "Premium" if network.private else "Standard",
                "properties.adminUserEnabled": False,
                "properties.anonymousPullEnabled": False,
                "properties.publicNetworkAccess": "Disabled" if network.private else "Enabled",
                "properties.networkRuleBypassOptions": "AzureServices",
            },
            "no passwords",
        )


@rule("D23")
def secrets_are_kept_by_roles(network: Network) -> Iterator[Finding]:
    """The vault goes by roles, keeps what is deleted, and is closed when private."""
    for vault in network.of("Microsoft.KeyVault/vaults"):
        yield from wants(
            vault,
            {
                "properties.enableRbacAuthorization": True,
                "properties.enableSoftDelete": True,
                "properties.enablePurgeProtection": True,
                "properties.softDeleteRetentionInDays": 90,
                "properties.publicNetworkAccess": "Disabled" if network.private else "Enabled",
                "properties.networkAcls.defaultAction": "Deny" if network.private else "Allow",
                "properties.networkAcls.bypass": "AzureServices",
            },
            "the vault",
        )


@rule("M11")
def the_managed_network_lets_out_what_is_needed(network: Network) -> Iterator[Finding]:
    """Out of the managed network there is a way to the data account, and to where images get their libraries from."""
    wanted = {
        "mlw-*/pypi": "pypi.org",
        "mlw-*/pythonhosted": "*.pythonhosted.org",
        "mlw-*/conda": "*.anaconda.org",
    }
    for name, host in wanted.items():
        found = network.named(f"{ML}/outboundRules", name)
        if found:
            yield from wants(
                found,
                {
                    "properties.type": "FQDN",
                    "properties.category": "UserDefined",
                    "properties.destination": host,
                },
                "libraries",
            )
    data = network.named(f"{ML}/outboundRules", "mlw-*/data")
    if data:
        way = "properties.destination"
        yield from wants(
            data,
            {
                "properties.type": "PrivateEndpoint",
                "properties.category": "UserDefined",
                f"{way}.subresourceTarget": "blob",
                f"{way}.sparkEnabled": False,
            },
            "runs read and write the bank's files",
        )
        if "/storageAccounts/stdata" not in str(data.at(f"{way}.serviceResourceId")):
            yield wrong(data, f"{way}.serviceResourceId is not the data account")
