"""An access file for tests, and what signs in by it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from azure.core.credentials import AccessToken

from localazure.access import tokens

GROUP = "/subscriptions/0/resourceGroups/test"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/devstoreaccount1"
KEY = "a key that signs tokens"


def identity(name: str) -> dict[str, str]:
    return {"client": f"client-{name}", "principal": f"principal-{name}", "secret": f"secret-{name}"}


def write(
    file: Path,
    *,
    roles: Mapping[str, Mapping[str, Sequence[str]]],
    assignments: Sequence[tuple[str, str, str]],
    **more: Any,
) -> Path:
    """assignments: identity, role, scope"""
    names = dict.fromkeys(name for name, _, _ in assignments)
    given = {
        "key": KEY,
        "identities": {name: identity(name) for name in [*names, "nobody"]},
        "roles": roles,
        "assignments": [{"identity": who, "role": role, "scope": scope} for who, role, scope in assignments],
        "accounts": {"devstoreaccount1": ACCOUNT},
        **more,
    }
    file.write_text(json.dumps(given), encoding="utf-8")
    return file


class Credential:
    """A TokenCredential as the SDKs take it."""

    def __init__(
        self, name: str, *, audience: str | None = None, seconds: int = 3600, key: str = KEY
    ) -> None:
        self._name, self._audience, self._seconds, self._key = name, audience, seconds, key

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        audience = self._audience or scopes[0].removesuffix("/.default")
        token, _end = tokens.issue(self._key, audience, f"principal-{self._name}", seconds=self._seconds)
        return AccessToken(token, int(time.time()) + 3600)
