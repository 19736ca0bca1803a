"""A part read as the model would meet it: its columns counted, and a sample of its rows scored, with their answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.domain.batches.batch_profile import BatchProfile
from shared.domain.batches.profiler import BatchProfiler
from shared.domain.drift.learned_rows import LearnedRows
from shared.domain.drift.part_rows import PartRows
from shared.domain.drift.score_places import Floats
from shared.domain.lists.list_column import ListColumn
from shared.domain.models.answers import DECILES, Answers
from shared.domain.tables.contract import Contract
from shared.errors import Refused

Score = Callable[[Any], Answers]
"""The model's answers to a record batch of clients; raises: Refused, Transient"""


@dataclass(frozen=True, kw_only=True)
class ScoredPart:
    """What the model makes of the rows of one upload."""

    columns: Sequence[Mapping[str, Any]]
    """As `column_tally.ColumnTally` counts them; none where the model says nothing of what it learned."""
    probability: Floats
    """Of the rows that were scored."""
    positive: npt.NDArray[np.bool_]
    """What came of them."""
    tenths: Sequence[int]
    """How many of them are in each tenth of the scores at training."""
    problem: str = ""
    """Why none was scored."""


def read_part(
    parquet: bytes,
    contract: Contract,
    learned: Mapping[str, Any],
    list_columns: Sequence[ListColumn],
    *,
    score: Score,
    most: int,
    known: LearnedRows | None = None,
) -> ScoredPart:
    """The part is read twice: what it says as a whole is told to the model with each row.

    learned: the model's profile; list_columns: what the model asks for of a list; most: rows to score, evenly spaced
    known: rows that the model has learned from, which are not scored; None where it does not say
    raises: Transient when the model does not answer now
    """
    part = PartRows(parquet, contract)
    profiler = BatchProfiler(list_columns, learned, contract.features)
    new = []
    for features, _ in part:
        profiler.add(features)
        new.append(np.ones(len(features), np.bool_) if known is None else ~known.among(features))
    profiler.end_shard()
    profile = profiler.profile()
    nothing = ScoredPart(
        columns=profile.columns,
        probability=np.zeros(0),
        positive=np.zeros(0, dtype=np.bool_),
        tenths=[0] * DECILES,
    )
    unknown = np.flatnonzero(np.concatenate(new)) if new else np.zeros(0, np.int64)
    if part.rows and not len(unknown):
        return replace(nothing, problem=f"it has learned from each of the {part.rows:,} rows")
    asked, positive = _sample(part, profile, unknown, most)
    if asked is None:
        return nothing
    try:
        answers = score(asked)
    except Refused as no:
        return replace(nothing, problem=str(no)[:500])
    scores = answers.scores()
    scored = ~np.isnan(scores)
    return ScoredPart(
        columns=profile.columns,
        probability=scores[scored],
        positive=positive[scored],
        tenths=answers.decile_counts(),
    )


def _sample(
    part: PartRows, profile: BatchProfile, among: npt.NDArray[np.int64], most: int
) -> tuple[Any, npt.NDArray[np.bool_]]:
    """Rows as the model is asked about them, and what came of each; None without any."""
    wanted = among[np.linspace(0, max(len(among) - 1, 0), min(len(among), most)).astype(np.int64)]
    taken, answers, first = [], [], 0
    for (features, positive), stretch in zip(part, profile.shards[0], strict=True):
        here = wanted[(wanted >= first) & (wanted < first + len(positive))] - first
        first += len(positive)
        if len(here):
            asked = profile.beside(features, stretch) if profile.list_columns else features
            taken.append(asked.take(pa.array(here)))
            answers.append(positive[here])
    return (pa.concat_batches(taken), np.concatenate(answers)) if taken else (None, np.zeros(0, np.bool_))
