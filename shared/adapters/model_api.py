"""Proxy to the model's REST endpoint: one scoring request, its response passed on as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import requests

from shared.adapters.http_client import TooLarge, ask
from shared.errors import Transient

TIMEOUT = (10, 60)
LARGEST_ANSWER = 16 * 1024 * 1024
SCORE = "/score"


class RestModelApi:
    """Follows the endpoint's traffic rules: no deployment is named."""

    def __init__(self, address: Callable[[str], tuple[str, str]]) -> None:
        """address: scoring URL and key of an endpoint"""
        self._address = address
        self._known: dict[str, tuple[str, str]] = {}

    def score(self, endpoint: str, body: bytes) -> tuple[int, bytes]:
        url, _ = self._at(endpoint)
        return self._sent("POST", endpoint, url, body)

    def swagger(self, endpoint: str) -> dict[str, Any]:
        url, _ = self._at(endpoint)
        status, body = self._sent("GET", endpoint, f"{url.removesuffix(SCORE)}/swagger.json", None)
        described = _parsed(body) if status == 200 else None
        if not isinstance(described, dict):
            raise Transient(f"endpoint {endpoint} does not describe itself: it answered {status}")
        return described

    def _at(self, endpoint: str) -> tuple[str, str]:
        if endpoint not in self._known:
            self._known[endpoint] = self._address(endpoint)
        return self._known[endpoint]

    def _sent(self, method: str, endpoint: str, url: str, body: bytes | None) -> tuple[int, bytes]:
        """The answer; a key that was rotated is fetched once more."""
        for last in (False, True):
            headers = {"Authorization": f"Bearer {self._at(endpoint)[1]}", "Content-Type": "application/json"}
            try:
                answer = ask(method, url, headers=headers, body=body, timeout=TIMEOUT, most=LARGEST_ANSWER)
            except requests.RequestException as cause:
                raise Transient(f"endpoint {endpoint} gave no answer") from cause
            except TooLarge as cause:
                raise Transient(f"endpoint {endpoint}: {cause}") from cause
            if answer.status != 401 or last:
                break
            self._known.pop(endpoint, None)
        return answer.status, answer.body


def _parsed(body: bytes) -> Any:
    """None when it is no JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return None
