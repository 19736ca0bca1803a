"""Four eyes: whether two names of callers are one and the same who."""

from __future__ import annotations


def is_same_caller(one: str, other: str) -> bool:
    """Names as the API's authentication knows them. All sessions that were begun with a key are that key's; of two people
    who share one, nobody can say that they are two: give each an identity of Entra.

    An empty name is nobody's: what the gate decided, everybody may approve.
    """
    return bool(one) and _credential(one) == _credential(other)


def _credential(name: str) -> str:
    kind, _, rest = name.partition(":")
    return f"key:{rest.partition(':')[0]}" if kind == "session" else name
