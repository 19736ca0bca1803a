"""What was mended of a file on reading: the same for files to train on and files to score."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.kinds.field import public


@dataclass(frozen=True, kw_only=True)
class MendedValues:
    """What was mended in one column on reading, as its contract says."""

    column: str = public("The column; empty for what concerns whole rows or the file.", example="age")
    how: str = public(
        "What was not as the contract has it, in words.",
        example="a whole number written with zeros after its point",
    )
    values: int = public("How many values, names or rows.", least=1, example=2713)
