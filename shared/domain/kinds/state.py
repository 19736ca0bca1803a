"""A state of a kind, or a word of a closed vocabulary: its tone, its words, whether it is final."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.kinds.waiting import Wait


class Tone(StrEnum):
    """How a state is coloured: by the attention it needs."""

    OK = "ok"
    """As it should be."""
    RUN = "run"
    """Under way: something follows by itself."""
    WARN = "warn"
    """Not as it was meant: a warning."""
    BAD = "bad"
    """It came to nothing, or a person is needed."""
    REST = "rest"
    """Nothing to do, and nothing to be said."""


@dataclass(frozen=True, kw_only=True)
class State:
    """One state of a kind, or one word of a closed vocabulary."""

    name: str
    tone: Tone
    sentence: str
    """What a line says after the name of the thing: `may.csv` *fits its contract*."""
    word: str = ""
    """What a badge says, where that is not the name with spaces for its dashes."""
    final: bool = False
    """Nothing follows by itself: polling can stop."""
    needs_person: bool = False
    """Nothing follows before an operator's decision."""
    waits_for: Wait | None = None
    """What has to come before the next state."""

    @property
    def label(self) -> str:
        return self.word or self.name.replace("-", " ")

    @property
    def failed(self) -> bool:
        """Whether what leads here did not come to what it was meant for."""
        return self.tone in (Tone.WARN, Tone.BAD)

    @property
    def succeeded(self) -> bool:
        return self.final and not self.failed
