"""A batch's profile as it lies beside the plan: what its file says as a whole, and what each shard must know of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Self

from shared.domain.lists.list_column import ListColumn
from shared.domain.lists.list_values import Stretch, Whole, list_values
from shared.errors import Transient

if TYPE_CHECKING:
    from shared.domain.batches.shard_rows import ShardRows


class OtherRows(Transient):
    """A shard's good rows are not those that were profiled."""

    def __init__(self, number: int) -> None:
        super().__init__(f"shard {number} has other rows than were profiled; score the file anew")


@dataclass(frozen=True, kw_only=True)
class BatchProfile:
    """Written once by `profile_batch`; reading the same version of the file again gives the same."""

    list_columns: tuple[ListColumn, ...]
    """Those that the model reads, as it learned them."""
    whole: Whole
    shards: tuple[tuple[Stretch, ...], ...]
    """By shard the stretches of its rows, as `read_shard` gives them."""
    columns: Sequence[Mapping[str, Any]]
    """Each feature in the groups of the model's own profile, as `column_tally.ColumnTally` counts it."""

    def features_of(self, read: Iterable[ShardRows], number: int) -> Iterator[ShardRows]:
        """A shard's pieces with the list's columns beside the features; raises: OtherRows"""
        if not self.list_columns:
            yield from read
            return
        stretches = iter(self.shards[number])
        for piece in read:
            stretch = next(stretches, None)
            if stretch is None or stretch.rows != piece.features.num_rows:
                raise OtherRows(number)
            yield replace(piece, features=self.beside(piece.features, stretch))

    def with_list(self, features: Any, number: int) -> Any:
        """The same of all of a shard's rows at once; raises: OtherRows

        features: record batch of its good rows, in order
        """
        import pyarrow as pa

        if not self.list_columns:
            return features
        stretches = self.shards[number] or (Stretch(rows=0, before={}, after={}),)
        ends = list(accumulate((stretch.rows for stretch in stretches), initial=0))
        if ends[-1] != features.num_rows:
            raise OtherRows(number)
        pieces = [
            self.beside(features.slice(start, stretch.rows), stretch)
            for start, stretch in zip(ends, stretches, strict=False)
        ]
        return pa.concat_batches(pieces)

    def beside(self, features: Any, stretch: Stretch) -> Any:
        """The features of one stretch's rows, with what the list says of each."""
        import pyarrow as pa

        values = list_values(self.list_columns, features, (self.whole, stretch))
        columns = [*features.columns, *(pa.array(column) for column in values.values())]
        return pa.record_batch(columns, names=[*features.schema.names, *values])

    def to_json(self) -> dict[str, Any]:
        return {
            "list_columns": [one.to_json() for one in self.list_columns],
            "list": self.whole.to_json(),
            "shards": [[stretch.to_json() for stretch in shard] for shard in self.shards],
            "columns": [dict(column) for column in self.columns],
        }

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        body = json.loads(text)
        return cls(
            list_columns=tuple(ListColumn.from_json(one) for one in body["list_columns"]),
            whole=Whole.from_json(body["list"]),
            shards=tuple(tuple(map(Stretch.from_json, shard)) for shard in body["shards"]),
            columns=body["columns"],
        )
