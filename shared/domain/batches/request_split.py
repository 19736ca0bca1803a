"""From rows to requests: no larger than the endpoint takes, and down to single rows where a request fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.domain.models.answers import Answers
from shared.errors import Refused, Unanswerable

ENVELOPE = 4096
"""Bytes of a request that are not rows: schema, categories, framing."""
MOST_FAILURES = 200
"""Failed requests after which a model is not failing on odd rows, but failing."""


def sized(batch: Any, *, most_bytes: int) -> list[Any]:
    """The record batch's rows in order, in equal batches of at most so many bytes."""
    rows = batch.num_rows
    if not rows:
        return []
    row_bytes = max(1, -(-batch.nbytes // rows))
    parts = -(-rows // max(1, (most_bytes - ENVELOPE) // row_bytes))
    step = -(-rows // parts)
    return [batch.slice(start, step) for start in range(0, rows, step)]


def row_by_row(rows: Any, score: Callable[[Any], Answers], demand_health: Callable[[], None]) -> Answers:
    """Scores all rows; where the model fails on them, each half (bisection), until the rows at fault stand alone.

    Those come out without a score and with the reason; all others are scored. A row is at fault only if the model is
    well, and fails on it again: while an endpoint is out, it fails on any row.

    demand_health: raises when the model is not well
    raises: what `demand_health` raises; Refused when it fails on too many rows to call them odd
    """
    failures = 0

    def halve(part: Any) -> Answers:
        nonlocal failures
        try:
            return score(part)
        except Unanswerable as no:
            failures += 1
            if failures > MOST_FAILURES:
                raise Refused(
                    f"the model failed on {failures} requests for one stretch; the last: {no}"
                ) from no
            if part.num_rows == 1:
                demand_health()
                return _once_more(part, score)
        half = part.num_rows // 2
        return Answers.joined([halve(part.slice(0, half)), halve(part.slice(half))])

    return halve(rows)


def _once_more(row: Any, score: Callable[[Any], Answers]) -> Answers:
    try:
        return score(row)
    except Unanswerable as no:
        return Answers.none(f"the model could not score this row: {no}")
