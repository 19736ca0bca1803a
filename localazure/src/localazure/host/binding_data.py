"""The `{names}` in the paths and queues of bindings: where their values come from, and how they are filled in.

Source: the WebJobs SDK's BindingTemplate and BlobPathSource.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from localazure.host.errors import BrokenApp
from localazure.host.message import Message
from localazure.host.wire import Request

Data = Mapping[str, str]
_NAME = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")
_TIME_PARTS = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_TIME = re.compile(r"([A-Za-z])\1*|[^A-Za-z]+")
"""The parts of a time's form: runs of one letter, and what lies between."""


class NoValue(Exception):
    """A binding names something that the trigger does not give; the message says what."""


# --- where values come from ---------------------------------------------------------------------------------


def of_message(message: Message, body: bytes) -> Data:
    """The message's own fields, its text, and the fields of its JSON, `a.b` for those within."""
    text = body.decode("utf-8", "replace")
    own = {
        "queueTrigger": text,
        "id": message.id,
        "popReceipt": message.receipt,
        "dequeueCount": str(message.dequeue_count),
    }
    return {**own, **_fields(text)}


def of_request(request: Request, route: Mapping[str, str]) -> Data:
    """The route's values, the JSON body's fields, `Query.x` and `Headers.x`."""
    return {
        **_fields(request.body.decode("utf-8", "replace")),
        **{f"Query.{name}": value for name, value in request.query.items()},
        **{f"Headers.{name}": value for name, value in request.headers.items()},
        **route,
    }


def of_event(event: Any) -> Data:
    return dict(_flat(event)) if isinstance(event, dict) else {}


def _fields(text: str) -> dict[str, str]:
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return dict(_flat(told)) if isinstance(told, dict) else {}


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, bool):
            yield prefix + name, str(value).lower()
        elif value is not None:
            yield prefix + name, str(value)


# --- how they are filled in ---------------------------------------------------------------------------------


def fill(template: str, data: Data, *, function: str) -> str:
    """`template` with each `{name}` replaced; raises NoValue. Names are found whatever their case."""
    known = {name.lower(): value for name, value in data.items()}

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        name = match[1].strip().lower()
        if name in known:
            return known[name]
        made = _made(match[1].strip(), function)
        if made is None:
            raise NoValue(f"the trigger gives no value for {{{match[1]}}} in {template!r}")
        return made

    return _NAME.sub(value, template)


def _made(name: str, function: str) -> str | None:
    """The values that the host itself makes."""
    lower, _, form = name.partition(":")
    lower = lower.lower()
    if lower in {"rand-guid", "sys.randguid"}:
        return uuid.uuid4().hex if form.upper() == "N" else str(uuid.uuid4())
    if lower in {"datetime", "sys.utcnow"}:
        return _formatted(datetime.now(UTC), form)
    return function if lower == "sys.methodname" else None


def _formatted(now: datetime, form: str) -> str:
    if not form:
        return now.strftime("%Y-%m-%dT%H-%M-%SZ")
    parts = (part[0] for part in _TIME.finditer(form))
    return "".join(now.strftime(_TIME_PARTS[part]) if part in _TIME_PARTS else part for part in parts)


def check(template: str, *, where: str) -> None:
    """Raises BrokenApp for a template that can never be filled in: braces that do not pair, a time's bad form."""
    if {"{", "}"} & set(_NAME.sub("", template)):
        raise BrokenApp(f"{where}: the braces in {template!r} do not pair.")
    for name in _NAME.findall(template):
        kind, _, form = name.partition(":")
        parts = (part[0] for part in _TIME.finditer(form))
        words = [part for part in parts if part.isalpha() and part not in _TIME_PARTS]
        if kind.lower() in {"datetime", "sys.utcnow"} and words:
            known = ", ".join(_TIME_PARTS)
            raise BrokenApp(f"{where}: the time in {template!r} has {words[0]!r}; there are {known}.")


# --- the reverse: names found in a path ---------------------------------------------------------------------


def matcher(path: str, *, where: str) -> tuple[str, Callable[[str], dict[str, str] | None]]:
    """The container of a trigger's path, and what finds the values in a blob's name: None when it does not fit.

    A name takes all it can, slashes too, so that `{a}/{b}` parts at the last one.
    """
    container, _, rest = path.partition("/")
    if not re.fullmatch(r"[a-z0-9](?:-?[a-z0-9]){2,62}|\$root|\$web", container):
        raise BrokenApp(f"{where}: the path {path!r} does not begin with the name of a container.")
    check(rest, where=where)
    names = [name for name in _NAME.findall(rest) if name]
    if bad := [name for name in names if not name.isidentifier()]:
        raise BrokenApp(f"{where}: {{{bad[0]}}} in {path!r} is no name: letters, digits and _ only.")
    if len(names) != len(set(names)):
        raise BrokenApp(f"{where}: the path {path!r} has one name twice.")
    pattern = re.compile(_pattern(rest) if rest else ".*", re.DOTALL)

    def find(name: str) -> dict[str, str] | None:
        found = pattern.fullmatch(name)
        return found.groupdict() if found else None

    return container, find


def _pattern(text: str) -> str:
    made, at = "", 0
    for match in _NAME.finditer(text):
        made += re.escape(text[at : match.start()])
        made += f"(?P<{match[1]}>.*)" if match[1] else re.escape(match[0][0])
        at = match.end()
    return made + re.escape(text[at:])
