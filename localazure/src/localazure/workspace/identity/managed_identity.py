"""The managed-identity endpoints, over plain http: App Service's gives tokens to who knows its secret, a virtual machine's
(IMDS) to whoever is on the machine, as in Azure; where identities are told apart there is none of the latter."""

from __future__ import annotations

import time
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from localazure.persistent import PersistentHandler
from localazure.workspace.identity.guard import Guard
from localazure.workspace.settings import APPLICATION

IMDS = "/metadata/identity/oauth2/token"


def _refused(error: str, description: str) -> dict[str, str]:
    return {"error": error, "error_description": description}


class IdentityServer(ThreadingHTTPServer):
    """What `ManagedIdentityCredential` talks to, on 127.0.0.1."""

    daemon_threads = True

    def __init__(self, port: int, guard: Guard) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.guard = guard


class _Handler(PersistentHandler):
    server: IdentityServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        resource = query.get("resource", "")
        if parts.path == IMDS:
            self._as_machine(resource, query)
            return
        header, client = self.headers.get("x-identity-header", ""), query.get("client_id", "")
        if parts.path != "/msi/token":
            said = f"tokens are at /msi/token and {IMDS}"
            self._answer_json(404, {"error": {"code": "NotFound", "message": said}})
            return
        granted = self.server.guard.granted(header, resource, client)
        if granted is None:
            said = "X-IDENTITY-HEADER is missing or wrong, or the client_id is another's"
            self._answer_json(401, {"error": {"code": "Unauthorized", "message": said}})
        elif not resource:
            self._answer_json(
                400, {"error": {"code": "BadRequest", "message": "the query names no resource"}}
            )
        else:
            token, end = granted
            told = {
                "access_token": token,
                "expires_on": str(end),
                "resource": resource,
                "token_type": "Bearer",
            }
            self._answer_json(200, told)

    def _as_machine(self, resource: str, query: Mapping[str, str]) -> None:
        """Azure's own errors have no code in an object, as App Service's have."""
        named = any(name in query for name in ("client_id", "object_id", "msi_res_id"))
        granted = self.server.guard.of_machine(resource)
        if self.headers.get("metadata", "").lower() != "true":
            self._answer_json(400, _refused("invalid_request", "Required metadata header not specified"))
        elif not resource:
            self._answer_json(400, _refused("invalid_request", "Required audience parameter not specified"))
        elif granted is None or (named and query.get("client_id") != APPLICATION):
            self._answer_json(400, _refused("invalid_request", "Identity not found"))
        else:
            token, end = granted
            seconds = str(end - int(time.time()))
            told = {
                "access_token": token,
                "expires_in": seconds,
                "expires_on": str(end),
                "resource": resource,
            }
            self._answer_json(200, told | {"token_type": "Bearer", "client_id": APPLICATION})

    def log_message(self, format: str, *values: object) -> None:
        """Silent: tokens are asked for often."""
