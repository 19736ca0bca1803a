"""Whether an identity signs in, and is let in where it must be; and the role that would mend a refusal, with its command.

Everything tried is a look that changes nothing. What can only be written to, or sent to, is named and not tried.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from shared.adapters.http_client import NOT_LET_IN
from shared.adapters.sign_in import credential
from shared.domain.sign_in import sign_in
from shared.errors import ConfigurationError
from shared.resources import assignments as on
from shared.resources.assignments import ASSIGNMENTS, Assignment

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

Verdict = Literal["works", "refused", "no answer", "not tried"]
AUDIENCES = {
    "Azure Resource Manager": "https://management.azure.com/.default",
    "Azure Machine Learning": "https://ml.azure.com/.default",
    "storage": "https://storage.azure.com/.default",
    "Event Grid": "https://eventgrid.azure.net/.default",
}
ARM_API = "2024-04-01"
SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where what is tried lies."""

    arm: str
    workspace: str
    """Its resource id."""
    blobs: str = ""
    queues: str = ""
    tables: str = ""
    """Addresses of the data account; empty where it is opened by its key."""
    resource_id: Callable[[str, str], str]
    """Of what a role is assigned on, by kind and name; as far as it is known."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One thing that was tried, or was not."""

    what: str
    verdict: Verdict
    why: str = ""
    mend: str = ""
    """The command that would."""


def check(variables: Mapping[str, str], identity: str, place: Place) -> Iterator[Tried]:
    """The sign-in first; where it fails nothing more can be tried. identity: by its name in the list of identities"""
    try:
        way = sign_in(variables)
        signed_in = credential(variables)
    except (ConfigurationError, ValueError) as fault:
        yield Tried(what="sign-in", verdict="refused", why=str(fault))
        return
    tokens = [_token(name, audience, signed_in) for name, audience in AUDIENCES.items()]
    yield Tried(
        what="sign-in", verdict="works" if any(token for _, token in tokens) else "refused", why=f"as {way}"
    )
    yield from (tried for tried, _ in tokens)
    token = next((token for _, token in tokens if token), None)
    if token is None:
        return
    for each in ASSIGNMENTS:
        if each.identity.name == identity:
            yield _let_in(each, place, signed_in, _claims(token))


def _token(name: str, audience: str, signed_in: TokenCredential) -> tuple[Tried, str | None]:
    from azure.core.exceptions import AzureError

    what = f"token for {name}"
    try:
        return Tried(what=what, verdict="works"), signed_in.get_token(audience).token
    except (AzureError, ValueError) as problem:
        return Tried(what=what, verdict="refused", why=_first_line(problem)), None


def _let_in(each: Assignment, place: Place, signed_in: TokenCredential, who: Mapping[str, str]) -> Tried:
    from azure.core.exceptions import AzureError, HttpResponseError

    what = f"{each.scope} {each.on} ({each.role})" if each.on != each.scope else f"{each.scope} ({each.role})"
    look = _look(each, place, signed_in)
    if look is None:
        return Tried(what=what, verdict="not tried", why=each.why)
    try:
        look()
    except HttpResponseError as problem:
        if problem.status_code not in NOT_LET_IN:
            return Tried(what=what, verdict="no answer", why=_first_line(problem))
        code = getattr(problem, "error_code", None) or (
            problem.error.code if problem.error else problem.reason
        )
        code = getattr(code, "value", code)
        mend = _command(each.role, place.resource_id(each.scope, each.on), who)
        return Tried(what=what, verdict="refused", why=f"{problem.status_code} {code}: {each.why}", mend=mend)
    except (AzureError, ValueError) as problem:
        return Tried(what=what, verdict="no answer", why=_first_line(problem))
    reads = all(need.endswith("/read") for need in each.needs)
    return Tried(
        what=what, verdict="works", why=each.why if reads else f"{each.why} (reading; no more was tried)"
    )


def _look(each: Assignment, place: Place, signed_in: TokenCredential) -> Callable[[], Any] | None:
    """A call for which the role must be there, and which changes nothing; None where there is none."""
    match each.scope:
        case on.CONTAINER if place.blobs and any(need.endswith("/blobs/read") for need in each.needs):
            return lambda: _blobs(place.blobs, each.on, signed_in)
        case on.QUEUE if place.queues and f"{on.MESSAGES}/read" in each.needs:
            return lambda: _messages(place.queues, each.on, signed_in)
        case on.TABLE if place.tables:
            return lambda: _entities(place.tables, each.on, signed_in)
        case on.WORKSPACE if len(each.needs) > 1:
            return lambda: _workspace(place, signed_in)
    return None


def _blobs(address: str, container: str, signed_in: TokenCredential) -> None:
    from azure.storage.blob import ContainerClient

    client = ContainerClient(address, container, credential=signed_in, retry_total=1)
    next(client.list_blob_names(results_per_page=1, timeout=SECONDS).by_page(), None)


def _messages(address: str, queue: str, signed_in: TokenCredential) -> None:
    from azure.storage.queue import QueueClient

    QueueClient(address, queue, credential=signed_in, retry_total=1).peek_messages(1, timeout=SECONDS)


def _entities(address: str, table: str, signed_in: TokenCredential) -> None:
    from azure.data.tables import TableClient

    client = TableClient(address, table, credential=signed_in, retry_total=1)
    next(client.list_entities(results_per_page=1).by_page(), None)


def _workspace(place: Place, signed_in: TokenCredential) -> None:
    """raises: HttpResponseError, ServiceRequestError"""
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy
    from azure.core.rest import HttpRequest

    sign = BearerTokenCredentialPolicy(signed_in, AUDIENCES["Azure Resource Manager"])
    client: Any = PipelineClient(place.arm, policies=[RetryPolicy(retry_total=1), sign])
    address = f"{place.arm.rstrip('/')}{place.workspace}/batchEndpoints?api-version={ARM_API}"
    client.send_request(HttpRequest("GET", address)).raise_for_status()


def _command(role: str, scope: str, who: Mapping[str, str]) -> str:
    """As it is typed; whoever types it must be allowed to assign roles there."""
    kind = "User" if "upn" in who or "unique_name" in who else "ServicePrincipal"
    return (
        f"az role assignment create --assignee-object-id {who.get('oid', 'OBJECT_ID')}"
        f' --assignee-principal-type {kind} --role "{role}" --scope "{scope}"'
    )


def _claims(token: str) -> dict[str, str]:
    """Of a token that is not looked into further: whose it is."""
    try:
        middle = token.split(".")[1]
        return dict(json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4))))
    except (IndexError, ValueError):
        return {}


def _first_line(problem: Exception) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0][:300]
