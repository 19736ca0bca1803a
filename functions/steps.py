"""What one step led to, and the next step waits for: our own facts in the queue `steps`."""

from __future__ import annotations

import azure.functions as func

from functions.delivery import dead_letter, deliver
from shared.domain.facts import Fact

steps = func.Blueprint()


@steps.queue_trigger(arg_name="msg", queue_name="steps", connection="CAMPANHA_STORAGE")
def step_due(msg: func.QueueMessage) -> None:
    deliver(Fact.from_json(msg.get_body().decode()), expected=True)


@steps.queue_trigger(arg_name="msg", queue_name="steps-poison", connection="CAMPANHA_STORAGE")
def step_dead_lettered(msg: func.QueueMessage) -> None:
    text = msg.get_body().decode(errors="replace")
    dead_letter("steps", text, readable(text))


def readable(text: str) -> Fact | None:
    """The fact in a message, or None: a poisoned message may be anything."""
    try:
        return Fact.from_json(text)
    except (ValueError, TypeError, AttributeError):
        return None
