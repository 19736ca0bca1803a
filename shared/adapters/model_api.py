"""Proxy to the model's REST endpoint: one scoring request, its response passed on as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests

from shared.adapters.endpoint_addresses import Address, EndpointAddresses
from shared.adapters.http_client import Reply, TooLarge, ask
from shared.errors import Transient

TIMEOUT = (10, 60)
LARGEST_ANSWER = 16 * 1024 * 1024
SCORE = "/score"


class RestModelApi:
    """Follows the endpoint's traffic rules: no deployment is named."""

    def __init__(self, address: Callable[[str], Address]) -> None:
        self._addresses = EndpointAddresses(address)

    def score(self, endpoint: str, body: bytes) -> tuple[int, bytes]:
        url, _ = self._addresses.of(endpoint)
        reply = self._sent("POST", endpoint, url, body)
        return reply.status, reply.body

    def swagger(self, endpoint: str) -> dict[str, Any]:
        url, _ = self._addresses.of(endpoint)
        reply = self._sent("GET", endpoint, f"{url.removesuffix(SCORE)}/swagger.json", None)
        described = _parsed(reply) if reply.status == 200 else None
        if not isinstance(described, dict):
            raise Transient(f"endpoint {endpoint} does not describe itself: it answered {reply.status}")
        return described

    def _sent(self, method: str, endpoint: str, url: str, body: bytes | None) -> Reply:
        """The answer; a key that was rotated, or a token that has expired, is fetched once more."""
        for last in (False, True):
            address = self._addresses.of(endpoint)
            headers = {"Authorization": f"Bearer {address[1]}", "Content-Type": "application/json"}
            try:
                answer = ask(method, url, headers=headers, body=body, timeout=TIMEOUT, most=LARGEST_ANSWER)
            except requests.RequestException as cause:
                raise Transient(f"endpoint {endpoint} gave no answer") from cause
            except TooLarge as cause:
                raise Transient(f"endpoint {endpoint}: {cause}") from cause
            if answer.status != 401 or last:
                break
            self._addresses.refused(endpoint, address)
        return answer


def _parsed(reply: Reply) -> Any:
    """None when it is no JSON."""
    try:
        return reply.json()
    except ValueError:
        return None
