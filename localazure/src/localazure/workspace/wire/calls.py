"""What handlers take and give: a call, a reply, a refusal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localazure.access.policy import Identity

Json = dict[str, Any]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")


@dataclass(kw_only=True)
class Call:
    """One HTTP request, its path already matched against the route table."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    names: dict[str, str] = field(default_factory=dict)
    caller: Identity | None = None
    """Who signed in, where that is asked."""
    name_ignored: bool = False
    """Whether a job gets a name of the service's own, whatever the caller chose."""
    operation_fails: str | None = None
    """Asked for by a fault: the long-running operation this call begins ends badly, with this message."""

    def json(self) -> Json:
        """The body as an object; an empty body is an empty object."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError as cause:
            raise Refusal(400, "BadRequest", f"the body is not JSON: {cause}") from cause
        if not isinstance(value, dict):
            raise Refusal(400, "BadRequest", "the body must be a JSON object")
        return value


def in_view(call: Call, archived: bool) -> bool:
    """Whether a list shows what is (or is not) archived."""
    view = call.query.get("listViewType") or "ActiveOnly"
    shown = {"all": (True, False), "archivedonly": (True,), "activeonly": (False,)}.get(view.lower())
    if shown is None:
        raise Refusal(400, "UserError", f"listViewType {view!r}: ActiveOnly, ArchivedOnly or All")
    return archived in shown


def check_query(call: Call, *known: str) -> None:
    """Refuses what would narrow or order a list and is not looked at."""
    in_view(call, archived=False)
    always = ("api-version", "listViewType")
    unknown = [name for name, value in call.query.items() if value and name not in (*always, *known)]
    if unknown:
        raise Refusal(
            501, "NotImplemented", f"the query parameter {unknown[0]!r} of this list is not emulated"
        )


@dataclass(kw_only=True)
class Reply:
    """One HTTP answer; a dict or list body travels as JSON."""

    status: int = 200
    body: Json | list[Any] | bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()

    @property
    def content_type(self) -> str:
        return (
            "application/octet-stream" if isinstance(self.body, bytes) else "application/json; charset=utf-8"
        )


class Refusal(Exception):
    """An answer in Azure's error shape: `{"error": {"code", "message"}}`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})

    def reply(self) -> Reply:
        body = {"error": {"code": self.code, "message": self.message}}
        return Reply(status=self.status, body=body, headers=self.headers)


class Hangup(Exception):
    """The connection closes without an answer: somebody asked for such a fault."""


def checked_name(name: str, what: str) -> str:
    """Names become parts of paths, so only what Azure allows in them passes."""
    if not _NAME.fullmatch(name):
        raise Refusal(
            400, "UserError", f"{name!r} cannot be the name of a {what}: letters, digits, - _ . only"
        )
    return name


def not_found(what: str, name: str) -> Refusal:
    return Refusal(404, "ResourceNotFound", f"there is no {what} {name!r} in this workspace")


def listing(values: list[Json]) -> Reply:
    """Azure's list shape; everything fits one page here."""
    return Reply(body={"value": values})
