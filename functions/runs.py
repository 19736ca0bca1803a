"""A training run moved: Event Grid says so in the queue `run-events`."""

from __future__ import annotations

import azure.functions as func

from functions.delivery import first_seen, receive, received_in_vain
from functions.event_grid import event_in
from shared.domain.facts import RunMoved

runs = func.Blueprint()


@runs.queue_trigger(arg_name="msg", queue_name="run-events", connection="CAMPANHA_STORAGE")
def run_moved(msg: func.QueueMessage) -> None:
    receive("run-events", msg.get_body(), run_in, inserted=first_seen(msg))


@runs.queue_trigger(arg_name="msg", queue_name="run-events-poison", connection="CAMPANHA_STORAGE")
def run_event_dead_lettered(msg: func.QueueMessage) -> None:
    received_in_vain("run-events", msg.get_body(), run_in)


def run_in(body: bytes) -> RunMoved | None:
    """The run that an event is about; None for events of models, data and the like. raises: UnreadableMessage"""
    event = event_in(body)
    if not event.type.startswith("Microsoft.MachineLearningServices.Run"):
        return None
    return RunMoved(run=event.text("runId"))
