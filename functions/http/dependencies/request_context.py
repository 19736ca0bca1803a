"""What routes are handed: the services, and the caller."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from functions.http.auth.callers import Caller
from shared.services import Services


def _services(request: Request) -> Services:
    made: Services = request.app.state.services()
    return made


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


Wired = Annotated[Services, Depends(_services)]
AskedBy = Annotated[Caller, Depends(_caller)]
