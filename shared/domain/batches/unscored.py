"""Whether a model failed on so much of a batch that its output would be one in name only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def too_many_unscored(shards: Iterable[Mapping[str, Any]], most_share: float) -> str:
    """Why the batch is refused, in a sentence; empty when it is not.

    shards: `scored_file.ScoredShard.facts` of each; most_share: of the rows that fit the contract, fraction of 1
    """
    fitting = unanswered = 0
    for shard in shards:
        fitting += shard["rows"] - shard["refused"] + shard["unanswered"]
        unanswered += shard["unanswered"]
    if unanswered <= most_share * fitting:
        return ""
    return (
        f"the model failed on {unanswered} of {fitting} rows that fit the contract, more than the {most_share:.0%}"
        " allowed, though it answers its golden rows; roll back or promote a model that answers, then drop the file again"
    )
