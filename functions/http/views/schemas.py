"""What answers look like, for the API's description. Answers are not made of these: tests hold them against it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, create_model

from functions.http.views.record_schemas import record
from functions.http.views.shape import Moment, Shape, absent, list_of
from shared.kinds import BY_NAME, STATUSES_OF

NEWEST = ("upload", "run", "model", "batch", "failure")
"""The kinds whose newest the status shows."""


class About(Shape):
    kind: str
    id: str


class Event(Shape):
    """One move of one thing."""

    id: str
    time: Moment
    type: str = Field(examples=["Campanha.UploadAdmitted.v1"])
    subject: str
    of: About
    data: dict[str, Any]
    sequence: int = Field(ge=0, description="Its number in the list of all events.")


class Serving(Shape):
    version: int
    deployment: str
    endpoint: str
    since: Moment


class DatasetNow(Shape):
    dataset: str
    version: int | None
    rows: int = absent()
    gathering: int = Field(ge=0, description="Files that wait to become the next version.")
    serving: Serving | None
    run: str | None


class Rule(Shape):
    """A row of the flow: when one of these happens, that is done, which leads to those."""

    do: str
    when: list[str]
    leads_to: list[str]
    about: str
    count: int = Field(ge=0, description="How often it was done; kept, never counted.")
    open: int = Field(ge=0, description="How often it is under way or waits.")


class Asked(Shape):
    """A file's way: from an upload forward, or from a file of clients back."""

    asked: str = Field(description="The name or the hash that was asked for.")


class Glance(Shape):
    """The whole at a glance."""

    now: Moment = Field(description="When this was answered; no part of the ETag.")
    paused: bool
    attention: int = Field(
        ge=0, description="How much waits for a person: steps given up, and files in quarantine."
    )
    datasets: list[DatasetNow]
    flow: list[Rule]
    counts: dict[str, dict[str, int]]


def _newest() -> dict[str, Any]:
    description = "The newest, the newest first."
    return {BY_NAME[kind].plural: (list_of(record(kind)), Field(description=description)) for kind in NEWEST}


def _links() -> dict[str, Any]:
    """What a file led to: one of each kind, and where there may be more of them a list."""
    single = ("upload", "batch", "dataset", "run", "model", "deployment")
    listed = {
        "batches": ("batch", "The newest batches its model scored."),
        "uploads": ("upload", "The uploads the model's dataset is of."),
    }
    return {
        **{kind: (record(kind), absent(description=BY_NAME[kind].sentence)) for kind in single},
        "same_as": (
            record("upload"),
            absent(description="The upload that brought the same rows first."),
        ),
        **{
            name: (list_of(record(kind)), absent(description=about)) for name, (kind, about) in listed.items()
        },
    }


def _reported() -> dict[str, Any]:
    decided = "What was decided about it; null while the file is being checked again."
    return {
        "upload": (record("upload"), Field(description="The upload.")),
        "decision": (record("quarantine") | None, Field(description=decided)),
    }


Status = create_model("Status", __base__=Glance, __doc__=Glance.__doc__, **_newest())
Trace = create_model("Trace", __base__=Asked, __doc__=Asked.__doc__, **_links())


class Fault(Shape):
    line: int
    column: str = Field(description="Empty when the line as a whole is at fault.")
    value: str
    rule: str
    remedy: str


class Report(Shape):
    """Why rows of a file lie in quarantine."""

    summary: dict[str, int] = Field(description="How many rows break each rule.")
    rows: list[Fault] = Field(description="The first faults.")
    more: bool = Field(description="Whether there are more.")
    report: str = Field(description="Container and name of the whole report.")


Quarantined = create_model("Quarantined", __base__=Report, __doc__=Report.__doc__, **_reported())


class Rows(Shape):
    columns: list[str]
    value: list[list[str]]


class ActionError(Shape):
    code: str
    message: str


class Operation(Shape):
    """How far something is that was asked for."""

    id: str
    status: str = Field(json_schema_extra={"enum": [status.name for status in STATUSES_OF["progress"]]})
    action: str
    createdDateTime: Moment
    lastUpdatedDateTime: Moment
    resourceLocation: str = absent()
    detail: str = absent()
    error: ActionError = absent()


class AuditEntry(Shape):
    number: int
    time: Moment
    who: str
    scope: str
    action: str
    target: list[str] | None
    reason: str
    operation: str
    traceId: str
    previous: str
    hash: str


class HealthReport(Shape):
    status: Literal["pass", "fail"]
    checks: dict[str, list[dict[str, str]]]


class Answer(Shape):
    """What the model answered, one value for each record asked."""

    model: str = absent()
    version: str = absent()
    probability: list[float] = absent()
    decision: list[str] = absent()


class FaultOfRequest(Shape):
    where: str
    rule: str


class Problem(Shape):
    """An error, as RFC 9457 has it, with a code that stays the same."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    traceId: str
    errors: list[FaultOfRequest] = absent()
