"""Which action a request to blob, queue or table storage needs, and on what.

source: https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from localazure.access.policy import Need

PREFIX = "Microsoft.Storage/storageAccounts"
CONTAINERS = f"{PREFIX}/blobServices/containers"
BLOBS = f"{CONTAINERS}/blobs"
QUEUES = f"{PREFIX}/queueServices/queues"
MESSAGES = f"{QUEUES}/messages"
TABLES = f"{PREFIX}/tableServices/tables"
ENTITIES = f"{TABLES}/entities"
DELEGATION = f"{PREFIX}/blobServices/generateUserDelegationKey/action"
_DATA = (BLOBS, MESSAGES, ENTITIES)

Ways = tuple[tuple[str, ...], ...]
"""Actions that a call needs: all of one of the ways."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What of a request says what it does."""

    method: str
    path: str
    """Behind the account, still percent-encoded: `/container/blob`."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By names in lower case."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A request, by the name that Azure's documentation has for it."""

    name: str
    ways: Ways
    on: str = ""
    """The container, queue or table; empty for the account."""


class Unknown(Exception):
    """Azure's table of operations, as it is here, has no such request."""


def needs(operation: Operation, service: str, account: str) -> tuple[tuple[Need, ...], ...]:
    """service: blob, queue or table. account: its resource id, or that of the account the container belongs to"""
    kind = {"blob": "containers", "queue": "queues", "table": "tables"}[service]
    resource = f"{account}/{service}Services/default/{kind}/{operation.on}" if operation.on else account
    return tuple(
        tuple(Need(action, resource, action.startswith(_DATA)) for action in way) for way in operation.ways
    )


def operation(service: str, request: Request) -> Operation:
    """raises: Unknown"""
    return {"blob": _blob, "queue": _queue, "table": _table}[service](request)


# --- blobs ----------------------------------------------------------------------------------------------------

_ANY = "*"
_ACCOUNT_BLOB = {("GET", "list"): ("List Containers", f"{CONTAINERS}/read"),
                 ("POST", "userdelegationkey"): ("Get User Delegation Key", DELEGATION)}  # fmt: skip
_CONTAINER = {
    ("GET", ""): ("Get Container Properties", f"{CONTAINERS}/read"),
    ("HEAD", ""): ("Get Container Properties", f"{CONTAINERS}/read"),
    ("GET", "metadata"): ("Get Container Metadata", f"{CONTAINERS}/read"),
    ("HEAD", "metadata"): ("Get Container Metadata", f"{CONTAINERS}/read"),
    ("GET", "list"): ("List Blobs", f"{BLOBS}/read"),
    ("PUT", ""): ("Create Container", f"{CONTAINERS}/write"),
    ("PUT", "metadata"): ("Set Container Metadata", f"{CONTAINERS}/write"),
    ("PUT", "lease"): ("Lease Container", f"{CONTAINERS}/write"),
    ("DELETE", ""): ("Delete Container", f"{CONTAINERS}/delete"),
    ("GET", "blobs"): ("Find Blobs by Tags", f"{BLOBS}/filter/action"),
}
_BLOB = {
    ("GET", ""): ("Get Blob", f"{BLOBS}/read"),
    ("HEAD", ""): ("Get Blob Properties", f"{BLOBS}/read"),
    ("GET", "metadata"): ("Get Blob Metadata", f"{BLOBS}/read"),
    ("HEAD", "metadata"): ("Get Blob Metadata", f"{BLOBS}/read"),
    ("GET", "blocklist"): ("Get Block List", f"{BLOBS}/read"),
    ("GET", "tags"): ("Get Blob Tags", f"{BLOBS}/tags/read"),
    ("PUT", "tags"): ("Set Blob Tags", f"{BLOBS}/tags/write"),
    ("PUT", ""): ("Put Blob", f"{BLOBS}/write"),
    ("PUT", "block"): ("Put Block", f"{BLOBS}/write"),
    ("PUT", "blocklist"): ("Put Block List", f"{BLOBS}/write"),
    ("PUT", "properties"): ("Set Blob Properties", f"{BLOBS}/write"),
    ("PUT", "metadata"): ("Set Blob Metadata", f"{BLOBS}/write"),
    ("PUT", "lease"): ("Lease Blob", f"{BLOBS}/write"),
    ("PUT", "copy"): ("Abort Copy Blob", f"{BLOBS}/write"),
    ("DELETE", ""): ("Delete Blob", f"{BLOBS}/delete"),
}


def _blob(request: Request) -> Operation:
    container, _, name = request.path.strip("/").partition("/")
    asked = (request.method, request.query.get("comp", ""))
    if not container:
        return _listed(_ACCOUNT_BLOB, asked)
    container = unquote(container)
    if request.query.get("restype") == "container" or not name:
        return _listed(_CONTAINER, asked, container)
    found = _listed(_BLOB, asked, container)
    if asked != ("PUT", ""):
        return found
    if "x-ms-copy-source" in request.headers:
        return Operation(name="Copy Blob", ways=((f"{BLOBS}/write", f"{BLOBS}/read"),), on=container)
    if request.headers.get("if-none-match") == _ANY:
        return Operation(name=found.name, ways=(*found.ways, (f"{BLOBS}/add/action",)), on=container)
    return found


# --- queues ---------------------------------------------------------------------------------------------------

_ADDS: Ways = ((f"{MESSAGES}/add/action",), (f"{MESSAGES}/write",))
_PROCESSES = f"{MESSAGES}/process/action"


