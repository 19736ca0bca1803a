"""What a linter gave: each finding in a line, and what it read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Nothing to do when there are none; then what was read says how much that means."""

    lines: tuple[str, ...]
    read: str
    """What was read, with its number: "41 operations"."""
    remarks: tuple[str, ...] = ()
    """What is not held against it, a line each."""

    @property
    def figure(self) -> str:
        return f"{len(self.lines)} finding{'' if len(self.lines) == 1 else 's'} in {self.read}"
