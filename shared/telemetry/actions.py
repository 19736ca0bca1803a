"""The closed vocabulary of the log: what a line can be about, and the fields it can have."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypedDict, get_type_hints


class Action(StrEnum):
    """The word in a line's `action`, by which alerts and workbook find it; the steps' names are actions too."""

    meaning: str

    def __new__(cls, word: str, meaning: str) -> Action:
        made = str.__new__(cls, word)
        made._value_, made.meaning = word, meaning
        return made

    ADMIT_CALLER = "admit_caller", "Nobody, or not everybody, can use the HTTP API: a setting is missing."
    ALERT_CHANNEL = "alert_channel", "An alert channel did not take a message; it is tried again."
    ALERTS = "alerts", "It could not be looked whether anything is the matter; the next tick does."
    ANNOUNCE = "announce", "Subscribers are told later than at once: the queue took no message."
    ANSWER = "answer", "A request over HTTP failed on our side; the answer has its `traceId`."
    DEAD_LETTER = "dead_letter", "A fact was given up after its last attempt, and waits for a person."
    DELIVER = "deliver", "A message was dropped, since another worker is at its fact."
    EXPORT = "export", "Spans and metrics are lost, at least one: they could not be handed to OpenTelemetry."
    RECORDS = "records", "A record cannot be shown: what it holds is not what its kind holds."
    SETTINGS = "settings", "The app's settings need mending: the line names them."


class Fields(TypedDict, total=False):
    """What a line can say beside its sentence, its `action` and its `trace`."""

    key: Annotated[str, "The key of the fact, or the id of the thing."]
    led_to: Annotated[str, "The facts that a step led to, by name; where it is done."]
    milliseconds: Annotated[int, "How long a step took; where it is done."]
    problem: Annotated[str, "What kind of error it was; where an attempt, or a request, failed."]
    at: Annotated[str, "File and line where a request failed."]


ALWAYS = {
    "action": "What the line is about.",
    "trace": "The id of the trace; where the line belongs to one.",
}


def fields() -> dict[str, str]:
    """All fields a line can have, each with what it means."""
    hints = get_type_hints(Fields, include_extras=True)
    return ALWAYS | {name: hint.__metadata__[0] for name, hint in hints.items()}
