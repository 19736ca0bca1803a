"""Event subscriptions: read from a file or a request, refused by name where they ask for what is not here.

An entry is `{"name", "topic", "properties"}` with the properties of Microsoft.EventGrid/eventSubscriptions, as in
ARM and Bicep; or, for what most need, short: `{"name", "topic", "queue" or "webhook", "event_types",
"subject_begins_with", "subject_ends_with"}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from localazure.events.filters import NULLS, OPERATORS, SINGLE, Advanced, Filter, is_comparable

STORAGE_TOPIC = "storage"
EVENT_GRID, CLOUD_EVENTS = "EventGridSchema", "CloudEventSchemaV1_0"
MOST_ATTEMPTS, LONGEST_LIFE = 30, 1440
EVERYTHING = Filter()
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class BadSubscription(Exception):
    """A subscription is malformed, or asks for what this Event Grid does not have."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A storage queue as destination; `message_seconds` is how long a message may lie there."""

    name: str
    message_seconds: int | None = None


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """A web address as destination; `headers` are sent with each event."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """Which events of a topic go where, in what form, and for how long that is tried."""

    name: str
    topic: str
    destination: Queue | Webhook
    filter: Filter = EVERYTHING
    schema: str = ""
    """EVENT_GRID or CLOUD_EVENTS; empty: as the event was published."""
    max_attempts: int = MOST_ATTEMPTS
    life_minutes: int = LONGEST_LIFE
    dead_letters: str | None = None
    """The container that takes what could not be delivered."""


def read(file: Path) -> list[dict[str, Any]]:
    """The entries in `file`, a JSON list; raises BadSubscription with the place of the fault."""
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise BadSubscription(f"{file} cannot be read as JSON: {cause}") from cause
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadSubscription(f"{file} must hold a JSON list of objects")
    named: set[object] = set()
    for number, entry in enumerate(entries, start=1):
        parse(entry, where=f"{file}, entry {number}")
        if entry.get("name") in named:
            raise BadSubscription(f"{file}, entry {number}: there is another {entry['name']!r} before it")
        named.add(entry.get("name"))
    return entries


def parse(entry: Mapping[str, Any], *, where: str) -> Subscription:
    """The subscription in `entry`; raises BadSubscription, which begins with `where`."""
    name, topic = entry.get("name"), entry.get("topic")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9-]{3,64}", name):
        raise BadSubscription(f"{where}: name is {name!r}: 3 to 64 letters, digits and hyphens")
    if not isinstance(topic, str) or not topic:
        raise BadSubscription(f"{where}: topic is missing: {STORAGE_TOPIC}, or the name of a custom topic")
    if "properties" in entry:
        told = Part(entry, where, {"name", "topic", "properties"}).part("properties", PROPERTIES)
        return _of_properties(name, topic, told)
    return _short(name, topic, Part(entry, where, SHORT))


def without_secrets(told: Any) -> Any:
    """An entry as anybody may see it: without the query of a webhook, where keys stand, and without secret headers."""
    if isinstance(told, list):
        return [without_secrets(one) for one in told]
    if not isinstance(told, Mapping):
        return told
    shown = {key: without_secrets(value) for key, value in told.items()}
    for key in ("webhook", "endpointUrl"):
        if isinstance(shown.get(key), str):
            shown[key] = shown[key].partition("?")[0]
    if shown.get("isSecret"):
        shown["value"] = None
    return shown


SHORT = {"name", "topic", "queue", "webhook", "event_types", "subject_begins_with", "subject_ends_with"}
PROPERTIES = {
    "destination", "deliveryWithResourceIdentity", "filter", "eventDeliverySchema", "retryPolicy",
    "deadLetterDestination", "deadLetterWithResourceIdentity", "labels",
}  # fmt: skip


class Part:
    """One object of an entry, whose unknown keys are refused by name."""

    def __init__(self, values: Mapping[str, Any], where: str, known: set[str]) -> None:
        self.values, self.where = values, where
        if not isinstance(values, Mapping):
            raise BadSubscription(f"{where} is not an object")
        if unknown := sorted(values.keys() - known):
            raise BadSubscription(
                f"{where}: {', '.join(unknown)} is not known here; there are {', '.join(sorted(known))}"
            )

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def part(self, key: str, known: set[str]) -> Part:
        return Part(self.values.get(key) or {}, f"{self.where}, {key}", known)

    def text(self, key: str, default: str = "") -> str:
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            raise BadSubscription(f"{self.where}: {key} is {value!r}: a text")
        return default if value is None else value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.values.get(key) or ()
        if not isinstance(values, list | tuple) or not all(isinstance(one, str) for one in values):
            raise BadSubscription(f"{self.where}: {key} is {values!r}: a list of texts")
        return tuple(values)

    def listed(self, key: str) -> Sequence[Any]:
        values = self.values.get(key) or ()
        if not isinstance(values, list | tuple):
            raise BadSubscription(f"{self.where}: {key} is {values!r}: a list")
        return values

    def name(self, key: str) -> str:
        """Of a queue or a container."""
        value = self.text(key)
        if not re.fullmatch("[a-z0-9-]+", value):
            raise BadSubscription(f"{self.where}: {key} is {value!r}: small letters, digits and hyphens")
        return value

    def number(self, key: str, default: int, most: int) -> int:
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise BadSubscription(f"{self.where}: {key} is {value!r}: a whole number from 1 to {most}")
        return value

    def flag(self, key: str) -> bool:
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise BadSubscription(f"{self.where}: {key} is {value!r}: true or false")
        return value


def _short(name: str, topic: str, told: Part) -> Subscription:
    if ("queue" in told) == ("webhook" in told):
        raise BadSubscription(f"{told.where}: it needs a queue or a webhook, and not both")
    return Subscription(
        name=name,
        topic=topic,
        destination=Queue(name=told.name("queue"))
        if "queue" in told
        else Webhook(url=_url(told.text("webhook"), told.where)),
        filter=Filter(
            event_types=told.texts("event_types"),
            subject_begins_with=told.text("subject_begins_with"),
            subject_ends_with=told.text("subject_ends_with"),
        ),
    )


def _of_properties(name: str, topic: str, told: Part) -> Subscription:
    schema = told.text("eventDeliverySchema")
    if schema not in ("", EVENT_GRID, CLOUD_EVENTS):
        raise BadSubscription(
            f"{told.where}: eventDeliverySchema {schema!r} is not here; there are {EVENT_GRID}, {CLOUD_EVENTS}"
        )
    retries = told.part("retryPolicy", {"maxDeliveryAttempts", "eventTimeToLiveInMinutes"})
    return Subscription(
        name=name,
        topic=topic,
        destination=_destination(_under_identity(told, "destination", "deliveryWithResourceIdentity")),
        filter=_filter(
            told.part(
                "filter",
                {"subjectBeginsWith", "subjectEndsWith", "includedEventTypes", "isSubjectCaseSensitive",
                 "advancedFilters", "enableAdvancedFilteringOnArrays"},
            )
        ),
        schema=schema,
        max_attempts=retries.number("maxDeliveryAttempts", MOST_ATTEMPTS, MOST_ATTEMPTS),
        life_minutes=retries.number("eventTimeToLiveInMinutes", LONGEST_LIFE, LONGEST_LIFE),
        dead_letters=_dead_letters(
            _under_identity(told, "deadLetterDestination", "deadLetterWithResourceIdentity")
        ),
    )  # fmt: skip


def _under_identity(told: Part, key: str, wrapped: str) -> Part:
    """What stands under `key`, or under it within `wrapped`: there are no roles here to ask for."""
    if wrapped in told:
        told = told.part(wrapped, {"identity", key})
    return told.part(key, {"endpointType", "properties"})


def _destination(told: Part) -> Queue | Webhook:
    kind = told.text("endpointType")
    if kind == "StorageQueue":
        known = {"resourceId", "queueName", "queueMessageTimeToLiveInSeconds"}
        queue = told.part("properties", known)
        lifetime = queue.values.get("queueMessageTimeToLiveInSeconds")
        return Queue(name=queue.name("queueName"), message_seconds=lifetime)
    if kind == "WebHook":
        hook = told.part(
            "properties",
            {
                "endpointUrl",
                "maxEventsPerBatch",
                "preferredBatchSizeInKilobytes",
                "deliveryAttributeMappings",
            },
        )
        if hook.number("maxEventsPerBatch", 1, 5000) != 1:
            raise BadSubscription(
                f"{hook.where}: maxEventsPerBatch is more than 1: there is no batching here"
            )
        headers = tuple(_headers(hook))
        return Webhook(url=_url(hook.text("endpointUrl"), hook.where), headers=headers)
    raise BadSubscription(
        f"{told.where}: endpointType is {kind or 'missing'}; there are StorageQueue and WebHook"
    )


def _headers(hook: Part) -> Iterator[tuple[str, str]]:
    for number, mapping in enumerate(hook.listed("deliveryAttributeMappings"), start=1):
        one = Part(
            mapping, f"{hook.where}, deliveryAttributeMappings {number}", {"name", "type", "properties"}
        )
        if one.text("type") != "Static":
            raise BadSubscription(f"{one.where}: type is {one.text('type')!r}; there are Static ones only")
        header = one.part("properties", {"value", "isSecret"})
        header.flag("isSecret")
        name, value = one.text("name"), header.text("value")
        if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
            raise BadSubscription(f"{one.where}: {name!r} and its value cannot be a header of HTTP")
        yield name, value


def _url(url: str, where: str) -> str:
    """Azure takes https only; here plain http does where it leaves no machine."""
    try:
        parts = urlsplit(url)
        is_address = bool(parts.hostname) and parts.port != 0 and re.fullmatch("[!-~]+", url)
    except ValueError as problem:  # no port, or half an IPv6 address
        raise BadSubscription(f"{where}: the webhook {url!r} is no address: {problem}") from problem
    if not is_address:
        raise BadSubscription(
            f"{where}: the webhook {url!r} is no address of a host, in ASCII without blanks"
        )
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return url
    raise BadSubscription(f"{where}: the webhook {url!r} must be https, or http to this machine")


def _dead_letters(told: Part) -> str | None:
    if not told.values:
        return None
    if told.text("endpointType") != "StorageBlob":
        raise BadSubscription(f"{told.where}: endpointType is {told.text('endpointType')!r}: StorageBlob")
    return told.part("properties", {"resourceId", "blobContainerName"}).name("blobContainerName")


def _filter(told: Part) -> Filter:
    arrays = told.flag("enableAdvancedFilteringOnArrays")
    filters = told.listed("advancedFilters")
    if len(filters) > 25:
        raise BadSubscription(f"{told.where}: {len(filters)} advancedFilters; there may be 25")
    types = told.texts("includedEventTypes")
    return Filter(
        event_types=() if types == ("All",) else types,
        subject_begins_with=told.text("subjectBeginsWith"),
        subject_ends_with=told.text("subjectEndsWith"),
        case_sensitive=told.flag("isSubjectCaseSensitive"),
        advanced=tuple(_advanced(one, arrays, f"{told.where}, advancedFilters") for one in filters),
    )


def _advanced(given: Mapping[str, Any], arrays: bool, where: str) -> Advanced:
    told = Part(given, where, {"operatorType", "key", "value", "values"})
    operator, key = told.text("operatorType"), told.text("key")
    if operator not in OPERATORS:
        raise BadSubscription(
            f"{where}: operatorType is {operator!r}; there are {', '.join(sorted(OPERATORS))}"
        )
    wanted = "none" if operator in NULLS else "value" if operator in SINGLE else "values"
    if not key or (wanted != "none" and wanted not in told):
        raise BadSubscription(
            f"{where}: {operator} needs a key" + ("" if wanted == "none" else f" and {wanted}")
        )
    given_values = {"none": (), "value": (told.values.get("value"),), "values": told.listed("values")}[wanted]
    for value in given_values:
        if not is_comparable(operator, value):
            raise BadSubscription(f"{where}: {operator} of {key} cannot be asked about {value!r}")
    return Advanced(operator=operator, key=key, arrays=arrays, values=tuple(given_values))
