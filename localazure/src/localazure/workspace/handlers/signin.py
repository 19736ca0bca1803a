"""Microsoft Entra, as far as a service principal needs it: where tokens are had, and one for who shows who it is: by a
secret, a certificate's signature, or a token of an issuer that is trusted."""

from __future__ import annotations

import hmac
import time
import uuid
from datetime import UTC, datetime
from urllib.parse import parse_qs

from localazure.access.tokens import TENANT
from localazure.workspace.identity import assertions
from localazure.workspace.settings import APPLICATION
from localazure.workspace.wire.calls import Call, Json, Refusal, Reply
from localazure.workspace.workspace import Workspace

APPLICATIONS = "applications"
_DEFAULT = "/.default"
Reason = tuple[int, str, int, str]
"""Why no token is given: status, error, Entra's number for it, and what to do."""


def configuration(workspace: Workspace, call: Call) -> Reply:
    """Where the tenant's endpoints are: what MSAL looks up first."""
    tenant = call.names["tenant"]
    if tenant != TENANT:
        return _refused(*_another_tenant(tenant))
    base = f"{workspace.settings.base}/{tenant}"
    return Reply(
        body={
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_types_supported": ["token"],
        }
    )


def token(workspace: Workspace, call: Call) -> Reply:
    """A token by the grant `client_credentials`, and no other."""
    form = {name: values[0] for name, values in parse_qs(call.body.decode("utf-8", "replace")).items()}
    refused = _reason_to_refuse(workspace, call.names["tenant"], form)
    if refused:
        return _refused(*refused)
    identity = workspace.guard.of_principal(form["client_id"])
    issued, end = workspace.guard.token(form["scope"].removesuffix(_DEFAULT), identity)
    seconds = end - int(time.time())
    return Reply(
        body={
            "token_type": "Bearer",
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": issued,
        },
        headers={"cache-control": "no-store"},
    )


def _reason_to_refuse(workspace: Workspace, tenant: str, form: dict[str, str]) -> Reason | None:
    grant, scope = form.get("grant_type", ""), form.get("scope", "")
    if tenant != TENANT:
        return _another_tenant(tenant)
    if grant != "client_credentials":
        return (
            400,
            "unsupported_grant_type",
            70003,
            f"The grant '{grant}' is not here; client_credentials is.",
        )
    identity = workspace.guard.of_principal(form.get("client_id", ""))
    if identity is None and (workspace.guard.access or form.get("client_id") != APPLICATION):
        return (
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{form.get('client_id')}' was not found; registered is {APPLICATION}.",
        )
    unproven = _reason_to_doubt(workspace, form, identity.secret if identity else workspace.issuer.secret)
    if unproven:
        return unproven
    if not scope.endswith(_DEFAULT) or " " in scope:
        return 400, "invalid_scope", 1002012, f"The scope '{scope}' is not valid: RESOURCE/.default is."
    return None


def _reason_to_doubt(workspace: Workspace, form: dict[str, str], secret: str) -> Reason | None:
    """Why the application may be another one."""
    if "client_assertion" not in form:
        if hmac.compare_digest(form.get("client_secret", "").encode(), secret.encode()):
            return None
        return 401, "invalid_client", 7000215, "Invalid client secret provided."
    client, assertion = form["client_id"], form["client_assertion"]
    registered = workspace.store.get(APPLICATIONS, client) or {}
    try:
        if form.get("client_assertion_type") != assertions.BEARER:
            raise assertions.BadAssertion(900144, f"client_assertion_type is not {assertions.BEARER}.")
        if assertions.is_own(assertion, client):
            audience = f"{workspace.settings.base}/{TENANT}/oauth2/v2.0/token"
            certificates = registered.get("certificates", ())
            assertions.check_own(assertion, certificates, client=client, audience=audience)
        else:
            assertions.check_federated(assertion, registered.get("federated", ()))
    except assertions.BadAssertion as problem:
        return 401, "invalid_client", problem.number, str(problem)
    return None


def put_application(workspace: Workspace, call: Call) -> Reply:
    """Registers how an application may show who it is: `certificates`, each as PEM, and `federated`, each with `issuer`,
    `subject`, the issuer's public `key` as PEM, and perhaps `audience`; in place of what was registered."""
    given = call.json()
    federated = given.get("federated", [])
    if not all(isinstance(one, dict) and {"issuer", "subject", "key"} <= set(one) for one in federated):
        raise Refusal(400, "BadRequest", "each of `federated` has `issuer`, `subject` and `key`")
    document = {"certificates": given.get("certificates", []), "federated": federated}
    workspace.store.put(APPLICATIONS, call.names["client"], document)
    return Reply(body=document)


def _another_tenant(tenant: str) -> Reason:
    return 400, "invalid_tenant", 90002, f"Tenant '{tenant}' not found; the one here is {TENANT}."


def _refused(status: int, error: str, number: int, what: str) -> Reply:
    """In Entra's own shape, which is not that of Azure's services."""
    told: Json = {
        "error": error,
        "error_description": f"AADSTS{number}: {what}",
        "error_codes": [number],
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ"),
        "trace_id": str(uuid.uuid4()),
        "correlation_id": str(uuid.uuid4()),
    }
    return Reply(status=status, body=told)
