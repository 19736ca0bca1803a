"""Audit entries as a hash chain: each carries the hash of the one before, so that none can be changed unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

Value = dict[str, Any]
START = "0" * 64
"""What the first entry has for the one before it."""


def chained(entry: Value, before: Value | None) -> Value:
    """The entry with the hash of the one before it, and its own over all of that."""
    body = {**entry, "previousHash": before["hash"] if before else START}
    return {**body, "hash": _hash(body)}


def broken_at(entries: Iterable[Value]) -> int | None:
    """The place of the first entry that is not what it was, or does not follow the one before; None when all is well.

    entries: the oldest first, from the very first one
    """
    expected = START
    for number, entry in enumerate(entries):
        body = {name: value for name, value in entry.items() if name != "hash"}
        if body.get("previousHash") != expected or entry.get("hash") != _hash(body):
            return number
        expected = entry["hash"]
    return None


def _hash(body: Value) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
