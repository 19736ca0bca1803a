"""A batch is sealed: what it is expected to bring, and the call list: whom to call, best first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.domain.facts import BatchScored
from shared.domain.kinds.kind import Change
from shared.procedures.call_list import Unlistable, begin_listing, write_call_list
from shared.procedures.sealed_batch import read_sealed
from shared.services import Services


def list_calls(fact: BatchScored, services: Services) -> Iterable[Change]:
    """Reads the scores once, shard by shard, whether endpoint or cluster wrote them, and the lines of those to call.

    After the sealing, not in it: the scores are there however long this takes. Where the do-not-call list cannot be
    applied there is no call list at all, and the record says why.
    """
    from shared.domain.outcomes.expectation import Expectation

    sealed, policy = read_sealed(fact.batch, services), services.policy
    expectation = Expectation(call_cost=policy.call_cost, deposit_value=policy.deposit_value)
    values: dict[str, Any] = {"call_list_problem": None}
    try:
        listing = begin_listing(sealed, services) if policy.call_list else None
    except Unlistable as fault:
        listing, values = None, {"call_list_problem": str(fault)}
    columns = listing.columns if listing else ["probability"]
    for shard in sealed.shards(columns, services):
        expectation.add(shard.table.column("probability").drop_null().to_numpy())
        if listing:
            listing.add(shard)
    values["expected"] = expectation.figures()
    if listing:
        try:
            values["call_list"] = write_call_list(listing, services)
        except Unlistable as fault:
            values["call_list_problem"] = str(fault)
    return [Change(kind="batch", id=fact.batch, values=values)]
