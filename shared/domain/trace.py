"""A place in a distributed trace, as W3C's Trace Context writes it: which trace, and under which of its spans."""

from __future__ import annotations

import re
from dataclasses import dataclass
from secrets import token_hex
from typing import Self

TRACE_ID = "^[0-9a-f]{32}$"
TRACEPARENT = "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
"""As JSON Schema knows it. source: W3C Trace Context, level 1, section 3.2"""
_READ = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
_NO_VERSION = "ff"
SAMPLED = "01"
"""Always: which spans are kept is decided where they are exported, and the ids hold without any."""


@dataclass(frozen=True)
class Trace:
    """What is carried from one step to the next: the trace, and the span of it that led here."""

    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits."""

    @classmethod
    def begun(cls) -> Self:
        """A trace of its own."""
        return cls(token_hex(16), token_hex(8))

    @classmethod
    def read(cls, traceparent: object) -> Self | None:
        """What a `traceparent` says; None for anything that is none: a trace is never a reason to refuse something.

        A later version than ours may say more behind the flags, and only there.
        """
        found = _READ.fullmatch(traceparent) if isinstance(traceparent, str) else None
        if found is None or found[0].startswith(_NO_VERSION):
            return None
        if found[0].startswith("00") and len(found[0]) != len(cls(found[1], found[2]).traceparent):
            return None
        return cls(found[1], found[2])

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{SAMPLED}"

    def child(self) -> Self:
        """A new span of the same trace."""
        return type(self)(self.trace_id, token_hex(8))

    def is_with(self, other: Trace) -> bool:
        """Whether both are in one trace."""
        return self.trace_id == other.trace_id
