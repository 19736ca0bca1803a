"""Addresses of endpoints, each with its key or a token: looked up once, and again once that was refused."""

from __future__ import annotations

from collections.abc import Callable

Address = tuple[str, str]
"""Scoring URL of an endpoint, and its key or a token."""


class EndpointAddresses:
    """Those that this process knows, for all its threads."""

    def __init__(self, look_up: Callable[[str], Address]) -> None:
        self._look_up = look_up
        self._known: dict[str, Address] = {}

    def of(self, endpoint: str) -> Address:
        known = self._known.get(endpoint)  # which another thread may forget at any time
        if known is None:
            known = self._known[endpoint] = self._look_up(endpoint)
        return known

    def refused(self, endpoint: str, address: Address) -> None:
        """The key was rotated, or the token has expired; one that another thread has looked up since stays."""
        if self._known.get(endpoint) is address:
            self._known.pop(endpoint, None)
