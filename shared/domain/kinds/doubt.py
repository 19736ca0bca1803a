"""What is known of a doubt about rows: what was expected, what came, and what would have been plausible."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.kinds.field import public


@dataclass(frozen=True, kw_only=True)
class RowsInDoubt:
    """Rows that are neither learned from nor judged on, as they are not plausible after those before them."""

    version: int = public("The dataset version that they came in with.", least=1, example=3)
    kind: str = public("What is off.", example="labels inverted")
    reason: str = public(
        "How it shows.",
        example="what was learned before ranks these 412 rows the wrong way round: AUC 0.206, at most 0.281",
    )
    remedy: str | None = public(
        "What a person can do about it.",
        example="if they are right, say so: ./dev datasets bank:3 --trust --reason WHY; if they are not, take their upload"
        " out: ./dev uploads NAME --withdraw --reason WHY",
    )
    measure: str | None = public(
        "What was measured: the share of positives, or an AUC.", example="AUC of what was learned"
    )
    came: float | None = public("What came, 0 to 1.", least=0, most=1, example=0.206)
    expected: float | None = public(
        "What was expected; absent where nothing was known before; 0 to 1.", least=0, most=1, example=0.741
    )
    plausible_low: float | None = public(
        "What would have been plausible at least; absent where anything is; 0 to 1.",
        least=0,
        most=1,
        example=0.375,
    )
    plausible_high: float | None = public(
        "And at most; absent where anything is; 0 to 1.", least=0, most=1, example=0.9
    )
