"""The API in this process: over the in-memory world, with keys, and with a tenant of our own making."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import azure.functions as func
import jwt
from azure.functions.http import HttpRequest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from flow.world import World
from pydantic import SecretStr

from functions.http.api_versions import newest
from functions.http.app import assemble
from functions.http.auth.credentials import Credentials
from functions.http.auth.scopes import Scope
from functions.http.auth.sessions import Sessions
from functions.http.auth.tokens import EntraTokens, SigningKeys
from shared.settings import Settings

KEYS = {
    Scope.READER: "reader-key-of-the-tests",
    Scope.OPERATOR: "operator-key-of-the-tests",
    Scope.ADMIN: "admin-key-of-the-tests",
}
VERSION = {"api-version": newest().name}
TENANT, AUDIENCE = "5c2dd2f9-4b26-4f8a-8e3f-0d7a2a3b0a11", "c0ffee00-0000-4000-8000-000000000001"
ISSUER = f"https://login.example/{TENANT}/v2.0"


def settings(**chosen: Any) -> Settings:
    needed = {
        "campanha_storage": SecretStr("UseDevelopmentStorage=true"),
        "azure_subscription_id": "s",
        "azure_resource_group": "g",
        "azureml_workspace": "w",
    }
    return Settings(**{**needed, **chosen})


def key(scope: Scope = Scope.READER) -> dict[str, str]:
    """The header that shows the scope's key."""
    return {"x-functions-key": KEYS[scope]}


@dataclass
class Tenant:
    """A Microsoft Entra tenant with one signing key, as far as a token's receiver sees it."""

    private: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    asked: list[str] = field(default_factory=list)
    down: bool = False

    def fetch(self, url: str) -> dict[str, Any]:
        """What the tenant answers at its two public addresses."""
        self.asked.append(url)
        if self.down:
            raise ValueError("no answer")
        if url.endswith("/.well-known/openid-configuration"):
            return {"issuer": ISSUER, "jwks_uri": "https://login.example/keys"}
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key()))
        return {"keys": [{**public, "kid": "k1", "use": "sig"}]}

    def token(self, *, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A good token for a reader, but for what the test changes."""
        now = int(time.time())
        body = {"iss": ISSUER, "aud": AUDIENCE, "tid": TENANT, "sub": "s", "oid": "o", "roles": ["Reader"]}
        body |= {"iat": now, "nbf": now - 5, "exp": now + 600, **claims}
        return jwt.encode(body, self.private, algorithm="RS256", headers={"kid": "k1", **(headers or {})})


def credentials(tenant: Tenant | None = None) -> Credentials:
    tokens = EntraTokens(TENANT, AUDIENCE, SigningKeys(ISSUER, tenant.fetch)) if tenant else None
    return Credentials(KEYS, Sessions(KEYS, seconds=3600), tokens)


def app_over(world: World, *, tenant: Tenant | None = None, **chosen: Any) -> FastAPI:
    services, api = world.services, FakeModelApi()
    return assemble(settings(**chosen), credentials(tenant), lambda: services, lambda: api)


@dataclass
class FakeModelApi:
    """A model endpoint that says `call`, or what the test wants."""

    status: int = 200
    body: bytes = b'{"model": "bank", "version": "1", "probability": [0.5], "decision": ["call"]}'
    asked: list[tuple[str, bytes]] = field(default_factory=list)

    def score(self, endpoint: str, body: bytes) -> tuple[int, bytes]:
        self.asked.append((endpoint, body))
        return self.status, self.body

    def swagger(self, endpoint: str) -> dict[str, Any]:
        return {"swagger": "2.0", "host": endpoint}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


class Client:
    """Asks the app as the Functions host does: through the ASGI adapter, with whole bodies."""

    def __init__(self, app: FastAPI, headers: Mapping[str, str]) -> None:
        self.app, self.headers = app, headers
        self._adapter = func.AsgiMiddleware(app)

    def get(self, path: str, **more: Any) -> Answer:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> Answer:
        return self.request("POST", path, **more)

    def request(self, method: str, path: str, **more: Any) -> Answer:
        return asyncio.run(self.ask(method, path, **more))

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        content: bytes = b"",
    ) -> Answer:
        """`body` goes as JSON, `content` as it is. The api-version is said unless `params` are given."""
        query = urlencode(VERSION if params is None else params, doseq=True)
        told = {"host": HOST, **self.headers, **(headers or {})}
        if body is not None:
            content = json.dumps(body).encode()
            told.setdefault("content-type", "application/json")
        if content:
            told["content-length"] = str(len(content))
        request = HttpRequest(
            method,
            f"http://{HOST}{quote(path, safe='/%')}{'?' * bool(query)}{query}",
            headers={name: value for name, value in told.items() if value},
            params={},
            route_params={},
            body_type="bytes",
            body=content,
        )
        answer = await self._adapter.handle_async(request)
        found = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, found, answer.get_body())


HOST = "campanha.test"


def client_of(app: FastAPI, *, scope: Scope | None = Scope.READER) -> Client:
    """Asks with the key of that scope."""
    return Client(app, key(scope) if scope else {})
