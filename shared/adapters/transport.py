"""HTTP transport of the Azure SDKs: proxies and certificates read once, each request sent as the SDK prepared it.

Left to itself `requests` reads the environment anew before each request, and makes each ready that an SDK has made
ready: together a third of the processor time of a small call.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import requests
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies
from urllib3.util import Retry

from shared.adapters.storage_clock import StorageClock

CONNECT_SECONDS = 20
READ_SECONDS = 60


class HasUrl(Protocol):
    @property
    def url(self) -> str: ...


Client = TypeVar("Client", bound=HasUrl)


def settled(make: Callable[..., Client], clock: StorageClock | None = None) -> Client:
    """The client that `make` makes of an SDK's options, with its transport settled for the server it talks to.

    clock: is told the time of each answer
    """
    return make(**settled_transport(make().url, clock))


def settled_transport(url: str, clock: StorageClock | None = None) -> dict[str, Any]:
    """Options for the client of an Azure SDK that talks to this server alone."""
    certificates = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    transport = RequestsTransport(
        session=StraightSession(clock),
        connection_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        connection_verify=certificates,
    )
    return {"transport": transport, "proxies": get_environ_proxies(url)}


class StraightSession(requests.Session):
    """Sends an SDK's request as it is: its address is quoted, its headers are whole, it needs no cookies.

    `Session.request` would merge each with what the session has by default, and quote the address again.
    """

    def __init__(self, clock: StorageClock | None = None) -> None:
        super().__init__()
        self._storage_clock = clock
        self.trust_env = False
        # As azure.core has it: the SDK's own policy tries again, and needs the first failure as it was.
        retries = Retry(total=False, redirect=False, raise_on_status=False)
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(max_retries=retries))

    def request(  # type: ignore[override]
        self, method: str, url: str, *, stream: bool = False, **given: Any
    ) -> requests.Response:
        """The answer. A body that is not bytes or text (a file, a form) takes the long way."""
        body = given.pop("data", None)
        if given.get("files") or not isinstance(body, bytes | str | None):
            return super().request(method, url, data=body, stream=stream, **given)
        ready = self._ready(method, url, given.pop("headers"), body)
        how = {name: given[name] for name in ("timeout", "verify", "cert", "proxies")}
        answer = self._sent(url, ready, stream=stream, **how)
        if not stream:
            _ = answer.content  # read to its end, so that its connection is free again
        return answer

    def _sent(self, url: str, ready: requests.PreparedRequest, **how: Any) -> requests.Response:
        clock = self._storage_clock
        if clock is None:
            return self.get_adapter(url).send(ready, **how)
        started = clock.started()
        answer = self.get_adapter(url).send(ready, **how)
        clock.heard(answer.headers.get("Date"), started=started)
        return answer

    def _ready(
        self, method: str, url: str, headers: Any, body: bytes | str | None
    ) -> requests.PreparedRequest:
        made = requests.PreparedRequest()
        made.method, made.url, made.hooks = method, url, default_hooks()
        made.headers = CaseInsensitiveDict({**self.headers, **headers})
        made.body = (body.encode() if isinstance(body, str) else body) or None
        if made.body or method not in ("GET", "HEAD"):
            made.headers["Content-Length"] = str(len(made.body or b""))
        return made
