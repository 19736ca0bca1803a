"""The description that clients were last given: kept, and what today's may differ in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from commands.compatibility.descriptions import Change, changes

Json: TypeAlias = Any
RELEASED = "released"
"""The folder of what is kept, in docs."""
PATTERN = "openapi-*.json"
MOVE = (
    "Or move the api-version (VERSIONS in functions/http/api_versions.py) and say in CHANGELOG.md"
    " what clients have to change. While nobody has that version yet: `python docs/generated.py --release --unpublished`."
)


class NothingKept(Exception):
    """There is no description of a last release."""


class Refused(Exception):
    """The new description breaks clients of the one that is kept, under the same api-version."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What differs from the last release, and whether that may be."""

    kept: str
    """The api-version of the last release."""
    now: str
    changes: tuple[Change, ...]

    @property
    def breaking(self) -> list[Change]:
        return [one for one in self.changes if one.breaks]

    @property
    def passes(self) -> bool:
        """A date that is later is a new promise; one that is earlier is none at all."""
        return self.now > self.kept or (self.now == self.kept and not self.breaking)

    @property
    def figure(self) -> str:
        breaking = len(self.breaking)
        return f"{breaking} breaking and {len(self.changes) - breaking} harmless changes since {self.kept}"

    @property
    def lines(self) -> list[str]:
        """Each change, what breaks first, and what follows of it."""
        told = [f"{'BREAKS  ' if one.breaks else 'harmless'}  {one}" for one in self.changes]
        if self.now < self.kept:
            told.append(f"The api-version went back, from {self.kept} to {self.now}.")
        elif self.breaking:
            moved = f"Allowed: the api-version moves from {self.kept} to {self.now}."
            told.append(moved if self.passes else MOVE)
        return told

    def __str__(self) -> str:
        return "\n".join([f"{self.figure}.", *self.lines])


def judge(kept: Json, now: Json) -> Verdict:
    """What today's description changes for a client of the one that is kept."""
    versions = {"kept": kept["info"]["version"], "now": now["info"]["version"]}
    return Verdict(**versions, changes=tuple(changes(kept, now)))


def last(folder: Path) -> Path | None:
    """The file of the last release; its name ends in the api-version, a date."""
    return max(folder.glob(PATTERN), default=None)


def since_last_release(docs: Path) -> Verdict:
    """What the description in that folder changes for clients of the last release.

    raises: NothingKept
    """
    kept = last(docs / RELEASED)
    if kept is None:
        raise NothingKept(f"docs/{RELEASED} is empty: `python docs/generated.py --release` fills it.")
    now = (docs / "openapi.json").read_text("utf-8")
    return judge(json.loads(kept.read_text("utf-8")), json.loads(now))


def keep(text: str, folder: Path, *, unpublished: bool = False) -> Path:
    """The description as that of the last release, in place of the one before.

    unpublished: nobody has what is kept yet, so it may be replaced whatever changed

    raises: Refused
    """
    before = last(folder)
    if before is not None and not unpublished:
        verdict = judge(json.loads(before.read_text("utf-8")), json.loads(text))
        if not verdict.passes:
            raise Refused(str(verdict))
    folder.mkdir(exist_ok=True)
    made = folder / PATTERN.replace("*", json.loads(text)["info"]["version"])
    made.write_text(text, encoding="utf-8")
    if before is not None and before != made:
        before.unlink()
    return made
