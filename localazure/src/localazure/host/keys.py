"""The host's keys: made once, kept for the owner's eyes, masked in every log line."""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any

from localazure.host.errors import BadSetting
from localazure.private import private_folder

MASTER, DEFAULT = "_master", "default"


class Level(IntEnum):
    """What a caller has shown to be."""

    ANONYMOUS = 0
    FUNCTION = 1
    SYSTEM = 2
    ADMIN = 3


class Keys:
    """The master key, which opens everything; host keys, which open all functions of level FUNCTION; the keys
    of single functions, which open these; and system keys, which open the webhooks of extensions."""

    def __init__(self, file: Path, kept: Mapping[str, Any]) -> None:
        self._file = file
        self.master = str(kept["masterKey"])
        self.host: dict[str, str] = dict(kept["functionKeys"])
        self.system: dict[str, str] = dict(kept["systemKeys"])
        self.functions: dict[str, dict[str, str]] = {
            name: dict(keys) for name, keys in kept["functions"].items()
        }

    @property
    def default(self) -> str:
        return self.host[DEFAULT]

    def level(
        self, headers: Mapping[str, str], query: Mapping[str, str], *, function: str | None = None
    ) -> Level:
        """What the caller of that function has shown to be; of the host itself, when it names none.

        The header x-functions-key counts before ?code=, even when it is wrong and the other is right.
        """
        given = (headers.get("x-functions-key") or query.get("code") or "").encode()
        if _is_one_of(given, [self.master]):
            return Level.ADMIN
        if _is_one_of(given, self.system.values()):
            return Level.SYSTEM
        own = self.functions.get(function or "", {})
        return Level.FUNCTION if _is_one_of(given, [*self.host.values(), *own.values()]) else Level.ANONYMOUS

    def opens_webhook(self, extension: str, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Whether the caller may speak to an extension's webhook: with its system key, or the master key."""
        given = (headers.get("x-functions-key") or query.get("code") or "").encode()
        return _is_one_of(given, filter(None, [self.master, self.system.get(f"{extension}_extension")]))

    def masked(self, text: str) -> str:
        """`text` without the keys and without whatever stands after `code=`."""
        for key in self._all():
            text = text.replace(key, "***")
        return mask_code(text)

    def _all(self) -> Iterator[str]:
        yield self.master
        yield from self.host.values()
        yield from self.system.values()
        for keys in self.functions.values():
            yield from keys.values()

    def save(self) -> None:
        kept = {
            "masterKey": self.master,
            "functionKeys": self.host,
            "systemKeys": self.system,
            "functions": self.functions,
        }
        _write_private(self._file, json.dumps(kept, indent=2))
        _write_private(self._file.with_name("function-key"), self.default)


def _is_one_of(given: bytes, keys: Iterable[str]) -> bool:
    """Compared one and all, whichever fits, so that the time tells nothing."""
    return any([hmac.compare_digest(given, key.encode()) for key in keys])


def mask_code(text: str) -> str:
    """`text` without whatever stands after `code=`, where a key may be."""
    return re.sub(r"(?i)\b(code=)[^&\s\"'<>]+", r"\1***", text)


def opens(level: Level, required: str) -> bool:
    """Whether a caller of this level may call a function whose authLevel is `required`: that one, or admin."""
    wanted = {"ANONYMOUS": Level.ANONYMOUS, "FUNCTION": Level.FUNCTION}.get(required.upper(), Level.ADMIN)
    return wanted is Level.ANONYMOUS or level in {wanted, Level.ADMIN}


def new_key() -> str:
    return secrets.token_urlsafe(42)


def load(folder: Path, functions: Iterable[str] = (), extensions: Iterable[str] = ()) -> Keys:
    """The keys kept in `folder`; missing ones are made.

    `keys.json` is what counts; `function-key` beside it holds the host key alone, for scripts.
    """
    file = folder / "keys.json"
    if not file.exists():
        private_folder(folder, may_be_anothers=True)
        (folder / ".gitignore").write_text(
            "*\n", encoding="utf-8"
        )  # the folder may lie in the app's repository
    try:
        keys = Keys(file, _kept(file))
    except (ValueError, KeyError, TypeError, AttributeError) as cause:
        raise BadSetting(f"{file} is damaged ({cause!r}): delete it, and new keys are made.") from cause
    if not all(keys._all()):
        raise BadSetting(f"{file} holds an empty key: delete it, and new keys are made.")
    for name in functions:
        keys.functions.setdefault(name, {}).setdefault(DEFAULT, new_key())
    for extension in extensions:
        keys.system.setdefault(f"{extension}_extension", new_key())
    keys.save()
    return keys


def _kept(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {
            "masterKey": new_key(),
            "functionKeys": {DEFAULT: new_key()},
            "systemKeys": {},
            "functions": {},
        }
    kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if not kept["functionKeys"][DEFAULT]:
        raise KeyError(DEFAULT)
    return kept


def _write_private(file: Path, text: str) -> None:
    """Whole or not at all, readable by the owner only."""
    written = file.with_suffix(".new")
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(text)
    os.replace(written, file)
