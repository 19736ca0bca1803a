"""host.json as this host reads it, with every leaf open to AzureFunctionsJobHost__a__b in the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localazure.host.errors import BadSetting
from localazure.host.settings import read_json

OVERRIDE = "AzureFunctionsJobHost__"


def usual_threshold(batch: int) -> int:
    """What newBatchThreshold is by default, on this machine."""
    return batch // 2 * (os.cpu_count() or 1)


@dataclass(frozen=True, kw_only=True)
class QueueOptions:
    """extensions.queues; durations in seconds."""

    batch_size: int = 16
    new_batch_threshold: int = field(default_factory=lambda: usual_threshold(16))
    max_polling_interval: float = 60.0
    visibility_timeout: float = 0.0
    max_dequeue_count: int = 5
    base64: bool = True


@dataclass(frozen=True, kw_only=True)
class BlobOptions:
    """extensions.blobs"""

    max_parallel: int = 8
    poison_threshold: int = 5


@dataclass(frozen=True, kw_only=True)
class HttpOptions:
    """extensions.http; None for no limit."""

    route_prefix: str = "api"
    max_outstanding: int | None = None
    max_concurrent: int | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class HostJson:
    """What of host.json bears on a local run."""

    queues: QueueOptions = QueueOptions()
    http: HttpOptions = HttpOptions()
    blobs: BlobOptions = BlobOptions()
    function_timeout: float | None = 1800.0
    only: frozenset[str] | None = None
    log_level: str = "Information"
    ignored: tuple[str, ...] = ()
    """What it asks for and does not get here, in words."""


def load(folder: Path, environ: Mapping[str, str]) -> HostJson:
    """host.json of the app in `folder`; an app without one gets the defaults."""
    file = folder / "host.json"
    content = read_json(file, "see host.json") if file.exists() else {"version": "2.0"}
    _override(content, environ)
    if content.get("version") != "2.0":
        raise BadSetting(f'{file} must say "version": "2.0", not {content.get("version")!r}.')
    only = content.get("functions")
    return HostJson(
        queues=_queues(Section(content, "extensions.queues"), environ),
        http=_http(Section(content, "extensions.http")),
        blobs=_blobs(Section(content, "extensions.blobs")),
        function_timeout=_timeout(Section(content, "")),
        only=frozenset(only) if only else None,
        log_level=Section(content, "logging.logLevel").text("default", "Information"),
        ignored=tuple(_ignored(content)),
    )


_KNOWN = {
    "version", "functiontimeout", "logging", "extensionbundle", "extensions", "functions", "retry", "concurrency",
    "healthmonitor", "watchdirectories", "watchfiles", "manageddependency", "singleton", "aggregator",
    "telemetrymode", "customhandler", "sendcanceledinvocationstoworker", "$schema",
}  # fmt: skip


def _ignored(content: Mapping[str, Any]) -> Iterator[str]:
    """Raises BadSetting for what would make it another kind of app."""
    if "customhandler" in {key.lower() for key in content}:
        raise BadSetting("host.json: customHandler is not here: this host runs Python apps only.")
    for key in content:
        if key.lower() not in _KNOWN:
            yield f"{key} is unknown to Azure's host"
    if _get(content, "retry"):
        yield "retry: a policy stands at a timer's function, or nowhere"
    if Section(content, "concurrency").text("dynamicConcurrencyEnabled", "").lower() == "true":
        yield "concurrency.dynamicConcurrencyEnabled: batchSize and newBatchThreshold hold"
    if Section(content, "extensions.http").text("dynamicThrottlesEnabled", "").lower() == "true":
        yield "extensions.http.dynamicThrottlesEnabled: nothing is throttled by the machine's load"
    if Section(content, "extensions.http.hsts").text("isEnabled", "").lower() == "true":
        yield "extensions.http.hsts: there is no https on this machine"


def _queues(section: Section, environ: Mapping[str, str]) -> QueueOptions:
    batch = section.integer("batchSize", 16, low=1, high=32)
    longest = 2.0 if environ.get("AZURE_FUNCTIONS_ENVIRONMENT") == "Development" else 60.0
    encoding = section.text("messageEncoding", "base64").lower()
    if encoding not in {"base64", "none"}:
        raise BadSetting(f"host.json: extensions.queues.messageEncoding is {encoding!r}: base64 or none.")
    return QueueOptions(
        batch_size=batch,
        new_batch_threshold=section.integer("newBatchThreshold", usual_threshold(batch), low=0),
        max_polling_interval=max(section.duration("maxPollingInterval", longest), 0.1),
        visibility_timeout=section.duration("visibilityTimeout", 0.0),
        max_dequeue_count=section.integer("maxDequeueCount", 5, low=1),
        base64=encoding == "base64",
    )


def _blobs(section: Section) -> BlobOptions:
    parallel = section.integer("maxDegreeOfParallelism", 8 * (os.cpu_count() or 1), low=1)
    return BlobOptions(
        max_parallel=parallel, poison_threshold=section.integer("poisonBlobThreshold", 5, low=1)
    )


def _http(section: Section) -> HttpOptions:
    outstanding, concurrent = (
        section.integer(key, -1, low=-1) for key in ("maxOutstandingRequests", "maxConcurrentRequests")
    )
    return HttpOptions(
        route_prefix=section.text("routePrefix", "api").strip("/"),
        max_outstanding=outstanding if outstanding >= 0 else None,
        max_concurrent=concurrent if concurrent > 0 else None,
        headers=tuple((name.lower(), str(value)) for name, value in section.inner("customHeaders").items()),
    )


def _timeout(root: Section) -> float | None:
    text = root.text("functionTimeout", "00:30:00")
    return None if text in {"-1", "-00:00:01"} else seconds(text, where="host.json: functionTimeout")


class Section:
    """One object of host.json; a missing one is empty, and keys are found whatever their case."""

    def __init__(self, content: Mapping[str, Any], path: str) -> None:
        self._path = path
        found: Any = content
        for key in filter(None, path.split(".")):
            found = _get(found, key) if isinstance(found, Mapping) else None
        self._found: Mapping[str, Any] = found if isinstance(found, Mapping) else {}

    def text(self, key: str, default: str) -> str:
        value = _get(self._found, key)
        return default if value is None else str(value)

    def integer(self, key: str, default: int, *, low: int, high: int = 2**31) -> int:
        value = self.text(key, str(default))
        if not re.fullmatch(r"-?\d+", value) or not low <= int(value) <= high:
            raise BadSetting(
                f"host.json: {self._path}.{key} is {value!r}: a whole number from {low} to {high}."
            )
        return int(value)

    def inner(self, key: str) -> Mapping[str, Any]:
        value = _get(self._found, key)
        return value if isinstance(value, Mapping) else {}

    def duration(self, key: str, default: float) -> float:
        value = _get(self._found, key)
        return default if value is None else seconds(str(value), where=f"host.json: {self._path}.{key}")


def seconds(text: str, *, where: str) -> float:
    """A .NET TimeSpan, [d.]hh:mm[:ss[.fff]], in seconds."""
    match = re.fullmatch(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2}(?:\.\d{1,7})?))?", text.strip())
    if not match or int(match[2]) > 23 or int(match[3]) > 59 or float(match[4] or 0) >= 60:
        raise BadSetting(f"{where} is {text!r}: write it as hh:mm:ss or d.hh:mm:ss.")
    days, hours, minutes, rest = match.groups()
    return int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(rest or 0)


def _override(content: dict[str, Any], environ: Mapping[str, str]) -> None:
    for name, value in environ.items():
        if name.lower().startswith(OVERRIDE.lower()):
            *path, leaf = name[len(OVERRIDE) :].split("__")
            _set(_descend(content, path), leaf, value)


def _descend(content: dict[str, Any], path: list[str]) -> dict[str, Any]:
    for key in path:
        inner = _get(content, key)
        if not isinstance(inner, dict):
            inner = {}
            _set(content, key, inner)
        content = inner
    return content


def _get(content: Mapping[str, Any], key: str) -> Any:
    return next((value for name, value in content.items() if name.lower() == key.lower()), None)


def _set(content: dict[str, Any], key: str, value: Any) -> None:
    name = next((name for name in content if name.lower() == key.lower()), key)
    content[name] = value
