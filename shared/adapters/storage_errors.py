"""What the storage SDKs (blobs, tables, queues) raise, turned into our errors: once, here."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from azure.core.exceptions import AzureError, HttpResponseError

from shared.errors import Refused, Transient

ERROR = 400
"""From here on a status says that something went wrong; below it the answer was cut off or could not be read."""

REMEDIES = {
    "BlobArchived": "set its access tier to Hot or Cool, and retry once it is rehydrated",
    "BlobBeingRehydrated": "retry once it is rehydrated",
    "AuthorizationPermissionMismatch": "give the app's identity its role on this storage",
    "AuthorizationFailure": "let the app through the storage account's firewall",
}
"""What to do about an answer that comes again until somebody does something, by the service's own word for it.

source: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes"""


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
        code = _code(cause)
        remedy = f"; {REMEDIES[code]}" if code in REMEDIES else ""
        raise kind(f"{who} answered {status} {code}{remedy}") from cause
    except AzureError as cause:
        raise Transient(f"{who} does not answer") from cause


def _code(cause: HttpResponseError) -> str:
    """The service's own word for it where it says one: `ContainerBeingDeleted` says more than `Conflict`."""
    headers = getattr(cause.response, "headers", {})
    return str(headers.get("x-ms-error-code") or cause.reason)
