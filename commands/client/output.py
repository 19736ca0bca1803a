"""What the commands over the API print in common: JSON for programs, a record's values and an action's end for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from commands.client import states, tables
from commands.client.status_api import Client, Json
from commands.client.target import BAD, FINE
from shared.kinds import KINDS

HIDDEN = {"links", "history", "kind", "seq", "etag"} | {
    part.wire_name for kind in KINDS for part in kind.parts if part.inner
}
"""What is left out where a record's values are printed: what programs need, and what is more than a value."""


def as_json(answer: Any) -> None:
    print(json.dumps(answer, indent=1, ensure_ascii=False))


def listing(
    title: str, records: Sequence[Mapping[str, Any]], columns: Sequence[str], *, given_json: bool
) -> int:
    """A list: always fine, even when empty."""
    if given_json:
        as_json({"value": list(records)})
    else:
        tables.show(title, records, columns)
    return FINE


def values(record: Mapping[str, Any]) -> None:
    """One record, value under value."""
    rows = [{"what": tables.words(name), "value": _written(name, value)} for name, value in record.items()
            if name not in HIDDEN and value not in (None, "", [])]  # fmt: skip
    tables.show(f"{str(record.get('kind', '')).capitalize()} {record.get('id', '')}", rows, ("what", "value"))


def _written(name: str, value: Any) -> str:
    if name in tables.MOMENTS and isinstance(value, str):
        return f"{tables.ago(value)}  ({value})"
    if name in ("sizeBytes", "scoredBytes") and isinstance(value, int):
        return f"{tables.size(value)}  ({value:,})"
    return tables.text(value)


def end_of(record: Mapping[str, Any]) -> int:
    """The exit code that a record's state deserves."""
    return BAD if states.is_bad(record) else FINE


def acted(
    client: Client,
    path: str,
    *,
    query: Json | None = None,
    reason: str | None = None,
    more: Json | None = None,
    given_json: bool,
    done: str,
) -> int:
    """Ask for an action, follow it, say how it ended. more: what the request's body says beside the reason"""
    body = {**(more or {}), **({"reason": reason} if reason else {})}
    operation = client.act(path, body or None, query=query)
    if given_json:
        as_json(operation)
    else:
        print(operation.get("detail") or done)
        if operation.get("status") in ("NotStarted", "Running"):
            print("It is not over yet: `./dev watch` shows how it goes on.")
    return FINE
