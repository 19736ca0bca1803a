"""Scopes: reader, operator, admin; and which of them an address takes (authorization)."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

Label = Literal["reader", "operator", "admin"]

READING = ("GET", "HEAD", "OPTIONS")
SESSION = "/api/session"
ADMIN_ONLY = ("/api/audit",)
ADMIN_CHANGES = ("/api/config",)
"""What everybody may see, and only an admin changes."""


class Scope(IntEnum):
    """What a caller may do; each one includes those before it."""

    READER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def label(self) -> Label:
        return LABELS[self]


LABELS: dict[Scope, Label] = {Scope.READER: "reader", Scope.OPERATOR: "operator", Scope.ADMIN: "admin"}


def required(method: str, path: str) -> Scope:
    """The scope a request takes: reading takes a reader, everything else an operator, the audit trail and changes of the
    config an admin."""
    if path.startswith(ADMIN_ONLY):
        return Scope.ADMIN
    if method in READING or path == SESSION:
        return Scope.READER
    return Scope.ADMIN if path.startswith(ADMIN_CHANGES) else Scope.OPERATOR
