"""What a subscription lets through, and which subscriptions are refused, with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from localazure.events.subscriptions import (
    CLOUD_EVENTS,
    BadSubscription,
    Queue,
    Subscription,
    Webhook,
    parse,
)

EVENT = {
    "id": "1", "topic": "/t", "subject": "/blobs/A.CSV", "eventType": "Made", "dataVersion": "2",
    "data": {"size": 5, "name": "Ana", "ok": True, "deep": {"er": "x"}, "list": ["a", "b"], "none": None},
}  # fmt: skip
CLOUD = {
    "id": "1",
    "specversion": "1.0",
    "source": "/s",
    "type": "Made",
    "subject": "A",
    "region": "EU",
    "data": {},
}
QUEUE = {"endpointType": "StorageQueue", "properties": {"resourceId": "/x", "queueName": "q"}}


def subscription(**properties: Any) -> Subscription:
    entry = {"name": "sub", "topic": "t", "properties": {"destination": QUEUE, **properties}}
    return parse(entry, where="here")


def lets_through(event: dict[str, Any], **filters: Any) -> bool:
    return subscription(filter=filters).filter.wants(event)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, True),
        ({"includedEventTypes": ["made", "Other"]}, True),
        ({"includedEventTypes": ["Other"]}, False),
        ({"includedEventTypes": ["All"]}, True),
        ({"subjectBeginsWith": "/BLOBS/"}, True),
        ({"subjectEndsWith": ".csv"}, True),
        ({"subjectEndsWith": ".csv", "isSubjectCaseSensitive": True}, False),
        ({"subjectEndsWith": ".CSV", "isSubjectCaseSensitive": True}, True),
        ({"subjectBeginsWith": "blobs"}, False),
    ],
)
def test_types_and_subjects(filters: dict[str, Any], expected: bool) -> None:
    assert lets_through(EVENT, **filters) is expected


@pytest.mark.parametrize(
    ("operator", "key", "values", "expected"),
    [
        ("NumberGreaterThan", "data.size", 4, True),
        ("NumberGreaterThan", "data.size", 5, False),
        ("NumberGreaterThanOrEquals", "data.size", 5, True),
        ("NumberLessThan", "data.size", 5, False),
        ("NumberLessThanOrEquals", "Data.Size", 5, True),
        ("NumberIn", "data.size", [1, 5], True),
        ("NumberIn", "data.name", [1, 5], False),
        ("NumberIn", "data.ok", [1], False),
        ("NumberNotIn", "data.size", [1, 5], False),
        ("NumberNotIn", "data.missing", [1], True),
        ("NumberInRange", "data.size", [[1, 2], [4, 6]], True),
        ("NumberNotInRange", "data.size", [[4, 6]], False),
        ("BoolEquals", "data.ok", True, True),
        ("BoolEquals", "data.ok", False, False),
        ("StringIn", "data.name", ["ana"], True),
        ("StringNotIn", "data.name", ["ANA"], False),
        ("StringContains", "subject", ["blob"], True),
        ("StringNotContains", "subject", ["blob"], False),
        ("StringBeginsWith", "data.deep.er", ["X"], True),
        ("StringNotBeginsWith", "data.deep.er", ["y"], True),
        ("StringEndsWith", "EventType", ["DE"], True),
        ("StringNotEndsWith", "Topic", ["/t"], False),
        ("StringIn", "data.list", ["a"], False),
        ("StringIn", "data.missing.too", ["a"], False),
        ("IsNullOrUndefined", "data.none", None, True),
        ("IsNullOrUndefined", "data.name", None, False),
        ("IsNotNull", "data.name", None, True),
        ("IsNotNull", "data.missing", None, False),
    ],
)
def test_advanced_filters(operator: str, key: str, values: Any, expected: bool) -> None:
    given = {"values": values} if isinstance(values, list) else {"value": values}
    filters = {"operatorType": operator, "key": key, **({} if values is None else given)}
    assert lets_through(EVENT, advancedFilters=[filters]) is expected


def test_advanced_filters_look_into_lists_when_asked() -> None:
    one = {"operatorType": "StringIn", "key": "data.list", "values": ["B"]}
    assert lets_through(EVENT, advancedFilters=[one], enableAdvancedFilteringOnArrays=True)


def test_all_advanced_filters_must_hold() -> None:
    holds = {"operatorType": "NumberLessThan", "key": "data.size", "value": 9}
    fails = {"operatorType": "BoolEquals", "key": "data.ok", "value": False}
    assert lets_through(EVENT, advancedFilters=[holds, holds])
    assert not lets_through(EVENT, advancedFilters=[holds, fails])


def test_cloud_events_have_their_own_names() -> None:
    for key, value in {"source": "/s", "type": "made", "eventType": "made", "region": "eu"}.items():
        one = {"operatorType": "StringIn", "key": key, "values": [value]}
        assert lets_through(CLOUD, advancedFilters=[one]), key


def test_a_subscription_in_the_words_of_arm() -> None:
    made = subscription(
        eventDeliverySchema=CLOUD_EVENTS,
        retryPolicy={"maxDeliveryAttempts": 3, "eventTimeToLiveInMinutes": 5},
        deadLetterWithResourceIdentity={
            "identity": {"type": "SystemAssigned"},
            "deadLetterDestination": {
                "endpointType": "StorageBlob",
                "properties": {"resourceId": "/x", "blobContainerName": "dead"},
            },
        },
    )
    assert made == Subscription(
        name="sub", topic="t", destination=Queue(name="q"), schema=CLOUD_EVENTS, max_attempts=3,
        life_minutes=5, dead_letters="dead",
    )  # fmt: skip


def test_a_webhook_with_headers_of_its_own() -> None:
    header = {"name": "x-a", "type": "Static", "properties": {"value": "1", "isSecret": True}}
    hook = {"endpointUrl": "https://example.com/x?code=1", "deliveryAttributeMappings": [header]}
    made = subscription(destination={"endpointType": "WebHook", "properties": hook})
    assert made.destination == Webhook(url="https://example.com/x?code=1", headers=(("x-a", "1"),))


def hooked(**properties: Any) -> dict[str, Any]:
    return {"destination": {"endpointType": "WebHook", "properties": properties}}


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"expirationTimeUtc": "2027-01-01"}, "properties: expirationTimeUtc is not known here; there are"),
        ({"destination": {"endpointType": "EventHub"}}, "endpointType is EventHub; there are StorageQueue"),
        ({"destination": {"endpointType": "AzureFunction"}}, "endpointType is AzureFunction"),
        ({"destination": {}}, "endpointType is missing"),
        ({"eventDeliverySchema": "CustomInputSchema"}, "eventDeliverySchema 'CustomInputSchema' is not here"),
        ({"filter": {"includedEventType": []}}, "filter: includedEventType is not known"),
        ({"filter": {"subjectBeginsWith": 3}}, "subjectBeginsWith is 3: a text"),
        (
            {"filter": {"advancedFilters": [{"operatorType": "StringLike", "key": "a", "values": []}]}},
            "operatorType is 'StringLike'; there are BoolEquals",
        ),
        ({"filter": {"advancedFilters": [{"operatorType": "NumberIn", "key": "a"}]}}, "needs a key and values"),
        ({"retryPolicy": {"maxDeliveryAttempts": 31}}, "maxDeliveryAttempts is 31: a whole number from 1 to 30"),
        ({"retryPolicy": {"eventTimeToLiveInMinutes": 0}}, "eventTimeToLiveInMinutes is 0"),
        ({"deadLetterDestination": {"endpointType": "Queue"}}, "endpointType is 'Queue': StorageBlob"),
        (hooked(endpointUrl="https://x", maxEventsPerBatch=10), "maxEventsPerBatch is more than 1"),
        (hooked(endpointUrl="http://example.com"), "must be https, or http to this machine"),
        (hooked(endpointUrl="https://x", azureActiveDirectoryTenantId="t"), "azureActiveDirectoryTenantId is not"),
        (
            hooked(endpointUrl="https://x", deliveryAttributeMappings=[{"name": "a", "type": "Dynamic"}]),
            "there are Static ones only",
        ),
    ],
)  # fmt: skip
def test_what_is_not_here_is_refused_by_name(properties: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSubscription, match=f"here.*{said}"):
        subscription(**properties)


def filtered(operator: str, **given: Any) -> dict[str, Any]:
    return {"filter": {"advancedFilters": [{"operatorType": operator, "key": "a", **given}]}}


def sent_with(**header: Any) -> dict[str, Any]:
    return hooked(endpointUrl="https://x", deliveryAttributeMappings=[{"type": "Static", **header}])


def queued(name: str) -> dict[str, Any]:
    return {"destination": {"endpointType": "StorageQueue", "properties": {"queueName": name}}}


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        (filtered("NumberGreaterThan", value="0"), "NumberGreaterThan of a cannot be asked about '0'"),
        (filtered("NumberLessThan", value=True), "about True"),
        (filtered("NumberNotIn", values=[1, None]), "about None"),
        (filtered("NumberInRange", values=[1, 5]), "NumberInRange of a cannot be asked about 1"),
        (filtered("NumberNotInRange", values=[[1, 5], [1, 5, 9]]), r"about \[1, 5, 9\]"),
        (filtered("StringNotContains", values=[1]), "about 1"),
        (filtered("BoolEquals", value="true"), "about 'true'"),
        (filtered("StringIn", values="abc"), "values is 'abc': a list"),
        ({"filter": {"advancedFilters": 5}}, "advancedFilters is 5: a list"),
        (hooked(endpointUrl="https://x", deliveryAttributeMappings=5), "deliveryAttributeMappings is 5: a list"),
        (sent_with(name="x-a", properties={"value": "1\r\nx-b: 2"}), "'x-a' and its value cannot be a header"),
        (sent_with(name="x-a", properties={"value": "\u20ac"}), "cannot be a header"),
        (sent_with(name="x a", properties={"value": "1"}), "'x a' and its value cannot be a header"),
        (sent_with(properties={"value": "1"}), "'' and its value cannot be a header"),
        (hooked(endpointUrl="https://x:99999/"), "'https://x:99999/' is no address: Port out of range"),
        (hooked(endpointUrl="https://[x/"), "is no address"),
        (hooked(endpointUrl="https:///path"), "is no address of a host"),
        (hooked(endpointUrl="https://x/\u00e4"), "is no address of a host"),
        (queued("\u00e4rger"), "queueName is '\u00e4rger': small letters, digits and hyphens"),
        (queued(""), "queueName is ''"),
        (
            {"deadLetterDestination": {"endpointType": "StorageBlob", "properties": {"blobContainerName": "a b"}}},
            "blobContainerName is 'a b'",
        ),
    ],
)  # fmt: skip
def test_what_could_be_neither_compared_nor_sent_is_refused(properties: dict[str, Any], said: str) -> None:
    """Each of them would else end Event Grid when the first event comes, and at every start after it."""
    with pytest.raises(BadSubscription, match=f"here.*{said}"):
        subscription(**properties)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"name": "x y", "topic": "t", "queue": "q"}, "name is 'x y'"),
        ({"name": "sub", "queue": "q"}, "topic is missing"),
        ({"name": "sub", "topic": "t"}, "it needs a queue or a webhook"),
        ({"name": "sub", "topic": "t", "queue": "q", "webhook": "https://x"}, "and not both"),
        ({"name": "sub", "topic": "t", "queue": "q", "prefix": "x"}, "prefix is not known here"),
        ({"name": "sub", "topic": "t", "queue": "q", "event_types": "Made"}, "a list of texts"),
    ],
)
def test_a_short_entry_is_checked_too(entry: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSubscription, match=said):
        parse(entry, where="here")
