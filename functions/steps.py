"""What one step led to, and the next step waits for: our own facts in the queue `steps`."""

from __future__ import annotations

import azure.functions as func

from functions.delivery import fact_in, first_seen, receive, received_in_vain

steps = func.Blueprint()


@steps.queue_trigger(arg_name="msg", queue_name="steps", connection="CAMPANHA_STORAGE")
def step_due(msg: func.QueueMessage) -> None:
    receive("steps", msg.get_body(), fact_in, expected=True, inserted=first_seen(msg))


@steps.queue_trigger(arg_name="msg", queue_name="steps-poison", connection="CAMPANHA_STORAGE")
def step_dead_lettered(msg: func.QueueMessage) -> None:
    received_in_vain("steps", msg.get_body(), fact_in)
