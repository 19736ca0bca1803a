"""What Azure's host tells Application Insights of each call, in batches, when a connection string names one.

source: Application Insights' ingestion (v2.1/track) and its envelopes; Microsoft Entra authentication for it
"""

from __future__ import annotations

import json
import logging
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from localazure.host.managed_identity import NO_PROXY, ManagedIdentity
from localazure.storage.client import StorageUnreachable

log = logging.getLogger("localazure.host.telemetry")
CONNECTION, AUTHENTICATION = (
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
)
AUDIENCE = "https://monitor.azure.com"
PATH = "/v2.1/track"
EVERY_SECONDS = 5.0
MOST_KEPT = 1000
"""Calls that wait to be told; more than these are forgotten, as telemetry may be."""
_SECONDS = 10


class Telemetry:
    """Tells of calls in a thread of its own, and drops what cannot be told: no call waits for it, and none fails."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """raises: BadSetting when it is to sign in and there is no managed identity"""
        given = _fields(environ.get(CONNECTION))
        self._key = given.get("InstrumentationKey", "")
        self._address = f"{given.get('IngestionEndpoint', '').rstrip('/')}{PATH}" if given else ""
        signs_in = _fields(environ.get(AUTHENTICATION))
        by_token = bool(given) and signs_in.get("Authorization") == "AAD"
        self._identity = (
            ManagedIdentity(environ, signs_in.get("ClientId", ""), resource=AUDIENCE) if by_token else None
        )
        self._authorities = environ.get("REQUESTS_CA_BUNDLE") or None
        self._waiting: list[dict[str, Any]] = []
        self._lock, self._end = threading.Lock(), threading.Event()
        self._said = ""
        self._thread = threading.Thread(target=self._tell, name="telemetry", daemon=True)
        if self._address:
            self._thread.start()

    def called(self, function: str, invocation: str, seconds: float, *, failed: bool) -> None:
        """A call has ended."""
        if not self._address:
            return
        request = {
            "ver": 2, "id": invocation, "name": function, "duration": _duration(seconds), "success": not failed,
            "responseCode": "0",
        }  # fmt: skip
        envelope = {
            "name": "Microsoft.ApplicationInsights.Request",
            "time": datetime.now(UTC).isoformat(),
            "iKey": self._key,
            "tags": {"ai.operation.name": function, "ai.operation.id": invocation},
            "data": {"baseType": "RequestData", "baseData": request},
        }
        with self._lock:
            self._waiting = [*self._waiting[-MOST_KEPT + 1 :], envelope]

    def close(self) -> None:
        """Tells what waits, and no more."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(_SECONDS)

    def _tell(self) -> None:
        while not self._end.wait(EVERY_SECONDS):
            self._send()
        self._send()

    def _send(self) -> None:
        with self._lock:
            told, self._waiting = self._waiting, []
        if not told:
            return
        problem = self._sent(told)
        if problem and problem != self._said:
            log.warning("Application Insights does not take what calls took (%s).", problem)
        self._said = problem

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        """Made once: reading the authorities takes longer than telling."""
        trusted = ssl.create_default_context(cafile=self._authorities)
        return urllib.request.build_opener(NO_PROXY, urllib.request.HTTPSHandler(context=trusted))

    def _sent(self, told: list[dict[str, Any]]) -> str:
        """Why it was not taken; empty when it was."""
        try:
            headers = {"content-type": "application/json"}
            if self._identity:
                headers["authorization"] = f"Bearer {self._identity.token()}"
            request = urllib.request.Request(self._address, json.dumps(told).encode(), headers)
            with self._opener.open(request, timeout=_SECONDS):
                return ""
        except urllib.error.HTTPError as refusal:
            return f"{refusal.code}"
        except (OSError, StorageUnreachable) as problem:
            return f"{problem}"


def _fields(text: str | None) -> dict[str, str]:
    """Of a connection string."""
    return dict(part.strip().partition("=")[::2] for part in (text or "").split(";") if part.strip())


def _duration(seconds: float) -> str:
    """As .NET writes a TimeSpan."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    days, hours = divmod(hours, 24)
    return f"{f'{days}.' if days else ''}{hours:02}:{minutes:02}:{rest:010.7f}"
