"""The three storage calls the event pump needs, signed with the account key.

The storage SDKs would do the same for twice the memory of this whole process.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import threading
from collections.abc import Mapping
from email.utils import formatdate
from urllib.parse import parse_qsl, urlsplit

from localazure.storage import account

API_VERSION = "2021-12-02"
_SIGNED = (
    "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
    "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
)  # fmt: skip


def _expanded(connection_string: str) -> str:
    """The one connection string that stands for another: Azurite on its own ports."""
    if connection_string.strip().rstrip(";").lower() == "usedevelopmentstorage=true":
        return account.connection_string(account.Ports())
    return connection_string


class StorageUnreachable(Exception):
    """Storage did not answer, or answered 5xx: worth trying again."""


class Answer:
    """A reply of the storage service: its status and its headers, lower case."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self.headers = headers


class Service:
    """One service (blob or queue) of a storage account, over one kept connection a thread."""

    def __init__(self, connection_string: str, service: str) -> None:
        parts = dict(part.split("=", 1) for part in _expanded(connection_string).split(";") if part)
        self._account = parts["AccountName"]
        self._key = base64.b64decode(parts["AccountKey"])
        self.endpoint = parts[f"{service}Endpoint"].rstrip("/")
        address = urlsplit(self.endpoint)
        self._host, self._port, self._prefix = address.hostname or "", address.port, address.path
        self._kept = threading.local()

    def head(self, path: str) -> Answer:
        """The properties of what is at `path` (already percent-encoded)."""
        return self._send("HEAD", path, b"")

    def post(self, path: str, body: bytes) -> Answer:
        """Send an XML body to `path`."""
        return self._send("POST", path, body, {"content-type": "application/xml"})

    def put_blob(self, path: str, body: bytes) -> Answer:
        """Make a block blob of JSON at `path`."""
        return self._send(
            "PUT", path, body, {"content-type": "application/json", "x-ms-blob-type": "BlockBlob"}
        )

    def _send(self, method: str, path: str, body: bytes, more: Mapping[str, str] | None = None) -> Answer:
        headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": API_VERSION, **(more or {})}
        if body:
            headers["content-length"] = str(len(body))
        target = f"{self._prefix}{path}"
        headers["authorization"] = self._signature(method, target, headers)
        for fresh in (False, True):  # a kept connection may have been closed by the other side
            try:
                connection = self._connection(fresh=fresh)
                connection.request(method, target, body or None, headers)
                reply = connection.getresponse()
                reply.read()
            except (OSError, http.client.HTTPException) as problem:
                if fresh:
                    raise StorageUnreachable(f"{method} {self.endpoint}{path}: {problem!r}") from problem
            else:
                break
        if reply.status >= 500:
            raise StorageUnreachable(f"{method} {self.endpoint}{path} answered {reply.status}")
        return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()})

    def _connection(self, *, fresh: bool) -> http.client.HTTPConnection:
        kept: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        if kept is not None and not fresh:
            return kept
        if kept is not None:
            kept.close()
        made = http.client.HTTPConnection(self._host, self._port, timeout=10)
        self._kept.connection = made
        return made

    def _signature(self, method: str, target: str, headers: Mapping[str, str]) -> str:
        """Source: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key"""
        path, _, query = target.partition("?")
        lines = [method, *(headers.get(name, "") for name in _SIGNED)]
        lines += [f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith("x-ms-")]
        lines.append(f"/{self._account}{path}")
        lines += [f"{name.lower()}:{value}" for name, value in sorted(parse_qsl(query))]
        digest = hmac.new(self._key, "\n".join(lines).encode(), hashlib.sha256).digest()
        return f"SharedKey {self._account}:{base64.b64encode(digest).decode()}"
