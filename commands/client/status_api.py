"""The status API as any client would use it: conditional, paged, waiting for changes, following operations."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

from commands.stack.errors import StackError
from commands.stack.state import Stack

if TYPE_CHECKING:
    import requests

Json = dict[str, Any]
VERSION = "2026-11-29"
ANSWER_SECONDS = 60.0
WAIT_SECONDS = 50
FOLLOW_SECONDS = 20.0
"""How long an action is followed: a release, say, may be watched for hours."""
PAGE = 200
NOT_FOUND = 404
FINAL = ("Succeeded", "Failed", "Canceled")


class Unreachable(StackError):
    """Nobody answers at the address, or not in time."""


class Refused(StackError):
    """The app answered, and said no; the message is its own."""

    def __init__(self, message: str, *, status: int, code: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Client:
    """One app at `url`, called with one of its keys, or with a token of Microsoft Entra."""

    def __init__(self, url: str, *, key: str | None = None, token: str | None = None) -> None:
        import requests

        self.url = url.rstrip("/")
        self._session = requests.Session()
        credential = {"x-functions-key": key} if key else {"Authorization": f"Bearer {token}"}
        self._session.headers.update({**credential, "Accept": "application/json"})
        if urlsplit(self.url).hostname in ("127.0.0.1", "localhost"):
            self._session.trust_env = False  # no proxy for this machine

    @classmethod
    def of(cls, stack: Stack, scope: str = "operator") -> Client:
        """Of the app in a stack of this machine, with its key for `scope`."""
        return cls(stack.host_url, key=stack.keys[scope])

    def get(self, path: str, **query: Any) -> Json:
        """The JSON at `path`. raises: Unreachable, Refused"""
        return _json(self._answer("GET", path, query=query))

    def known(self, path: str) -> Json:
        """The same; empty when the app knows nothing of that name (yet)."""
        try:
            return self.get(path)
        except Refused as refused:
            if refused.status != NOT_FOUND:
                raise
            return {}

    def listed(self, path: str, *, most: int, **query: Any) -> list[Json]:
        """The newest `most` records of a list, over as many pages as it takes."""
        return [record for page in self._pages(path, most, query) for record in page["value"]]

    def each(self, path: str, **query: Any) -> Iterator[Json]:
        """All records of a list, the newest first; a page is read once somebody wants what is on it."""
        for page in self._pages(path, sys.maxsize, query):
            yield from page["value"]

    def followed(self, path: str, *, most: int, **query: Any) -> Iterator[Json]:
        """The newest `most` records of a list, the oldest of them first; then each that comes, as it comes."""
        pages = [*self._pages(path, max(most, 1), query)]
        yield from reversed([record for page in pages for record in page["value"]][:most])
        place = _place(pages[0])
        while True:
            for page in self.changes(path, deltatoken=place, **query):
                yield from page["value"]
                if page["value"] or "nextLink" in page:
                    place = _place(page)
                    break

    def _pages(self, path: str, most: int, query: Json) -> Iterator[Json]:
        """The list's pages, the newest records first, until they hold `most`."""
        after = None
        while most > 0:
            page = self.get(path, maxpagesize=min(PAGE, most), after=after, **query)
            yield page
            if "nextLink" not in page:
                break
            most -= len(page["value"])
            after = parse_qs(urlsplit(page["nextLink"]).query)["after"][0]

    def changes(self, path: str, *, heartbeat: bool = False, **query: Any) -> Iterator[Json]:
        """What is at `path` now, and again whenever it has changed; the app holds the answer back until then.

        heartbeat: also, as it was, when nothing changed for a while: whoever has a deadline looks at it then
        """
        tag: str | None = None
        found: Json = {}
        while True:
            wait = None if tag is None else WAIT_SECONDS
            began = time.monotonic()
            answer = self._answer(
                "GET", path, query={**query, "wait": wait}, headers={"If-None-Match": tag} if tag else {}
            )
            if answer.status_code != 304:
                tag, found = answer.headers.get("ETag"), _json(answer)
                yield found
            elif heartbeat:
                yield found
            # An app that does not hold answers back must not be polled without a pause.
            time.sleep(max(0.0, min(1.0, _pause(answer)) - (time.monotonic() - began)))

    def act(self, path: str, body: Json | None = None, *, query: Json | None = None) -> Json:
        """Ask for an action once, and follow it to its end, or for `FOLLOW_SECONDS`.

        returns: the operation as it is then; raises: Refused when it failed, Unreachable
        """
        key = {"Idempotency-Key": uuid.uuid4().hex}
        answer = self._answer("POST", path, query=query, json=body or {}, headers=key)
        place = answer.headers.get("Operation-Location")
        return self._followed(urlsplit(place).path.partition("/api/")[2]) if place else _json(answer)

    def post(self, path: str, body: Json) -> Json:
        """Ask and have the answer at once."""
        return _json(self._answer("POST", path, json=body))

    def _followed(self, path: str) -> Json:
        deadline = time.monotonic() + FOLLOW_SECONDS
        while True:
            answer = self._answer("GET", path, quoted=True)
            operation = _json(answer)
            if operation["status"] == "Failed":
                error = operation.get("error") or {}
                message = error.get("message") or error.get("detail") or "it failed; `./dev events` says more"
                raise Refused(message, status=409, code=str(error.get("code", "")))
            if operation["status"] in FINAL or time.monotonic() > deadline:
                return operation
            time.sleep(min(2.0, _pause(answer)))

    def _answer(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, json: Json | None = None,
        headers: Mapping[str, str] | None = None, quoted: bool = False,
    ) -> requests.Response:  # fmt: skip
        import requests

        given = {name: value for name, value in (query or {}).items() if value is not None}
        url = f"{self.url}/api/{path if quoted else quote(path)}"
        seconds = ANSWER_SECONDS + float(given.get("wait", 0))
        try:
            answer = self._session.request(
                method, url, params={**given, "api-version": VERSION}, json=json, headers=dict(headers or {}),
                timeout=seconds, allow_redirects=False,
            )  # fmt: skip
        except requests.RequestException as problem:
            raise Unreachable(f"the app at {self.url} does not answer: {_short(problem)}") from problem
        if answer.status_code >= 300 and answer.status_code != 304:
            raise _refused(self.url, path, answer)
        return answer


