"""/api/session: signing in to the dashboard: a key is shown once, and a cookie stands for it from then on."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from functions.http.auth.callers import NotAdmitted
from functions.http.auth.credentials import Credentials
from functions.http.auth.scopes import Label
from functions.http.auth.sessions import COOKIE
from functions.http.dependencies.request_context import AskedBy
from functions.http.problems import Problem
from functions.http.responses import problems

UNAUTHENTICATED: dict[str, Any] = {"security": []}


class SignInRequest(BaseModel):
    """What is shown to sign in."""

    key: str = Field(min_length=1, max_length=200, description="A key.", examples=["(a key)"])


class Session(BaseModel):
    """Who is signed in, for how much."""

    scope: Label = Field(description="What the credential opens.", examples=["reader"])


def router(credentials: Credentials) -> APIRouter:
    """What is done with a session: begun, looked at, ended."""
    routes = APIRouter(tags=["session"])

    @routes.get("/api/session")
    def get_session(caller: AskedBy) -> Session:
        """What the credential opens, whichever it is."""
        return Session(scope=caller.scope.label)

    @routes.post("/api/session", responses=problems(422), openapi_extra=UNAUTHENTICATED)
    def create_session(shown: SignInRequest, request: Request, response: Response) -> Session:
        """Sets the cookie of the dashboard for whoever shows a key."""
        try:
            scope = credentials.scope_of(shown.key)
        except NotAdmitted:
            raise Problem(401, "This key opens nothing; ask whoever runs Campanha for one.") from None
        response.set_cookie(
            COOKIE,
            credentials.sessions.begin(scope),
            max_age=credentials.sessions.seconds,
            secure=_is_https(request),
            httponly=True,
            samesite="strict",
        )
        return Session(scope=scope.label)

    @routes.delete("/api/session", status_code=204, openapi_extra=UNAUTHENTICATED)
    def delete_session(request: Request, response: Response) -> None:
        """Takes the cookie away."""
        response.delete_cookie(COOKIE, secure=_is_https(request), httponly=True, samesite="strict")

    return routes


def _is_https(request: Request) -> bool:
    """Over plain http (one machine) a browser would drop a cookie marked Secure."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
