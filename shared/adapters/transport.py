"""How the SDKs' clients reach one server: by what the environment says of proxies and certificates at the start.

Left to itself `requests` reads the environment anew before each request, a tenth of what a small call costs.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from azure.core.pipeline.transport import RequestsTransport
from requests.utils import get_environ_proxies

CONNECT_SECONDS = 20
READ_SECONDS = 60


class HasUrl(Protocol):
    @property
    def url(self) -> str: ...


Client = TypeVar("Client", bound=HasUrl)


def settled(make: Callable[..., Client]) -> Client:
    """The client that `make` makes of an SDK's options, with its transport settled for the server it talks to."""
    return make(**settled_transport(make().url))


def settled_transport(url: str) -> dict[str, Any]:
    """Options for the client of an Azure SDK that talks to this server alone."""
    certificates = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    transport = RequestsTransport(
        use_env_settings=False,
        connection_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        connection_verify=certificates,
    )
    return {"transport": transport, "proxies": get_environ_proxies(url)}
