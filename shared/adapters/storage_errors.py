"""What the storage SDKs (blobs, tables, queues) raise, turned into our errors: once, here."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from azure.core.exceptions import AzureError, HttpResponseError

from shared.errors import Refused, Transient

ERROR = 400
"""From here on a status says that something went wrong; below it the answer was cut off or could not be read."""


@contextmanager
def answering(who: str, *, refuses: Collection[int] = ()) -> Iterator[None]:
    """Runs a call of an SDK; what a step catches of it is ours.

    who: the service, as the beginning of a sentence
    refuses: statuses that come again however often one tries. Few do: a role, a key or a container that is
    not there yet may be there in a minute.
    raises: Refused, Transient
    """
    try:
        yield
    except HttpResponseError as cause:
        status = cause.status_code or 0
        if status < ERROR:
            raise Transient(f"{who} did not answer whole") from cause
        kind = Refused if status in refuses else Transient
        raise kind(f"{who} answered {status} {_code(cause)}") from cause
    except AzureError as cause:
        raise Transient(f"{who} does not answer") from cause


def _code(cause: HttpResponseError) -> str:
    """The service's own word for it where it says one: `ContainerBeingDeleted` says more than `Conflict`."""
    headers = getattr(cause.response, "headers", {})
    return str(headers.get("x-ms-error-code") or cause.reason)
