"""Reads a batch's file once, piece by piece, for what it says as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from shared.domain.batches.batch_profile import BatchProfile
from shared.domain.lists.column_tally import ColumnTally
from shared.domain.lists.list_column import ListColumn
from shared.domain.lists.list_values import ListTally
from shared.domain.tables.contract import Column


class BatchProfiler:
    """Memory grows with the pieces, by some numbers each, not with their rows."""

    def __init__(
        self, list_columns: Iterable[ListColumn], learned: Mapping[str, Any], features: Iterable[Column]
    ) -> None:
        """learned: the model's profile; features: the contract's, as they are in the pieces"""
        self._list_columns = tuple(list_columns)
        self._list = ListTally(self._list_columns)
        there = {column.name: column for column in features}
        self._columns = [
            ColumnTally(column, there[column["name"]].values)
            for column in learned.get("columns", ())
            if column["name"] in there and _fits(column, there[column["name"]])
        ]
        self._ends: list[int] = []
        self._pieces = 0

    def add(self, features: Any) -> None:
        """features: a record batch of good rows, the next of the list"""
        self._list.add(features)
        self._pieces += 1
        for column in self._columns:
            column.add(features.column(column.name))

    def end_shard(self) -> None:
        """What was added since the last end is a shard."""
        self._ends.append(self._pieces)

    def profile(self) -> BatchProfile:
        stretches = self._list.stretches()
        return BatchProfile(
            list_columns=self._list_columns,
            whole=self._list.whole,
            shards=tuple(tuple(stretches[start:end]) for start, end in pairwise((0, *self._ends))),
            columns=[column.to_json() for column in self._columns],
        )


def _fits(learned: Mapping[str, Any], column: Column) -> bool:
    """Whether the contract's column still has the groups that the model knows."""
    groups = len(column.values) or len(learned["edges"]) + 1
    return (learned["type"] == "category") == bool(column.values) and len(learned["shares"]) == groups + 1