def _refused(url: str, path: str, answer: requests.Response) -> StackError:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    detail = str(body.get("detail") or answer.reason)
    code = str(body.get("code", ""))
    if answer.status_code in (502, 503, 504):
        return Unreachable(f"the app at {url} cannot answer now: {detail}")
    if answer.status_code == 401:
        detail = f"the app at {url} does not admit this key or token. Give another: --key, CAMPANHA_KEY or CAMPANHA_TOKEN."
    faults = "".join(
        f"\n  {each.get('location', '')}: {each.get('rule', '')}" for each in body.get("errors") or []
    )
    where = "" if answer.status_code in (401, 404) else f"{path}: "
    return Refused(f"{where}{detail}{faults}", status=answer.status_code, code=code)


def _place(page: Json) -> str:
    """Where a list stood when its page was read: what has come since is listed from there."""
    return parse_qs(urlsplit(page.get("deltaLink") or page["nextLink"]).query)["deltatoken"][0]


def _json(answer: requests.Response) -> Json:
    try:
        found: Json = answer.json()
    except ValueError as cause:
        raise Unreachable(
            f"{answer.url} is no status API: it answers {answer.headers.get('Content-Type')}"
        ) from cause
    return found


def _pause(answer: requests.Response) -> float:
    """Retry-After: seconds until it is worth requesting again."""
    seconds = answer.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdigit() else 1.0


def _short(problem: Exception) -> str:
    """What a person can use of a long chain of causes."""
    text = str(problem)
    for known in (
        "Connection refused",
        "Name or service not known",
        "timed out",
        "certificate verify failed",
    ):
        if known in text:
            return known
    return text[:200]
