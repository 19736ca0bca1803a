"""The app's managed identity, as App Service gives it: tokens for a service, asked for before the last one ends."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from urllib.parse import urlencode

from localazure.host.errors import BadSetting
from localazure.storage.client import StorageUnreachable

STORAGE = "https://storage.azure.com"
EARLIER_SECONDS = 300
"""A token is renewed this long before it ends."""
_SECONDS = 30
NO_PROXY = urllib.request.ProxyHandler({})
_OPENER = urllib.request.build_opener(NO_PROXY)


class ManagedIdentity:
    """source: https://learn.microsoft.com/azure/app-service/overview-managed-identity, REST endpoint reference"""

    def __init__(self, environ: Mapping[str, str], client: str, *, resource: str = STORAGE) -> None:
        """client: its client id; empty for the only one. resource: what tokens are for

        raises: BadSetting where there is no such endpoint
        """
        self._endpoint, self._header = environ.get("IDENTITY_ENDPOINT"), environ.get("IDENTITY_HEADER")
        if not (self._endpoint and self._header):
            raise BadSetting(
                "a connection signs in by a managed identity, and IDENTITY_ENDPOINT and IDENTITY_HEADER, which tell where"
                " its tokens are had, are not set."
            )
        self._client, self._resource = client, resource
        self._lock = threading.Lock()
        self._token, self._ends = "", 0.0

    def token(self) -> str:
        """raises: StorageUnreachable when no token is to be had: worth trying again"""
        with self._lock:
            if time.time() > self._ends - EARLIER_SECONDS:
                self._token, self._ends = self._asked()
            return self._token

    def _asked(self) -> tuple[str, float]:
        query = {"api-version": "2019-08-01", "resource": self._resource}
        query |= {"client_id": self._client} if self._client else {}
        request = urllib.request.Request(
            f"{self._endpoint}?{urlencode(query)}", headers={"X-IDENTITY-HEADER": str(self._header)}
        )
        try:
            with _OPENER.open(request, timeout=_SECONDS) as answer:
                told = json.load(answer)
        except (OSError, ValueError, urllib.error.HTTPError) as problem:
            raise StorageUnreachable(f"no token for the managed identity: {problem}") from problem
        return str(told["access_token"]), float(told["expires_on"])
