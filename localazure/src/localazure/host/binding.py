"""Builds the values Azure's host would send to the Python worker, and reads what comes back.

The library's own converters turn them into func.HttpRequest, func.QueueMessage, func.TimerRequest and back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import azure.functions as func
from azure.functions.meta import Datum

from localazure.host.function import BLOB, EVENT_GRID, HTTP, QUEUE, TIMER
from localazure.host.message import Message
from localazure.host.wire import Reply, Request
from localazure.storage.client import Answer


def http_request(request: Request, route: Mapping[str, str]) -> Any:
    """Header names come in lower case, repeated ones joined by a comma; empty values do not come at all."""
    return _decode(
        HTTP,
        Datum(
            {
                "method": Datum(request.method, "string"),
                "url": Datum(request.url, "string"),
                "headers": _strings(request.headers),
                "query": _strings(request.query),
                "params": _strings(route),
                "body": Datum(request.body, "bytes"),
            },
            "http",
        ),
        {},
    )


def queue_message(message: Message, body: bytes) -> Any:
    """The body comes as text when it is UTF-8, as Azure's host sends it."""
    metadata = {
        "Id": Datum(message.id, "string"),
        "PopReceipt": Datum(message.receipt, "string"),
        "DequeueCount": Datum(json.dumps(message.dequeue_count), "json"),
        **_moments(
            InsertionTime=message.inserted,
            ExpirationTime=message.expires,
            NextVisibleTime=message.next_visible,
        ),
    }
    try:
        value = Datum(body.decode(), "string")
    except UnicodeDecodeError:
        value = Datum(body, "bytes")
    return _decode(QUEUE, value, {**metadata, "QueueTrigger": value})


def timer_request(*, status: Mapping[str, str] | None, past_due: bool) -> Any:
    """`status` is what the timer's blob held before this run."""
    told = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
    return _decode(TIMER, Datum(json.dumps(told), "json"), {})


def event_grid_event(event: Any) -> Any:
    """A func.CloudEvent when the event is one, else a func.EventGridEvent."""
    return _decode(EVENT_GRID, Datum(json.dumps(event), "json"), {})


def blob_trigger(path: str, url: str, found: Answer, captures: Mapping[str, str]) -> Any:
    """func.InputStream of the blob at `path`, `found` in storage."""
    headers = found.headers
    properties = {
        "ContentLength": len(found.body),
        "ETag": headers.get("etag", ""),
        "LastModified": headers.get("last-modified", ""),
        "ContentType": headers.get("content-type", ""),
    }
    noted = {name[10:]: value for name, value in headers.items() if name.startswith("x-ms-meta-")}
    metadata = {
        "BlobTrigger": Datum(path, "string"),
        "Uri": Datum(json.dumps(url), "json"),
        "Properties": Datum(json.dumps(properties), "json"),
        "Metadata": Datum(json.dumps(noted), "json"),
        **_strings(captures),
    }
    return _decode(BLOB, Datum(found.body, "bytes"), metadata)


def blob_input(content: bytes) -> Any:
    """func.InputStream of a blob that is no trigger's: it knows its content only, as in Azure."""
    return _decode("blob", Datum(content, "bytes"), {})


def blob_content(value: Any) -> bytes:
    """What a function set or returned for a blob."""
    datum = func.get_binding_registry().get("blob").encode(value, expected_type=None)
    return datum.value.encode() if datum.type == "string" else bytes(datum.value)


def http_reply(returned: Any) -> Reply:
    """What the caller gets for what an HTTP function returned."""
    if returned is None:
        return Reply(status=204)
    datum = func.get_binding_registry().get("http").encode(returned, expected_type=None)
    if datum.type == "string":
        return _reply_to_text(datum.value)
    value = datum.value
    headers = [(name, one.value) for name, one in value["headers"].items()]
    cookies = [morsel.OutputString() for jar in value["cookies"] or () for morsel in jar.values()]
    return Reply(
        status=int(value["status_code"].value),
        headers=(*headers, *(("set-cookie", cookie) for cookie in cookies)),
        body=value["body"].value,
    )


def _reply_to_text(text: str) -> Reply:
    """A bare string; one that is a JSON object with a `body` is taken for a whole response, as in Azure."""
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict) or "body" not in told:
        return Reply(status=200, headers=(("content-type", "text/plain; charset=utf-8"),), body=text.encode())
    body = told["body"]
    headers = {"content-type": "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"}
    headers.update({name.lower(): str(value) for name, value in (told.get("headers") or {}).items()})
    return Reply(
        status=int(told.get("status") or told.get("statusCode") or 200),
        headers=tuple(headers.items()),
        body=body.encode() if isinstance(body, str) else json.dumps(body).encode(),
    )


def queue_bodies(value: Any) -> list[bytes]:
    """The messages in what a function set or returned for a queue: one, or as many as a list holds."""
    if value is None:
        return []
    datum = func.get_binding_registry().get("queue").encode(value, expected_type=None)
    if datum.type == "bytes":
        return [datum.value]
    if datum.type == "string":
        return [datum.value.encode()]
    told = json.loads(datum.value)
    items = told if isinstance(told, list) else [told]
    return [_text_of(item).encode() for item in items]


def _text_of(item: Any) -> str:
    if isinstance(item, dict) and "body" in item:
        return str(item["body"])
    return item if isinstance(item, str) else json.dumps(item)


def _decode(kind: str, value: Datum, metadata: Mapping[str, Datum]) -> Any:
    return func.get_binding_registry().get(kind).decode(value, trigger_metadata=metadata)


def _strings(values: Mapping[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items() if value}


def _moments(**moments: datetime | None) -> dict[str, Datum]:
    return {name: Datum(json.dumps(one.isoformat()), "json") for name, one in moments.items() if one}