def _queue(request: Request) -> Operation:
    parts = [unquote(part) for part in request.path.strip("/").split("/") if part]
    comp = request.query.get("comp", "")
    if not parts:
        return _listed({("GET", "list"): ("List Queues", f"{QUEUES}/read")}, (request.method, comp))
    queue = parts[0]
    if parts[1:2] == ["messages"]:
        return _message(request, queue, one=len(parts) > 2)
    table = {
        ("PUT", ""): ("Create Queue", f"{QUEUES}/write"),
        ("PUT", "metadata"): ("Set Queue Metadata", f"{QUEUES}/write"),
        ("GET", "metadata"): ("Get Queue Metadata", f"{QUEUES}/read"),
        ("HEAD", "metadata"): ("Get Queue Metadata", f"{QUEUES}/read"),
        ("DELETE", ""): ("Delete Queue", f"{QUEUES}/delete"),
    }
    return _listed(table, (request.method, comp), queue)


def _message(request: Request, queue: str, *, one: bool) -> Operation:
    if request.method == "GET" and request.query.get("peekonly", "").lower() == "true":
        return Operation(name="Peek Messages", ways=((f"{MESSAGES}/read",),), on=queue)
    known: dict[tuple[str, bool], tuple[str, Ways]] = {
        ("POST", False): ("Put Message", _ADDS),
        ("GET", False): ("Get Messages", ((_PROCESSES,), (f"{MESSAGES}/delete", f"{MESSAGES}/read"))),
        ("DELETE", False): ("Clear Messages", ((f"{MESSAGES}/delete",),)),
        ("PUT", True): ("Update Message", ((f"{MESSAGES}/write",),)),
        ("DELETE", True): ("Delete Message", ((_PROCESSES,), (f"{MESSAGES}/delete",))),
    }
    if (request.method, one) not in known:
        raise Unknown(f"{request.method} {request.path}")
    name, ways = known[request.method, one]
    return Operation(name=name, ways=ways, on=queue)


# --- tables ---------------------------------------------------------------------------------------------------

_TABLE = re.compile(r"Tables\('(?P<name>[^']+)'\)")
_ENTITY = re.compile(r"(?P<table>[A-Za-z][A-Za-z0-9]*)\((?P<keys>.*)\)")
_UPSERT: Ways = ((f"{ENTITIES}/write",), (f"{ENTITIES}/add/action", f"{ENTITIES}/update/action"))
_UPDATE: Ways = ((f"{ENTITIES}/write",), (f"{ENTITIES}/update/action",))


def _table(request: Request) -> Operation:
    path = unquote(request.path.strip("/"))
    if path == "Tables":
        return _listed(
            {
                ("GET", ""): ("Query Tables", f"{TABLES}/read"),
                ("POST", ""): ("Create Table", f"{TABLES}/write"),
            },
            (request.method, ""),
        )
    if named := _TABLE.fullmatch(path):
        table = {
            ("DELETE", ""): ("Delete Table", f"{TABLES}/delete"),
            ("GET", ""): ("Query Tables", f"{TABLES}/read"),
        }
        return _listed(table, (request.method, ""), named["name"])
    return _entity(request, path)


def _entity(request: Request, path: str) -> Operation:
    found = _ENTITY.fullmatch(path)
    name = found["table"] if found else path
    is_one = bool(found and found["keys"].strip())
    has_match = "if-match" in request.headers
    known: dict[tuple[str, bool], tuple[str, Ways]] = {
        ("GET", False): ("Query Entities", ((f"{ENTITIES}/read",),)),
        ("GET", True): ("Query Entities", ((f"{ENTITIES}/read",),)),
        ("POST", False): ("Insert Entity", ((f"{ENTITIES}/write",), (f"{ENTITIES}/add/action",))),
        ("PUT", True): ("Update Entity", _UPDATE) if has_match else ("Insert Or Replace Entity", _UPSERT),
        ("DELETE", True): ("Delete Entity", ((f"{ENTITIES}/delete",),)),
    }
    merge = ("Merge Entity", _UPDATE) if has_match else ("Insert Or Merge Entity", _UPSERT)
    known |= {("PATCH", True): merge, ("MERGE", True): merge}
    if (request.method, is_one) not in known:
        raise Unknown(f"{request.method} {request.path}")
    what, ways = known[request.method, is_one]
    return Operation(name=what, ways=ways, on=name)


_BATCHED = re.compile(rb"^(GET|POST|PUT|PATCH|MERGE|DELETE) (\S+) HTTP/1\.1\r?$", re.MULTILINE)
_MATCHES = re.compile(rb"^if-match:", re.MULTILINE | re.IGNORECASE)


def is_batch(service: str, request: Request) -> bool:
    return service == "table" and request.path.strip("/") == "$batch"


def batched(body: bytes, account: str) -> Sequence[Request]:
    """The requests inside an entity group transaction."""
    starts = [*_BATCHED.finditer(body)]
    ends = [start.start() for start in starts[1:]] + [len(body)]
    found = []
    for start, end in zip(starts, ends, strict=True):
        address = start[2].decode()
        path = re.sub(r"^https?://[^/]+", "", address).partition("?")[0]
        headers = {"if-match": "*"} if _MATCHES.search(body, start.end(), end) else {}
        found.append(
            Request(
                method=start[1].decode(), path=path.removeprefix(f"/{account}"), query={}, headers=headers
            )
        )
    return found


def _listed(
    table: Mapping[tuple[str, str], tuple[str, str]], asked: tuple[str, str], on: str = ""
) -> Operation:
    if asked not in table:
        raise Unknown(f"{asked[0]} {on} comp={asked[1]!r}")
    name, action = table[asked]
    return Operation(name=name, ways=((action,),), on=on)
