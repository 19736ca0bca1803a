"""Issues tokens: JWTs signed with a secret made at the first start and kept in a file."""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
from pathlib import Path

from localazure.access import tokens
from localazure.workspace.settings import stable_id


class Issuer:
    """Makes and reads tokens; its secret is also what callers of the identity endpoint must know."""

    def __init__(self, file: Path, given: str | None = None) -> None:
        self.secret = given or _kept_secret(file)

    def token(self, audience: str) -> tuple[str, int]:
        """A JWT for `audience` and the second it ends."""
        return tokens.issue(self.secret, audience, stable_id("principal"))

    def knows(self, header: str) -> bool:
        """Whether an IDENTITY_HEADER is the one."""
        return hmac.compare_digest(header.encode(), self.secret.encode())


def _kept_secret(file: Path) -> str:
    """Made at the first start, readable by its owner only."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT, 0o600), "w") as written:
            written.write(secrets.token_urlsafe(24))
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(beside)  # whole, and the first one to come decides
        beside.unlink()
    return file.read_text(encoding="utf-8").strip()
