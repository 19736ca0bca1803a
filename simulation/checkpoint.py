"""The checkpoint of a long exploration: what is done of it, so that a run of hours which was ended goes on from there.

It counts only for the same schedules of the same code: whatever a run loads from this checkout is in its digest.
"""

from __future__ import annotations

import json
import time
from array import array
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from simulation.explore import Account, Progress

EVERY_SECONDS = 30
SOURCES = ("simulation", "shared", "functions", "contracts", "recipes", "requirements.txt")


def digest_of(root: Path, schedules: Sequence[object]) -> str:
    """Of the schedules asked for, and of every file that could change what comes of them."""
    found = sha256(repr(schedules).encode())
    for source in SOURCES:
        place = root / source
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.is_file() and file.suffix != ".pyc":
                found.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return found.hexdigest()


@dataclass
class Checkpoint:
    """Kept in a file, for schedules of this digest."""

    file: Path
    digest: str
    _kept: float = field(default_factory=time.monotonic)

    def read(self) -> Progress | None:
        """None when there is none, or it is of other schedules or other code."""
        try:
            found = json.loads(self.file.read_bytes())
        except FileNotFoundError:
            return None
        if found["digest"] != self.digest:
            return None
        ids = array("Q", b64decode(found["ids"]))
        account = Account(
            schedules=found["schedules"],
            points=found["points"],
            polled=found["polled"],
            by_scenario=Counter(found["byScenario"]),
            ids=set(ids),
        )
        return Progress(found["pieces"], account, found["seconds"])

    def keep(self, progress: Progress) -> None:
        """At most once in `EVERY_SECONDS`; not with a violation in it: then the run is about to end."""
        if progress.account.failures or time.monotonic() - self._kept < EVERY_SECONDS:
            return
        self._kept, account = time.monotonic(), progress.account
        told = {
            "digest": self.digest,
            "pieces": progress.pieces,
            "seconds": progress.seconds,
            "schedules": account.schedules,
            "points": account.points,
            "polled": account.polled,
            "byScenario": account.by_scenario,
            "ids": b64encode(array("Q", account.ids).tobytes()).decode(),
        }
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(told), encoding="utf-8")
        new.replace(self.file)

    def over(self) -> None:
        """Another run's stays."""
        if self.read() is not None:
            self.file.unlink()
