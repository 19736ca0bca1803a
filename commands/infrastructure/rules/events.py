"""Event Grid: every subscription of the list, delivered and dead-lettered by identity."""

from __future__ import annotations

from collections.abc import Iterator

from commands.infrastructure.evaluation import Resource
from commands.infrastructure.found import Finding, Network, rule, short, wants, wrong
from commands.infrastructure.rules.inventory import TOPICS
from shared.resources import events
from shared.resources.events import Subscription

SUBSCRIBED = "Microsoft.EventGrid/systemTopics/eventSubscriptions"
SYSTEM = "Microsoft.EventGrid/systemTopics"
CUSTOM = "Microsoft.EventGrid/topics"


def _listed(network: Network) -> Iterator[tuple[Resource, Subscription]]:
    for each in events.SUBSCRIPTIONS:
        found = network.named(SUBSCRIBED, f"{TOPICS[each.source]}/{each.name}")
        if found:
            yield found, each


@rule("E7", "E11", "E15")
def events_are_those_of_the_list(network: Network) -> Iterator[Finding]:
    """Every subscription filters by the list's types and subject, and by nothing else."""
    for found, listed in _listed(network):
        yield from wants(
            found,
            {
                "properties.filter.includedEventTypes": list(listed.types),
                "properties.filter.subjectBeginsWith": listed.subject,
                "properties.filter.subjectEndsWith": None,
                "properties.filter.advancedFilters": None,
            },
            "other events would be lost, or come for nothing",
        )
        if listed.subject:
            yield from wants(
                found, {"properties.filter.isSubjectCaseSensitive": True}, "containers differ by case"
            )


@rule("E2", "E25", "E18")
def events_are_delivered_by_identity(network: Network) -> Iterator[Finding]:
    """Every subscription delivers into the list's queue with the topic's own identity, and messages never expire."""
    for found, listed in _listed(network):
        way = "properties.deliveryWithResourceIdentity"
        yield from wants(
            found,
            {
                "properties.destination": None,
                f"{way}.identity.type": "SystemAssigned",
                f"{way}.identity.userAssignedIdentity": None,
                f"{way}.destination.endpointType": "StorageQueue",
                f"{way}.destination.properties.queueName": listed.queue,
                f"{way}.destination.properties.queueMessageTimeToLiveInSeconds": -1,
            },
            "delivery by identity (beside it, `destination` lets a deployment hang)",
        )
        yield from _to_data_account(found, f"{way}.destination.properties.resourceId")


@rule("E8")
def undelivered_events_are_kept(network: Network) -> Iterator[Finding]:
    """Every subscription lays what it cannot deliver into the list's container, by identity, after Event Grid's most."""
    for found, listed in _listed(network):
        way = "properties.deadLetterWithResourceIdentity"
        yield from wants(
            found,
            {
                "properties.deadLetterDestination": None,
                f"{way}.identity.type": "SystemAssigned",
                f"{way}.deadLetterDestination.endpointType": "StorageBlob",
                f"{way}.deadLetterDestination.properties.blobContainerName": listed.dead_letters,
                "properties.retryPolicy.eventTimeToLiveInMinutes": events.LIFE_MINUTES,
                "properties.retryPolicy.maxDeliveryAttempts": events.MOST_ATTEMPTS,
            },
            "dead letter by identity",
        )
        yield from _to_data_account(found, f"{way}.deadLetterDestination.properties.resourceId")


def _to_data_account(found: Resource, path: str) -> Iterator[Finding]:
    where = str(found.at(path))
    if "/storageAccounts/stdata" not in where or where.count("/storageAccounts/") != 1 or "Services" in where:
        yield wrong(found, f"{path} is not the data account")


@rule("E20")
def events_keep_their_schema(network: Network) -> Iterator[Finding]:
    """System topics deliver in Event Grid's schema; our own topic takes CloudEvents, as the app publishes them."""
    for found, _ in _listed(network):
        yield from wants(
            found, {"properties.eventDeliverySchema": "EventGridSchema"}, "what readers are tested with"
        )
    for topic in network.of(CUSTOM):
        yield from wants(
            topic, {"properties.inputSchema": "CloudEventSchemaV1_0"}, "the app publishes CloudEvents"
        )


@rule("E3", "E4", "E19")
def topics_are_of_their_sources(network: Network) -> Iterator[Finding]:
    """One system topic for each source, of the source's type, in its region, with an identity of its own."""
    sources = {events.STORAGE: "/storageAccounts/stdata", events.WORKSPACE: "/workspaces/mlw-"}
    for source, name in TOPICS.items():
        topic = network.named(SYSTEM, name)
        if topic is None:
            continue
        yield from wants(
            topic,
            {
                "properties.topicType": events.TOPIC_TYPES[source],
                "identity.type": "SystemAssigned",
                "location": "westeurope",
            },
            f"events of the {source}",
        )
        if sources[source] not in str(topic.at("properties.source")):
            yield wrong(topic, f"properties.source is not the {source}'s")


@rule("E24", "E25")
def our_topic_takes_no_keys(network: Network) -> Iterator[Finding]:
    """Our own topic takes tokens only, and nothing from the internet when the network is private."""
    for topic in network.of(CUSTOM):
        yield from wants(
            topic,
            {
                "properties.disableLocalAuth": True,
                "properties.minimumTlsVersionAllowed": "1.2",
                "properties.publicNetworkAccess": "Disabled" if network.private else "Enabled",
            },
            "no keys",
        )


@rule("E25", "E21")
def topics_have_names_that_azure_takes(network: Network) -> Iterator[Finding]:
    """Names of topics have 3 to 50 letters, digits and hyphens, of subscriptions to 64; none goes to a webhook."""
    for type_, most in ((SYSTEM, 50), (CUSTOM, 50), (SUBSCRIBED, 64)):
        for each in network.of(type_):
            plain = each.name.replace("-", "")
            if not 3 <= len(each.name) <= most or not (plain.isascii() and plain.isalnum()):
                yield wrong(each, f"its name {short(each)} is not one that Event Grid takes")
