"""Idempotency-Key: where a key is stored, and whether a request under it is new, under way, or done already.

    nothing ──first request──▶ begun ──action is under way──▶ done: the same answer from now on
                                 │
                                 └─ the process died, or the attempt failed: a retry goes on with the same operation,
                                    after a minute or at once

What an action makes is named by its operation, so going on with it repeats nothing. The header is the one of the IETF
draft "The Idempotency-Key HTTP Header Field"; a key belongs to the caller who sent it.
"""

from __future__ import annotations

import hashlib
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import Header, Request

from functions.http.problems import Problem
from shared.domain.names import digest
from shared.errors import Conflict, Transient
from shared.ledger import Document, Versioned
from shared.services import Services

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{0,200}$",
        description="A text of one's own for this request: sent again, the answer is the same and nothing is done"
        " twice.",
    ),
]
"""The request's key; empty when it has none."""
TAKEN_FOR_DEAD_AFTER = timedelta(minutes=1)
"""After so long a retry goes on with what the first request began."""


def fingerprint(request: Request, reason: str, content: bytes) -> str:
    """What makes it this request and no other."""
    url = request.url
    line = f"{request.method} {url.path}?{url.query}"
    return digest(f"{line}\n{reason}\n{hashlib.sha256(content).hexdigest()}")


@dataclass(frozen=True, kw_only=True)
class KeyUse:
    """What an idempotency key was used for."""

    state: Literal["begun", "done"]
    fingerprint: str
    operation: str
    at: str
    """When it was last begun; so long before that it is nobody's, once that attempt has failed."""


KEY_USE = Document(name="idempotency-key", type=KeyUse)
"""By the digest of caller and key, within its first digits."""


def begin(key: str, caller: str, fingerprint: str, services: Services) -> Versioned[KeyUse]:
    """The key's document, `done` or ours to go on with; raises: Problem 409 while another is at it, 422 when the key
    was used for something else"""
    documents, now = services.ledger.documents, services.now()
    place = digest(f"{caller}|{key}")
    begun = KeyUse(state="begun", fingerprint=fingerprint, operation=uuid.uuid4().hex, at=now.isoformat())
    try:
        return documents.write(KEY_USE, place, begun, over=None, within=place[:2])
    except Conflict:
        known = documents.read(KEY_USE, place, within=place[:2])
    if known is None:
        raise _in_progress(seconds=1)
    if known.value.operation == begun.operation:
        return known  # it was written, and only its answer was lost
    if known.value.fingerprint != fingerprint:
        detail = "This Idempotency-Key was used for another request; take a new one for each."
        raise Problem(422, detail, code="IdempotencyKeyReused")
    if known.value.state == "done":
        return known
    if now - datetime.fromisoformat(known.value.at) < TAKEN_FOR_DEAD_AFTER:
        raise _in_progress(seconds=2)
    return documents.write(KEY_USE, place, replace(known.value, at=now.isoformat()), over=known)


def finish(use: Versioned[KeyUse], services: Services) -> None:
    """From now on the key gets the same answer."""
    documents = services.ledger.documents
    documents.write(KEY_USE, use.row.row, replace(use.value, state="done"), over=use)


def leave(use: Versioned[KeyUse], services: Services) -> None:
    """The attempt failed, and whoever sends the request again goes on with it at once."""
    at = (datetime.fromisoformat(use.value.at) - TAKEN_FOR_DEAD_AFTER).isoformat()
    with suppress(Transient):  # after a minute it is taken for dead anyway
        services.ledger.documents.write(KEY_USE, use.row.row, replace(use.value, at=at), over=use)


def free(use: Versioned[KeyUse], services: Services) -> None:
    """The request was refused, and nothing came of it: the key may be used again."""
    services.ledger.documents.delete(KEY_USE, use)


def _in_progress(seconds: int) -> Problem:
    headers = {"Retry-After": str(seconds)}
    return Problem(409, "This is being done.", code="IdempotencyKeyInProgress", headers=headers)
