"""The managed-identity endpoint of App Service, over plain http: gives tokens to who knows its secret."""

from __future__ import annotations

import hmac
import json
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from localazure.persistent import PersistentHandler
from localazure.workspace.identity.issuer import Issuer


class IdentityServer(ThreadingHTTPServer):
    """What `ManagedIdentityCredential` talks to, on 127.0.0.1."""

    daemon_threads = True

    def __init__(self, port: int, issuer: Issuer) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.issuer = issuer


class _Handler(PersistentHandler):
    server: IdentityServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        resource = parse_qs(parts.query).get("resource", [""])[0]
        if parts.path != "/msi/token":
            self._reply(404, {"error": {"code": "NotFound", "message": "tokens are at /msi/token"}})
        elif not hmac.compare_digest(self.headers.get("x-identity-header", ""), self.server.issuer.secret):
            self._reply(
                401, {"error": {"code": "Unauthorized", "message": "X-IDENTITY-HEADER is missing or wrong"}}
            )
        elif not resource:
            self._reply(400, {"error": {"code": "BadRequest", "message": "the query names no resource"}})
        else:
            token, end = self.server.issuer.token(resource)
            self._reply(
                200,
                {"access_token": token, "expires_on": str(end), "resource": resource, "token_type": "Bearer"},
            )

    def _reply(self, status: int, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Silent: tokens are asked for often."""
