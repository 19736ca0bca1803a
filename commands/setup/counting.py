"""What is left of an installation, read from what the installing program says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

_MEBIBYTES = {"KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0}


class Words(Protocol):
    """Reads a program's output."""

    def saw(self, line: str) -> None:
        """Take note of one line."""
        ...

    def left(self) -> str:
        """What is still to come, in a few words; empty when nothing is known."""
        ...


class Silent:
    """For a program that says nothing one could count."""

    def saw(self, line: str) -> None:
        pass

    def left(self) -> str:
        return ""


class UvWords:
    """uv names each larger file with its size when it begins to fetch it, and again when it has it."""

    def __init__(self) -> None:
        self._fetching: dict[str, float] = {}
        self._doing = "finding the packages"

    def saw(self, line: str) -> None:
        if begun := re.match(r"Downloading (\S+) \(([\d.]+)([KMG]iB)\)", line):
            self._fetching[begun[1]] = float(begun[2]) * _MEBIBYTES[begun[3]]
        elif ended := re.match(r" *Downloaded (\S+)", line):
            self._fetching.pop(ended[1], None)
        elif found := re.match(r"Resolved (\d+) packages?", line):
            self._doing = f"fetching what is missing of {found[1]} packages"
        elif line.startswith("Prepared "):
            self._doing = "putting them in place"
        elif line.startswith("Installed "):
            self._doing = ""

    def left(self) -> str:
        if self._fetching:
            names = ", ".join(sorted(self._fetching, key=lambda name: -self._fetching[name])[:3])
            return f"{sum(self._fetching.values()):.0f} MB left ({names})"
        return self._doing


class PipWords:
    """pip names each package when it takes it up, and then puts all of them in place without a word."""

    def __init__(self, total: int) -> None:
        self._total, self._taken, self._placing = total, 0, False

    def saw(self, line: str) -> None:
        if line.startswith(("Collecting ", "Requirement already satisfied")):
            self._taken += 1
        self._placing = line.startswith("Installing collected packages")

    def left(self) -> str:
        if self._placing:
            return "putting them in place"
        return f"at most {max(0, self._total - self._taken)} packages left" if self._taken else ""


class NpmFolder:
    """npm says nothing; but its lock names the folders there will be."""

    def __init__(self, lock: Path, folder: Callable[[], Path | None]) -> None:
        named = json.loads(lock.read_text(encoding="utf-8")).get("packages", {})
        self._wanted = [name for name in named if name]
        self._folder = folder

    def saw(self, line: str) -> None:
        pass

    def left(self) -> str:
        folder = self._folder()
        if folder is None:
            return "Node comes first"
        missing = sum(not (folder / name / "package.json").exists() for name in self._wanted)
        return f"{missing} of {len(self._wanted)} packages left"


def locked_packages(lock: Path) -> int:
    """How many packages a lock names; some may be for another system."""
    return len(re.findall(r"^[A-Za-z0-9][^ ]*==", lock.read_text(encoding="utf-8"), re.MULTILINE))
