"""Storage accounts: no keys, nothing public, and what is lost by mistake comes back."""

from __future__ import annotations

from collections.abc import Iterator

from commands.infrastructure.found import Finding, Network, rule, short, wants, wrong
from commands.infrastructure.rules.inventory import STORAGE


@rule("M1")
def storage_takes_no_keys(network: Network) -> Iterator[Finding]:
    """Every storage account takes tokens only, over TLS only, and shows nothing to strangers."""
    for account in network.of(STORAGE):
        yield from wants(
            account,
            {
                "kind": "StorageV2",
                "properties.allowSharedKeyAccess": False,
                "properties.defaultToOAuthAuthentication": True,
                "properties.allowBlobPublicAccess": False,
                "properties.allowCrossTenantReplication": False,
                "properties.minimumTlsVersion": "TLS1_2",
                "properties.supportsHttpsTrafficOnly": True,
            },
            "no keys, no strangers",
        )


@rule("E2")
def storage_is_closed_when_private(network: Network) -> Iterator[Finding]:
    """A private storage account is closed, and lets in only Azure's own services, which Event Grid is one of."""
    for account in network.of(STORAGE):
        yield from wants(
            account,
            {
                "properties.publicNetworkAccess": "Disabled" if network.private else "Enabled",
                "properties.networkAcls.defaultAction": "Deny" if network.private else "Allow",
                "properties.networkAcls.bypass": "AzureServices",
            },
            f"the network is {'private' if network.private else 'public'}",
        )


@rule("E7", "E12", "M26")
def blobs_are_plain(network: Network) -> Iterator[Finding]:
    """The data account is no Data Lake, and has no SFTP: their events come by other calls."""
    for name in ("stdata*", "stml*"):
        account = network.named(STORAGE, name)
        if account:
            yield from wants(
                account, {"properties.isHnsEnabled": False}, "its events, and Azure ML, want it so"
            )
    data = network.named(STORAGE, "stdata*")
    if data:
        yield from wants(data, {"properties.isSftpEnabled": False}, "its uploads would raise SftpCommit")
        yield from wants(data, {"sku.name": "Standard_ZRS"}, "the bank's files outlive a data centre")


@rule()
def mistakes_can_be_undone(network: Network) -> Iterator[Finding]:
    """What is overwritten or deleted in the data account can be had back for two weeks; the account cannot be deleted."""
    service = network.named(f"{STORAGE}/blobServices", "stdata*/default")
    if service:
        yield from wants(
            service,
            {
                "properties.isVersioningEnabled": True,
                "properties.changeFeed.enabled": True,
                "properties.deleteRetentionPolicy.enabled": True,
                "properties.deleteRetentionPolicy.days": 14,
                "properties.containerDeleteRetentionPolicy.enabled": True,
                "properties.containerDeleteRetentionPolicy.days": 14,
                "properties.restorePolicy.enabled": True,
                "properties.restorePolicy.days": 7,
            },
            "a mistake can be undone",
        )
    for name in ("stwork*/default", "stapi*/default"):
        host = network.named(f"{STORAGE}/blobServices", name)
        if host:
            yield from wants(
                host,
                {
                    "properties.deleteRetentionPolicy.enabled": True,
                    "properties.deleteRetentionPolicy.days": 7,
                },
                "a package deleted by mistake can be had back",
            )


@rule("M18")
def locks_are_on_single_resources(network: Network) -> Iterator[Finding]:
    """The only lock is on the data account: one on the group would stop the cluster's scaling."""
    for lock in network.of("Microsoft.Authorization/locks"):
        if "/storageAccounts/" not in lock.scope:
            yield wrong(lock, "it is on more than a storage account")
        yield from wants(lock, {"properties.level": "CanNotDelete"}, "ReadOnly stops the app")


@rule("E8", "F23")
def no_rule_deletes(network: Network) -> Iterator[Finding]:
    """No lifecycle rule deletes what hosts keep, or dead letters."""
    for each in network.of(f"{STORAGE}/managementPolicies"):
        yield wrong(each, "a lifecycle rule may delete packages, host keys or dead letters")


@rule()
def containers_show_nothing(network: Network) -> Iterator[Finding]:
    """No container is open to strangers."""
    for container in network.of(f"{STORAGE}/blobServices/containers"):
        yield from wants(container, {"properties.publicAccess": "None"}, f"{short(container)} holds data")
