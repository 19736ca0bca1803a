"""The smoke test of a deployment: does the release that was deployed answer, is it closed, is it whole, does it work?"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from commands.client.status_api import VERSION, Client
from commands.deployment import canary
from commands.deployment.patience import Answer, Patience
from commands.deployment.target import Target
from commands.packaging.manifest import APPS, Manifest
from commands.stack.errors import StackError
from shared.package_data import CHECKOUT

OPEN = {("post", "/api/session"), ("delete", "/api/session")}
"""Operations that need no credential: with them a person signs in, and out."""
UNAUTHENTICATED = 401
NOBODY_THERE = (502, 503, 504)
"""A gateway's answers, not the app's."""
ANSWER_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found."""

    check: str
    passed: bool
    said: str


def smoke(target: Target, manifest: Manifest, patience: Patience) -> Iterator[Finding]:
    """Each check as it ends, until one fails: what comes after it would only wait for the same."""
    client = target.client()
    checks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("answers", lambda: _answers(client, manifest, patience)),
        ("closed", lambda: _is_closed(client, patience)),
        ("whole", lambda: _is_whole(target, manifest)),
        ("works", lambda: _works(target, manifest, patience)),
    )
    for name, check in checks:
        try:
            said = check()
        except Failed as fault:
            yield Finding(check=name, passed=False, said=str(fault))
            return
        yield Finding(check=name, passed=True, said=said)


class Failed(Exception):
    """What a check expected, and what it found."""


def _answers(client: Client, manifest: Manifest, patience: Patience) -> str:
    """Health is not `fail`, and it is this release that says so."""
    last = "nothing answered"

    def look() -> str | None:
        nonlocal last
        try:
            told = client.get("health")
        except StackError as problem:
            last = str(problem)
            return None
        last = f"release {told.get('releaseId', CHECKOUT)} answers, and its health is {told['status']}"
        return last if told.get("releaseId") == manifest.release and told["status"] != "fail" else None

    found = patience.until_there(look)
    if found is None:
        raise Failed(f"release {manifest.release} did not answer in {patience.minutes:g} minutes: {last}")
    return found


def _is_closed(client: Client, patience: Patience) -> str:
    """No operation of the description is done for a caller without a credential."""
    import requests

    told = _answered(patience, "the API's description", lambda: client.get("openapi.json"), StackError)
    described = told["paths"]
    operations = [
        (method, path)
        for path, item in described.items()
        for method in item
        if method in ("get", "put", "post", "delete", "patch") and (method, path) not in OPEN
    ]
    if not operations:
        raise Failed("the API's description has no operations")
    anybody = requests.Session()
    anybody.trust_env = False
    for method, path in operations:
        address = f"{client.url}{'/'.join('x' if '{' in part else part for part in path.split('/'))}"

        def ask(method: str = method, address: str = address) -> int:
            answer = anybody.request(
                method,
                address,
                params={"api-version": VERSION},
                timeout=ANSWER_SECONDS,
                allow_redirects=False,
            )
            if answer.status_code in NOBODY_THERE:
                raise requests.ConnectionError(f"a gateway answers {answer.status_code}")
            return answer.status_code

        status = _answered(patience, f"{method.upper()} {path}", ask, requests.RequestException)
        if status != UNAUTHENTICATED:
            raise Failed(f"{method.upper()} {path} answered {status} without a credential")
    return f"{len(operations)} operations answer {UNAUTHENTICATED} without a credential"


def _answered(
    patience: Patience, what: str, ask: Callable[[], Answer], unanswered: type[Exception]
) -> Answer:
    """What is answered once anything is: a connection that is dropped says nothing of the app. raises: Failed"""
    last = ""

    def look() -> Answer | None:
        nonlocal last
        try:
            return ask()
        except unanswered as problem:
            last = str(problem)
            return None

    found = patience.until_there(look)
    if found is None:
        raise Failed(f"{what} was not answered in {patience.minutes:g} minutes: {last}")
    return found


def _is_whole(target: Target, manifest: Manifest) -> str:
    """A deployment may be green, and its app without functions."""
    found = target.functions()
    missing = {app: sorted(set(manifest.functions[app]) - found[app]) for app in APPS}
    if any(missing.values()):
        told = "; ".join(f"`{app}` lacks {', '.join(names)}" for app, names in missing.items() if names)
        raise Failed(told)
    return f"{sum(len(manifest.functions[app]) for app in APPS)} functions are there"


def _works(target: Target, manifest: Manifest, patience: Patience) -> str:
    """A canary file comes to its report, by the new code: instances of the old may go on for a while."""
    storage, end = target.storage(), patience.clock() + 60 * patience.minutes
    while True:
        sung = canary.sing(storage, f"smoke-{secrets.token_hex(6)}", patience)
        if sung is None:
            raise Failed(f"nothing was heard of the canary in {patience.minutes:g} minutes")
        if sung.release == manifest.release:
            return f"the canary went round, by release {sung.release}: {sung.reason}"
        if patience.clock() > end:
            raise Failed(f"the canary still goes round by release {sung.release or CHECKOUT}")
        patience.sleep(patience.look)
