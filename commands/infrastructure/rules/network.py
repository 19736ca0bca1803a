"""The private network: a subnet for each app, a private endpoint and a DNS zone for each service."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from commands.infrastructure.evaluation import Resource
from commands.infrastructure.found import Finding, Network, rule, short_id, wants, wrong
from commands.infrastructure.rules.inventory import NETWORK, PARTS, ZONES

ZONE_OF = {
    "blob": ZONES[0], "queue": ZONES[1], "table": ZONES[2], "file": ZONES[3], "vault": ZONES[4],
    "registry": ZONES[5], "amlworkspace": ZONES[6], "topic": ZONES[8], "sites": ZONES[9],
}  # fmt: skip
"""By the part of a service, the zone of its names."""
SERVICES = {
    **{f"pe-{of}-{part}-*": (f"st{of}*", part) for of, parts in PARTS.items() for part in parts},
    "pe-vault-*": ("kv-*", "vault"),
    "pe-registry-*": ("cr*", "registry"),
    "pe-workspace-*": ("mlw-*", "amlworkspace"),
    "pe-topic-*": ("evgt-campanha-*", "topic"),
    "pe-work-app-*": ("func-work-*", "sites"),
    "pe-api-app-*": ("func-api-*", "sites"),
}
"""By private endpoint, what it leads to."""


@rule("F14", "M30", "E24")
def every_service_has_its_private_endpoint(network: Network) -> Iterator[Finding]:
    """Each private endpoint leads to its service and part, and has the zone of its names."""
    for name, (service, part) in SERVICES.items():
        endpoint = network.named(f"{NETWORK}/privateEndpoints", name)
        group = network.named(f"{NETWORK}/privateEndpoints/privateDnsZoneGroups", f"{name}/default")
        if endpoint is None or group is None:
            continue
        way = "properties.privateLinkServiceConnections.0.properties"
        yield from wants(endpoint, {f"{way}.groupIds": [part]}, f"{part} of {service}")
        yield from _named(endpoint, "properties.privateLinkServiceConnections")
        yield from _named(group, "properties.privateDnsZoneConfigs")
        if short_id(str(endpoint.at(f"{way}.privateLinkServiceId"))) != service:
            yield wrong(endpoint, f"{way}.privateLinkServiceId is not {service}")
        if not str(endpoint.at("properties.subnet.id")).endswith("/subnets/endpoints"):
            yield wrong(endpoint, "properties.subnet.id is not the subnet of endpoints")
        wanted = [ZONE_OF[part], *(["privatelink.notebooks.azure.net"] if part == "amlworkspace" else [])]
        zones = [
            str(each.get("properties", {}).get("privateDnsZoneId")).rpartition("/")[2]
            for each in group.at("properties.privateDnsZoneConfigs") or []
        ]
        if zones != wanted:
            yield wrong(
                group,
                f"properties.privateDnsZoneConfigs (privateDnsZoneId) is {zones}: {wanted} is wanted",
            )


def _named(resource: Resource, path: str) -> Iterator[Finding]:
    """Azure wants a name for each, whatever it is."""
    for number, each in enumerate(resource.at(path) or []):
        if not each.get("name"):
            yield wrong(resource, f"{path}.{number}.name is missing")


@rule("F14")
def every_zone_is_of_the_network(network: Network) -> Iterator[Finding]:
    """Each DNS zone is linked to the network, and registers nothing by itself."""
    for link in network.of(f"{NETWORK}/privateDnsZones/virtualNetworkLinks"):
        yield from wants(
            link, {"properties.registrationEnabled": False, "location": "global"}, "names of services"
        )
        if "/virtualNetworks/vnet-" not in str(link.at("properties.virtualNetwork.id")):
            yield wrong(link, "properties.virtualNetwork.id is not the network")
    for zone in network.of(f"{NETWORK}/privateDnsZones"):
        yield from wants(zone, {"location": "global"}, "zones have no region")


@rule("F15", "D19")
def every_app_has_its_subnet(network: Network) -> Iterator[Finding]:
    """Subnets lie within the network and apart; an app's is delegated to Flex Consumption and has no underscore."""
    for vnet in network.of(f"{NETWORK}/virtualNetworks"):
        if vnet.at("properties.subnets") is not None:
            yield wrong(
                vnet, "properties.subnets beside subnets of their own: a second deployment removes them"
            )
        spaces = [str(each) for each in vnet.at("properties.addressSpace.addressPrefixes") or []]
        taken: list[ipaddress.IPv4Network] = []
        for subnet in network.of(f"{NETWORK}/virtualNetworks/subnets"):
            yield from _delegated(subnet)
            yield from _addressed(subnet, spaces, taken)
    endpoints = network.named(f"{NETWORK}/virtualNetworks/subnets", "vnet-*/endpoints")
    if endpoints:
        yield from wants(
            endpoints, {"properties.privateEndpointNetworkPolicies": "Disabled"}, "private endpoints"
        )


def _addressed(subnet: Resource, spaces: list[str], taken: list[ipaddress.IPv4Network]) -> Iterator[Finding]:
    """taken: by the subnets before, which this one joins"""
    try:
        prefix = ipaddress.IPv4Network(str(subnet.at("properties.addressPrefix")))
    except ValueError as fault:
        yield wrong(subnet, f"properties.addressPrefix: {fault}")
        return
    here = f"properties.addressPrefix {prefix}"
    if not any(prefix.subnet_of(ipaddress.IPv4Network(space)) for space in spaces if _is_network(space)):
        yield wrong(subnet, f"{here} is not within addressSpace.addressPrefixes {', '.join(spaces)}")
    if any(prefix.overlaps(other) for other in taken):
        yield wrong(subnet, f"{here} overlaps another subnet's")
    if prefix.prefixlen > 27:
        yield wrong(subnet, f"{here} is too small for an app")
    taken.append(prefix)


def _is_network(text: str) -> bool:
    try:
        ipaddress.IPv4Network(text)
    except ValueError:
        return False
    return True


def _delegated(subnet: Resource) -> Iterator[Finding]:
    given = subnet.at("properties.delegations") or []
    to = [each.get("properties", {}).get("serviceName") for each in given]
    wanted = [] if subnet.name == "endpoints" else ["Microsoft.App/environments"]
    yield from _named(subnet, "properties.delegations")
    if to != wanted:
        yield wrong(subnet, f"properties.delegations (serviceName) is {to}: {wanted} is wanted")
    if "_" in subnet.name:
        yield wrong(subnet, "Flex Consumption takes no underscore in its name")
