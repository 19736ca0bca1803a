"""The managed-identity endpoint of App Service, over plain http: gives tokens to who knows its secret."""

from __future__ import annotations

import json
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from localazure.persistent import PersistentHandler
from localazure.workspace.identity.guard import Guard


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
        header, client = self.headers.get("x-identity-header", ""), query.get("client_id", "")
        if parts.path != "/msi/token":
            self._reply(404, {"error": {"code": "NotFound", "message": "tokens are at /msi/token"}})
            return
        granted = self.server.guard.granted(header, resource, client)
        if granted is None:
            said = "X-IDENTITY-HEADER is missing or wrong, or the client_id is another's"
            self._reply(401, {"error": {"code": "Unauthorized", "message": said}})
        elif not resource:
            self._reply(400, {"error": {"code": "BadRequest", "message": "the query names no resource"}})
        else:
            token, end = granted
            told = {
                "access_token": token,
                "expires_on": str(end),
                "resource": resource,
                "token_type": "Bearer",
            }
            self._reply(200, told)

    def _reply(self, status: int, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Silent: tokens are asked for often."""
