"""A dataset's head: its newest version, and whether that is registered; the fence between two workers that register."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.ledger import Document


@dataclass(frozen=True, kw_only=True)
class Head:
    """The newest version of one dataset."""

    version: int
    state: Literal["registering", "registered"]
    by: str = ""
    """The key of the fact whose worker registers it."""
    rows: int = 0
    """Of the whole version; known once it is registered."""

    @property
    def finished(self) -> int:
        """The newest version that is registered; 0 while there is none."""
        return self.version - 1 if self.state == "registering" else self.version


HEAD = Document(name="head", type=Head, placement="standing", shown=True)
"""One per dataset."""
