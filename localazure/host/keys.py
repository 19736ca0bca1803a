"""The host's keys: made once, kept for the owner's eyes, masked in every log line."""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from localazure.host.errors import BadSetting

MASTER, DEFAULT = "_master", "default"


class Level(IntEnum):
    """What a caller has shown to be."""

    ANONYMOUS = 0
    FUNCTION = 1
    ADMIN = 2


@dataclass(frozen=True, repr=False)
class Keys:
    """The master key, which opens everything, and the host key, which opens functions of level FUNCTION."""

    master: str
    default: str

    def level(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Level:
        """The header x-functions-key counts before ?code=, even when it is wrong and the other is right."""
        given = (headers.get("x-functions-key") or query.get("code") or "").encode()
        if hmac.compare_digest(given, self.master.encode()):
            return Level.ADMIN
        return Level.FUNCTION if hmac.compare_digest(given, self.default.encode()) else Level.ANONYMOUS

    def masked(self, text: str) -> str:
        """`text` without the keys and without whatever stands after `code=`."""
        for key in (self.master, self.default):
            text = text.replace(key, "***")
        return mask_code(text)


def mask_code(text: str) -> str:
    """`text` without whatever stands after `code=`, where a key may be."""
    return re.sub(r"(?i)\b(code=)[^&\s\"'<>]+", r"\1***", text)


def opens(level: Level, required: str) -> bool:
    """Whether a caller of this level may call a function whose authLevel is `required`."""
    return level >= {"ANONYMOUS": Level.ANONYMOUS, "FUNCTION": Level.FUNCTION}.get(
        required.upper(), Level.ADMIN
    )


def load(folder: Path) -> Keys:
    """The keys kept in `folder`, made at the first start.

    `keys.json` is what counts; `function-key` beside it holds the host key alone, for scripts.
    """
    file = folder / "keys.json"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".gitignore").write_text(
            "*\n", encoding="utf-8"
        )  # the folder may lie in the app's repository
        made = {MASTER: secrets.token_urlsafe(42), DEFAULT: secrets.token_urlsafe(42)}
        _write_private(file, json.dumps(made, indent=2))
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        keys = Keys(master=str(kept[MASTER]), default=str(kept[DEFAULT]))
    except (ValueError, KeyError, TypeError) as cause:
        raise BadSetting(f"{file} is damaged ({cause!r}): delete it, and new keys are made.") from cause
    if not (keys.master and keys.default):
        raise BadSetting(f"{file} holds an empty key: delete it, and new keys are made.")
    _write_private(folder / "function-key", keys.default)
    return keys


def _write_private(file: Path, text: str) -> None:
    """Whole or not at all, readable by the owner only."""
    written = file.with_suffix(".new")
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(text)
    os.replace(written, file)
