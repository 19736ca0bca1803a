"""Calls to blob and queue storage, by the account's key or by a token: what the event pump and the host need of it.

The storage SDKs would do the same for ten times the time a call and twice the memory of the pump.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import os
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import cached_property
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from localazure.storage import account

API_VERSION = "2021-12-02"
SECONDS = 20.0
_SIGNED = (
    "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
    "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
)  # fmt: skip


class StorageUnreachable(Exception):
    """Storage did not answer, or answered 5xx: worth trying again."""


@dataclass(frozen=True)
class Answer:
    """A reply of the storage service; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def code(self) -> str:
        """Azure's name for what went wrong."""
        return self.headers.get("x-ms-error-code", "no error code")


Token = Callable[[], str]
"""Gives an access token for storage."""


class Service:
    """One service (Blob or Queue) of the account that a connection string names; connections are kept open."""

    def __init__(
        self,
        connection_string: str,
        service: str,
        *,
        token: Token | None = None,
        trusted: Path | None = None,
        agent: str = "localazure",
    ) -> None:
        """token: signs in, for a connection string that has addresses and no key. trusted: authorities of https
        addresses (default: the machine's, or those that REQUESTS_CA_BUNDLE names). agent: who calls

        raises: ValueError when it is no connection string with a key or a shared access signature
        """
        parts = _parts(connection_string)
        self._token, self._agent = token, agent
        self._trusted = trusted or os.environ.get("REQUESTS_CA_BUNDLE") or None
        self.endpoint = _endpoint(parts, service)
        self._account = parts.get("AccountName", "")
        self._key = base64.b64decode(parts.get("AccountKey", ""))
        self._sas = parts.get("SharedAccessSignature", "").lstrip("?")
        if not token and not self._sas and not (self._account and self._key):
            raise ValueError("it names neither AccountName and AccountKey nor SharedAccessSignature")
        address = urlsplit(self.endpoint)
        self._secure = address.scheme == "https"
        self._host, self._port, self._prefix = address.hostname or "", address.port, address.path
        self._kept = threading.local()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        seconds: float = SECONDS,
    ) -> Answer:
        """What the service answers for `path` (already percent-encoded); raises StorageUnreachable."""
        target = self._prefix + path
        search = "&".join(filter(None, [urlencode(query or {}, quote_via=quote), self._sas]))
        sent = {
            "user-agent": self._agent,
            **(headers or {}),
            "x-ms-date": formatdate(usegmt=True),
            "x-ms-version": API_VERSION,
        }
        if body or method == "PUT":
            sent["content-length"] = str(len(body))
        if self._token:
            sent["authorization"] = f"Bearer {self._token()}"
        elif not self._sas:
            sent["authorization"] = self._signature(method, target, search, sent)
        return self._send(method, f"{target}?{search}" if search else target, sent, body, seconds)

    def _send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> Answer:
        where = f"{method} {self.endpoint}"
        for fresh in (False, True):  # a kept connection may have been closed by the other side
            try:
                connection = self._connection(fresh, seconds)
                connection.request(method, target, body or None, dict(headers))
                reply = connection.getresponse()
                content = reply.read()
            except (OSError, http.client.HTTPException) as problem:
                if fresh:
                    raise StorageUnreachable(f"{where}: {problem!r}") from problem
            else:
                break
        if reply.status >= 500:
            raise StorageUnreachable(f"{where} answered {reply.status}")
        return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, content)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Made once: reading the authorities takes longer than a call, and each thread has connections of its own."""
        return ssl.create_default_context(cafile=self._trusted)

    def _connection(self, fresh: bool, seconds: float) -> http.client.HTTPConnection:
        kept: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        if kept is not None and not fresh:
            return kept
        if kept is not None:
            kept.close()
        made = (
            http.client.HTTPSConnection(
                self._host,
                self._port,
                timeout=seconds,
                context=self._tls,
            )
            if self._secure
            else http.client.HTTPConnection(self._host, self._port, timeout=seconds)
        )
        self._kept.connection = made
        return made

    def _signature(self, method: str, target: str, search: str, headers: Mapping[str, str]) -> str:
        """Source: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key"""
        signed = {**headers, "content-length": headers.get("content-length", "").removeprefix("0")}
        lines = [method, *(signed.get(name, "") for name in _SIGNED)]
        lines += [f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith("x-ms-")]
        lines.append(f"/{self._account}{target}")
        lines += [
            f"{name.lower()}:{value}" for name, value in sorted(parse_qsl(search, keep_blank_values=True))
        ]
        digest = hmac.new(self._key, "\n".join(lines).encode(), hashlib.sha256).digest()
        return f"SharedKey {self._account}:{base64.b64encode(digest).decode()}"


def _parts(connection_string: str) -> dict[str, str]:
    """The fields of a connection string; one word stands for Azurite on its own ports."""
    text = connection_string.strip().rstrip(";")
    if text.lower() == "usedevelopmentstorage=true":
        text = account.connection_string(account.Ports())
    fields = [part.partition("=") for part in text.split(";") if part]
    if not all(separator for _, separator, _ in fields):
        raise ValueError("it has a part that is not NAME=VALUE")
    return {name.strip(): value for name, _, value in fields}


def _endpoint(parts: Mapping[str, str], service: str) -> str:
    if own := parts.get(f"{service}Endpoint"):
        return own.rstrip("/")
    if "AccountName" not in parts:
        raise ValueError(f"it names no {service}Endpoint and no AccountName")
    protocol = parts.get("DefaultEndpointsProtocol", "https")
    suffix = parts.get("EndpointSuffix", "core.windows.net")
    return f"{protocol}://{parts['AccountName']}.{service.lower()}.{suffix}"
