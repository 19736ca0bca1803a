"""Stretches of a batch wait to be scored: the queue `shards`, apart from the others since they are many."""

from __future__ import annotations

import azure.functions as func

from functions.delivery import dead_letter, deliver
from functions.steps import readable
from shared.domain.facts import ShardDue

shards = func.Blueprint()


@shards.queue_trigger(arg_name="msg", queue_name="shards", connection="CAMPANHA_STORAGE")
def shard_due(msg: func.QueueMessage) -> None:
    deliver(ShardDue.from_json(msg.get_body().decode()), expected=True)


@shards.queue_trigger(arg_name="msg", queue_name="shards-poison", connection="CAMPANHA_STORAGE")
def shard_dead_lettered(msg: func.QueueMessage) -> None:
    text = msg.get_body().decode(errors="replace")
    dead_letter("shards", text, readable(text))
