"""Builds the values Azure's host would send to the Python worker, and reads what comes back.

The library's own converters turn them into func.HttpRequest, func.QueueMessage, func.TimerRequest and back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookies import CookieError, Morsel
from typing import Any

import azure.functions as func
from azure.functions.meta import Datum

from localazure.host.function import BLOB, EVENT_GRID, HTTP, QUEUE, TIMER
from localazure.host.message import Message
from localazure.host.wire import Reply, Request
from localazure.storage.client import Answer


class Unreadable(Exception):
    """A value that the function's parameter cannot take, or a returned one that its binding cannot; says which."""


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A trigger's or an input's value, as Azure's host sends it to the worker."""

    kind: str
    datum: Datum
    metadata: Mapping[str, Datum] = field(default_factory=dict)

    def decoded(self, *, plain: bool = False, data_type: str = "") -> Any:
        """What the function gets: the library's own object; the bare text or bytes for a `plain` parameter, one
        annotated `str` or `bytes`. `data_type` is the binding's dataType, in lower case. raises: Unreadable"""
        datum = self._as(data_type)
        if plain:
            if datum.type not in {"string", "bytes", "json"}:
                raise Unreadable(f"a {self.kind} gives no plain text or bytes")
            return datum.value
        try:
            return _converter(self.kind).decode(datum, trigger_metadata=self.metadata)
        except (NotImplementedError, ValueError, KeyError, TypeError) as cause:
            raise Unreadable(f"the {self.kind} has a value that cannot be read: {cause!r}") from cause

    def _as(self, data_type: str) -> Datum:
        value = self.datum.value
        if data_type == "string" and self.datum.type == "bytes":
            return Datum(value.decode("utf-8", "replace"), "string")
        if data_type == "binary" and self.datum.type == "string":
            return Datum(value.encode(), "bytes")
        return self.datum


def http_request(request: Request, route: Mapping[str, str]) -> Incoming:
    """Header names come in lower case, repeated ones joined by a comma; empty values do not come at all."""
    return Incoming(
        kind=HTTP,
        datum=Datum(
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
    )


def queue_message(message: Message, body: bytes) -> Incoming:
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
    return Incoming(kind=QUEUE, datum=value, metadata={**metadata, "QueueTrigger": value})


def timer_request(*, status: Mapping[str, str] | None, past_due: bool) -> Incoming:
    """`status` is what the timer's blob held before this run."""
    told = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
    return Incoming(kind=TIMER, datum=Datum(json.dumps(told), "json"))


def event_grid_event(event: Any) -> Incoming:
    """A func.CloudEvent when the event is one, else a func.EventGridEvent."""
    return Incoming(kind=EVENT_GRID, datum=Datum(json.dumps(event), "json"))


def blob_trigger(path: str, url: str, found: Answer, captures: Mapping[str, str]) -> Incoming:
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
    return Incoming(kind=BLOB, datum=Datum(found.body, "bytes"), metadata=metadata)


def blob_input(content: bytes) -> Incoming:
    """func.InputStream of a blob that is no trigger's: it knows its content only, as in Azure."""
    return Incoming(kind="blob", datum=Datum(content, "bytes"))


def blob_content(value: Any) -> bytes:
    """What a function set or returned for a blob. raises: Unreadable"""
    datum = _encoded("blob", value)
    return datum.value.encode() if datum.type == "string" else bytes(datum.value)


def http_reply(returned: Any) -> Reply:
    """What the caller gets for what an HTTP function returned, or set its HTTP output to. raises: Unreadable"""
    datum = _encoded("http", returned)
    if datum.type == "string":
        return _reply_to_text(datum.value)
    value = datum.value
    headers = [(name, one.value) for name, one in value["headers"].items()]
    cookies = [_set_cookie(morsel) for jar in value["cookies"] or () for morsel in jar.values()]
    return Reply(
        status=_status(value["status_code"].value),
        headers=(*headers, *(("set-cookie", cookie) for cookie in cookies)),
        body=value["body"].value,
    )


def _set_cookie(morsel: Morsel[str]) -> str:
    """Its line, once its moment and its age are such as the worker takes; raises Unreadable."""
    expires, age = morsel["expires"], morsel["max-age"]
    try:
        if expires:
            datetime.strptime(expires, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        if age:
            float(age)
    except ValueError as cause:
        raise Unreadable(
            f"the cookie {morsel.key} has Expires={expires!r}, Max-Age={age!r}: the worker takes a time like"
            " 'Thu, 12 Jan 2017 13:55:08 GMT', and a number of seconds"
        ) from cause
    return morsel.OutputString()


def _reply_to_text(text: str) -> Reply:
    """A bare string; one that is a JSON object with a `body` is taken for a whole response, as in Azure."""
    try:
        told = _by_small_names(json.loads(text))
    except ValueError:
        told = {}
    if "body" not in told:
        return Reply(status=200, headers=(("content-type", "text/plain; charset=utf-8"),), body=text.encode())
    body, given = told["body"], told.get("headers")
    headers = {"content-type": "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"}
    if isinstance(given, dict):
        headers.update({name.lower(): str(value) for name, value in given.items()})
    return Reply(
        status=_status(_number(told.get("statuscode", told.get("status")))),
        headers=tuple(headers.items()),
        body=body.encode() if isinstance(body, str) else json.dumps(body).encode(),
    )


def _by_small_names(told: Any) -> dict[str, Any]:
    """An object's values; of names that differ by case only the first counts. Nothing of what is no object."""
    items = reversed(told.items()) if isinstance(told, dict) else ()
    return {name.lower(): value for name, value in items}


def _number(told: Any) -> int:
    """The status that a response names; what is no whole number counts for nothing.

    source: TryParseStatusCode in HttpBinding.cs of Azure's host
    """
    if isinstance(told, int) and not isinstance(told, bool):
        return told
    if isinstance(told, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,9}\s*", told):
        return int(told)
    return 200


def _status(told: Any) -> int:
    """raises: Unreadable for what no answer of HTTP has"""
    try:
        number = int(told)
    except (TypeError, ValueError):
        number = 0
    if not 200 <= number <= 999:
        raise Unreadable(f"its status is {told!r}: a number from 200 to 999")
    return number


def queue_bodies(value: Any) -> list[bytes]:
    """The messages in what a function set or returned for a queue: one, or as many as a list holds.

    raises: Unreadable
    """
    datum = _encoded("queue", value)
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


def _encoded(kind: str, value: Any) -> Datum:
    try:
        encoded: Datum = _converter(kind).encode(value, expected_type=None)
    except (NotImplementedError, ValueError, TypeError, CookieError) as cause:
        raise Unreadable(f"a {kind} output takes no {type(value).__name__} like that: {cause!r}") from cause
    return encoded


def _converter(kind: str) -> Any:
    return func.get_binding_registry().get(kind)


def _strings(values: Mapping[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items() if value}


def _moments(**moments: datetime | None) -> dict[str, Datum]:
    return {name: Datum(json.dumps(one.isoformat()), "json") for name, one in moments.items() if one}
