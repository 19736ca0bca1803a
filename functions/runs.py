"""A training run moved: Event Grid says so in the queue `run-events`."""

from __future__ import annotations

import json

import azure.functions as func

from functions.delivery import dead_letter, deliver
from shared.domain.facts import RunMoved

runs = func.Blueprint()


@runs.queue_trigger(arg_name="msg", queue_name="run-events", connection="CAMPANHA_STORAGE")
def run_moved(msg: func.QueueMessage) -> None:
    event = json.loads(msg.get_body())
    deliver(RunMoved(run=event["data"]["runId"]))


@runs.queue_trigger(arg_name="msg", queue_name="run-events-poison", connection="CAMPANHA_STORAGE")
def run_event_dead_lettered(msg: func.QueueMessage) -> None:
    dead_letter("run-events", msg.get_body().decode(errors="replace"), None)
