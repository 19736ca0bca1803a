"""What a model answers to a table of clients: a probability, a decile and a decision each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

DECILES = 10
DECISIONS = ("skip", "call")


class Unusable(ValueError):
    """The response does not fit the request; the message says why, without the clients' values."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The model's answers: a value each for the request's rows, in their order."""

    probability: Any
    """Arrow array of float64; null where the model could not say."""
    decile: npt.NDArray[np.int8]
    """1 to 10, which tenth of the scores at training: 10 is the tenth most likely to buy. 1 where there is none."""
    decision: npt.NDArray[np.int8]
    """Place in `decision_names`."""
    decision_names: Sequence[str] = DECISIONS
    problems: dict[int, str] = field(default_factory=dict)
    """By row the model could not score: why."""

    def __len__(self) -> int:
        return len(self.probability)

    def scores(self) -> npt.NDArray[np.float64]:
        """NaN where there is none."""
        return np.asarray(self.probability.to_numpy(zero_copy_only=False), dtype=np.float64)

    def decile_counts(self) -> list[int]:
        scored = ~np.isnan(self.scores())
        counts: list[int] = np.bincount(self.decile[scored] - 1, minlength=DECILES).tolist()
        return counts

    @classmethod
    def checked(cls, probability: Any, decile: Any, decision: Sequence[str] | Any, *, rows: int) -> Self:
        """raises: Unusable when they are not as many as the request's rows, or out of their bounds."""
        score = np.asarray(probability, dtype=np.float64)
        tenth = np.asarray(decile)
        choice = _decisions(decision)
        if not len(score) == len(tenth) == len(choice) == rows:
            raise Unusable(f"{rows} rows were asked about and {len(score)} answered")
        if not (np.isfinite(score).all() and (score >= 0).all() and (score <= 1).all()):
            raise Unusable("an answer is no probability")
        if rows and not (tenth.min() >= 1 and tenth.max() <= DECILES):
            raise Unusable(f"a decile is not between 1 and {DECILES}")
        return cls(probability=pa.array(score), decile=tenth.astype(np.int8), decision=choice)

    @classmethod
    def partly(
        cls, probability: Any, decile: Any, decision: Any, problem: Sequence[str | None], *, rows: int
    ) -> Self:
        """Answers of which some are none: a problem stands in their place. raises: Unusable, as `checked`"""
        if len(problem) != rows or len(probability) != rows:
            raise Unusable(f"{rows} rows were asked about and {len(probability)} answered")
        scored = np.array([text is None for text in problem], dtype=np.bool_)
        there = [column.filter(pa.array(scored)) for column in (probability, decile, decision)]
        good = cls.checked(*there, rows=int(scored.sum()))
        places = pa.array(np.cumsum(scored) - 1, mask=~scored)
        numbers = places.fill_null(0).to_numpy(zero_copy_only=False)
        return cls(
            probability=pc.take(good.probability, places),
            decile=np.where(scored, good.decile[numbers] if len(good) else 1, 1).astype(np.int8),
            decision=np.where(scored, good.decision[numbers] if len(good) else 0, 0).astype(np.int8),
            problems={row: str(text) for row, text in enumerate(problem) if text is not None},
        )

    @classmethod
    def none(cls, problem: str) -> Self:
        """For one row the model could not score."""
        return cls(
            probability=pa.array([None], pa.float64()),
            decile=np.ones(1, np.int8),
            decision=np.zeros(1, np.int8),
            problems={0: problem},
        )

    @classmethod
    def joined(cls, parts: Sequence[Answers]) -> Self:
        """Those of consecutive stretches as one."""
        starts = np.cumsum([0, *(len(part) for part in parts)])
        empty = pa.array([], pa.float64())
        return cls(
            probability=pa.concat_arrays([empty, *(part.probability for part in parts)]),
            decile=np.concatenate([np.empty(0, np.int8), *(part.decile for part in parts)]),
            decision=np.concatenate([np.empty(0, np.int8), *(part.decision for part in parts)]),
            problems={
                int(start) + at: problem
                for start, part in zip(starts, parts, strict=False)
                for at, problem in part.problems.items()
            },
        )

    def stretch(self, start: int, count: int) -> Answers:
        end = start + count
        return Answers(
            probability=self.probability.slice(start, count),
            decile=self.decile[start:end],
            decision=self.decision[start:end],
            decision_names=self.decision_names,
            problems={at - start: text for at, text in self.problems.items() if start <= at < end},
        )


def feature_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Any:
    """Rows of plain values as the record batch a model takes."""
    values = zip(*rows, strict=True) if rows else [()] * len(columns)
    return pa.record_batch([pa.array(list(column)) for column in values], names=list(columns))


def _decisions(decision: Any) -> npt.NDArray[np.int8]:
    encoded = decision if isinstance(decision, pa.DictionaryArray) else pa.array(decision, pa.string())
    if not isinstance(encoded, pa.DictionaryArray):
        encoded = encoded.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    if not set(names) <= set(DECISIONS) or encoded.null_count:
        raise Unusable(f"a decision is none of {', '.join(DECISIONS)}")
    places = np.array([DECISIONS.index(name) for name in names] or [0], dtype=np.int8)
    chosen: npt.NDArray[np.int8] = places[np.asarray(pc.cast(encoded.indices, pa.int64()))]
    return chosen
