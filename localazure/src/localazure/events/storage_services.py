"""Queue and blob storage as each topic delivers to it: by the account's key, or as the topic's own identity."""

from __future__ import annotations

from pathlib import Path

from localazure import agents
from localazure.access.access import STORAGE, Access
from localazure.storage.client import Service


class StorageServices:
    """Where deliveries and dead letters of a topic go."""

    def __init__(
        self, connection_string: str, access: Access | None = None, *, trusted: Path | None = None
    ) -> None:
        """access: each topic signs in as the identity that the access file gives it, at the addresses named there.
        trusted: authorities of these addresses"""
        self._string, self._access, self._trusted = connection_string, access, trusted
        self._known: dict[tuple[str, str], Service] = {}

    def queues(self, topic: str) -> Service:
        return self._service("Queue", topic)

    def blobs(self, topic: str) -> Service:
        return self._service("Blob", topic)

    def _service(self, kind: str, topic: str) -> Service:
        by_identity = self._access is not None and f"topic:{topic}" in self._access.book.acts
        key = (kind, topic if by_identity else "")
        if key not in self._known:
            self._known[key] = (
                self._by_identity(kind, topic)
                if by_identity
                else Service(self._string, kind, agent=agents.EVENTS)
            )
        return self._known[key]

    def _by_identity(self, kind: str, topic: str) -> Service:
        access = self._access
        assert access is not None  # noqa: S101  (asked for by an identity of it)
        address = f"{kind}Endpoint={access.book.endpoints[kind.lower()]}"

        def token() -> str:
            return access.token(access.acting(f"topic:{topic}"), STORAGE[0])[0]

        return Service(address, kind, token=token, trusted=self._trusted, agent=agents.EVENTS)
