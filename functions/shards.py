"""Stretches of a batch wait to be scored: the queue `shards`, apart from the others since they are many."""

from __future__ import annotations

from functools import partial

import azure.functions as func

from functions.delivery import fact_in, first_seen, receive, received_in_vain
from shared.domain.facts import ShardDue

shards = func.Blueprint()


@shards.queue_trigger(arg_name="msg", queue_name="shards", connection="CAMPANHA_STORAGE")
def shard_due(msg: func.QueueMessage) -> None:
    receive("shards", msg.get_body(), _shard_in, expected=True, inserted=first_seen(msg))


@shards.queue_trigger(arg_name="msg", queue_name="shards-poison", connection="CAMPANHA_STORAGE")
def shard_dead_lettered(msg: func.QueueMessage) -> None:
    received_in_vain("shards", msg.get_body(), _shard_in)


_shard_in = partial(fact_in, of=ShardDue)
